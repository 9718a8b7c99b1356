"""`/patient` over a real server, after a real pass."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from lxml import html

from fhir_adapter.timeline.pieces import Context, Place
from jobs.runtime import open_ledger
from jobs.schedule import one_pass
from jobs.web.views.note_blocks import day_and_clock, heading_of, kind_of_time, not_shown, told_once
from jobs.web.views.patient_page import choices, fault
from summarizer.types import LeftOut, LeftOutSection
from tests.unit.jobs.web.summarised import COPIED, NOTES, Summarised
from tests.unit.jobs.web.web_parts import Served


async def opened(served: Served, there: Summarised, path: str, status: int = 200) -> Any:
    async with served(fhir_base_url=there.base_url) as client:
        answer = await client.get(path, headers={"accept": "text/html"})
    assert answer.status_code == status
    assert answer.headers["cache-control"] == "no-store"
    return html.document_fromstring(answer.text)


def words(found: Any) -> list[str]:
    return [" ".join(one.text_content().split()) for one in found]


async def test_notes_along_time_the_newest_first(served: Served, there: Summarised) -> None:
    tree = await opened(served, there, "/patient/one")
    days = words(tree.xpath("//article//p[@class='day']"))
    assert days == ["time unknown", "7 Jan 2026", "2 Mar 2025 10:00 UTC", "1 Mar 2025 10:00 UTC"]
    assert "4 notes · 4 summarised · 0 not readable" in words(tree.xpath("//header[@class='person']"))[0]
    links = tree.xpath("//a[@class='whole']/@href")
    assert links == [f"/note/{there.compositions[name]}" for name in reversed(NOTES)]
    turned = await opened(served, there, tree.xpath("//a[@id='turn']/@href")[0])
    assert words(turned.xpath("//article//p[@class='day']")) == days[::-1]
    assert turned.xpath("//article/@id") == ["n1", "n2", "n3", "n4"]
    assert tree.xpath("//article/@id") == ["n4", "n3", "n2", "n1"]


async def test_an_author_whom_a_note_does_not_name_is_looked_up(served: Served, there: Summarised) -> None:
    for path in ("/patient/two", f"/note/{there.compositions['other']}"):
        assert "Ada Okafor" in (await opened(served, there, path)).text_content()
    with there.altered("Practitioner/w") as person:
        there.put({**person, "name": []})
        assert "Okafor" not in (await opened(served, there, "/patient/two")).text_content()


async def test_months_have_a_dot_a_note(served: Served, there: Summarised) -> None:
    tree = await opened(served, there, "/patient/one?order=oldest")
    months = tree.xpath("//ol[@class='months']/li/a")
    assert words(month.xpath("span[1]")[0] for month in months) == ["Mar 2025", "Jan 2026", "No month stated"]
    assert [len(month.xpath(".//i")) for month in months] == [2, 1, 1]
    assert [month.get("href") for month in months] == ["#n1", "#n3", "#n4"]


async def test_what_is_copied_forward_is_told_apart_from_what_is_new(
    served: Served, there: Summarised
) -> None:
    tree = await opened(served, there, "/patient/one?order=oldest")
    first, second, later, _ = tree.xpath("//article")
    copied = first.xpath(".//li")[0]
    assert copied.xpath("string(a/bdi)") == COPIED
    assert words(copied.xpath(".//summary")) == ["also in 2 notes"]
    also = words(copied.xpath(".//ul/li"))
    assert also[0].startswith("2 Mar 2025, Progress note: Still pneumonia")
    assert also[1] == "7 Jan 2026, Progress note"
    assert first.xpath(".//*[@class='new']") == []  # nothing was said before it
    for note in (second, later):
        repeated, fresh = note.xpath(".//li[a[@class='told']]")
        assert repeated.xpath(".//summary")
        assert repeated.xpath(".//span[@class='new']") == []
        assert words(fresh.xpath(".//span[@class='new']")) == ["new"]


async def test_every_sentence_leads_to_its_mark_in_the_note(served: Served, there: Summarised) -> None:
    tree = await opened(served, there, "/patient/one")
    targets = tree.xpath("//a[@class='told']/@href | //article//details//a/@href")
    assert (
        len(targets) == 7 + 1 + 6
    )  # sentences, a line that a rule found, the other notes of three sentences
    async with served(fhir_base_url=there.base_url) as client:
        pages = {path: (await client.get(path)).text for path in {t.partition("#")[0] for t in targets}}
    for target in targets:
        path, _, anchor = target.partition("#")
        assert html.document_fromstring(pages[path]).get_element_by_id(anchor).get("class") == "mark"


async def test_dates_filter_and_the_address_keeps_them(served: Served, there: Summarised) -> None:
    tree = await opened(served, there, "/patient/one?since=2025-03-02&until=2025")
    assert words(tree.xpath("//article//p[@class='day']")) == ["time unknown", "2 Mar 2025 10:00 UTC"]
    assert "2 notes of 4, the newest first." in words(tree.xpath("//p[@class='order']"))[0]
    assert tree.xpath("//input[@name='since']/@value") == ["2025-03-02"]
    assert "new" in words(tree.xpath("//span[@class='new']"))  # known by the notes before, shown or not
    empty = await opened(served, there, "/patient/one?since=&until=")
    assert len(empty.xpath("//article")) == 4


@pytest.mark.parametrize(
    "query", ["since=soon", "since=2025-13", "until=2025-03-01T10:00:00Z", "since=2026&until=2025"]
)
async def test_dates_that_are_none_are_said_to_be(served: Served, there: Summarised, query: str) -> None:
    tree = await opened(served, there, f"/patient/one?{query}", 422)
    assert len(tree.xpath("//p[@role='alert']")) == 1
    assert tree.xpath("//article") == []


def test_the_same_day_is_no_fault() -> None:
    assert fault("2025-03-01", "2025-03-01") == ""
    assert fault("2025", "2025-03") == ""
    assert fault("", "") == ""


def test_a_name_in_capitals_is_no_other_choice() -> None:
    given = ["Plan", "PLAN", "Plan", "Allergies", "plan"]
    assert choices(iter(given)) == (("Allergies", 1), ("Plan", 4))


async def test_the_last_days_are_a_choice(served: Served, there: Summarised) -> None:
    tree = await opened(served, there, "/patient/one")
    spans = tree.xpath("//ul[@class='spans']//a")
    week = (datetime.now(UTC).date() - timedelta(days=7)).isoformat()
    assert [words([a]) for a in spans][-3:] == [["Last 7 days"], ["Last 30 days"], ["All"]]
    assert spans[-3].get("href") == f"/patient/one?since={week}"


async def test_a_stay_has_an_address_of_its_own(served: Served, there: Summarised) -> None:
    tree = await opened(served, there, "/patient/Encounter/stay")
    assert len(tree.xpath("//article")) == 4
    assert all(a.startswith("/patient/Encounter/stay") for a in tree.xpath("//ul[@class='spans']//@href"))


async def test_since_the_last_visit(served: Served, there: Summarised) -> None:
    with there.altered("Encounter/stay") as stay:
        there.put(
            {**stay, "subject": {"reference": "Patient/one"}, "period": {"start": "2025-03-02T07:00:00Z"}}
        )
        there.put({**stay, "id": "booked", "status": "planned", "period": {"start": "2025-06-01"}})
        tree = await opened(served, there, "/patient/one")
        (visit,) = (a for a in tree.xpath("//ul[@class='spans']//a") if "visit" in a.text_content())
        assert "2 Mar 2025" in visit.text_content()
        since = await opened(served, there, visit.get("href"))
        there.delete("Encounter/booked")
    assert len(since.xpath("//article")) == 3
    assert words(since.xpath("//ul[@class='spans']//a[@aria-current]")) == words([visit])


async def test_the_rest_is_a_page_away(served: Served, there: Summarised, monkeypatch: Any) -> None:
    monkeypatch.setattr("jobs.web.views.patient_page.ON_A_PAGE", 3)
    first = await opened(served, there, "/patient/one")
    assert first.xpath("//article/@id") == ["n4", "n3", "n2"]
    (more,) = first.xpath("//a[@class='more']/@href")
    rest = await opened(served, there, more)
    assert rest.xpath("//article/@id") == ["n1"]
    assert rest.xpath("//a[@class='more']") == []
    whole = await opened(served, there, first.xpath("//a[@class='all']/@href")[0])
    assert len(whole.xpath("//article")) == 4


async def test_what_does_not_hold_is_said_first_and_not_shown(served: Served, there: Summarised) -> None:
    with there.altered(f"Composition/{there.compositions['first']}") as composition:
        div = composition["section"][0]["text"]["div"]
        composition["section"][0]["text"]["div"] = div.replace("two liters", "ten liters")
        there.put(composition)
        tree = await opened(served, there, "/patient/one")
    (wrong,) = tree.xpath("//section[@class='wrongs']")
    assert "One summary does not hold" in words([wrong])[0]
    assert "What it shows does not stand in its note word for word. Look at it" in words([wrong])[0]
    assert wrong.xpath(".//a/@href") == [f"/note/{there.compositions['first']}"]
    assert "liters" not in " ".join(words(tree.xpath("//article")))


async def test_hostile_titles_are_words(served: Served, there: Summarised) -> None:
    tree = await opened(served, there, "/patient/two")
    assert "{{ 7 * 7 }}" in tree.text_content()
    scripts = tree.xpath("//script")
    ours = ("/static/patient.js", "/static/person.js", "/static/printed.js")
    assert all(script.get("src").startswith(ours) for script in scripts)
    assert tree.xpath("//main//img | //@onerror | //@style") == []


async def test_nobody_of_that_name(served: Served, there: Summarised) -> None:
    tree = await opened(served, there, "/patient/nobody", 404)
    assert "no such patient" in tree.text_content()
    await opened(served, there, "/patient/a_b", 422)


async def test_found_by_name_number_or_id_without_a_name_in_an_address(
    served: Served, there: Summarised, capsys: pytest.CaptureFixture[str]
) -> None:
    async def asked(client: httpx.AsyncClient, who: str) -> httpx.Response:
        return await client.post("/patient", data={"who": who})

    name = [{"use": "official", "family": "Zanzibarowitz", "given": ["Ann", "Ruth"]}]
    number = {"type": {"coding": [{"code": "MR"}]}, "value": "MRN-77"}
    with there.altered("Patient/one") as one, there.altered("Patient/two") as two:
        there.put({**one, "name": name, "identifier": [number], "birthDate": "1950-01-02"})
        there.put({**two, "name": [{**name[0], "given": ["Otto"]}]})
        async with served(fhir_base_url=there.base_url) as client:
            for who in ("zanzibarowitz ann", "MRN-77", "one", " Patient/one "):
                answer = await asked(client, who)
                assert (answer.status_code, answer.headers["location"]) == (303, "/patient/one"), who
            both = await asked(client, "Zanzibarowitz")
            none = await asked(client, "Nobody-at-all")
            page = html.document_fromstring((await client.get("/patient/one")).text)
    hits = html.document_fromstring(both.text).xpath("//ul[@class='hits']/li")
    assert words(hits) == [
        "Ann Ruth Zanzibarowitz born 1950-01-02, MRN-77",
        "Otto Zanzibarowitz no birth date",
    ]
    assert "No patient has that name" in none.text
    banner = words(page.xpath("//header[@class='person']"))[0]
    assert banner.startswith("Ann Ruth Zanzibarowitz born 1950-01-02 MRN-77 4 notes")
    assert "Zanzibarowitz" not in page.xpath("string(//title)")
    said = capsys.readouterr()
    assert "Zanzibarowitz" not in said.out + said.err


async def test_home_is_where_the_patients_are_once_a_server_is_named(
    served: Served, there: Summarised, make_settings: Any
) -> None:
    home = await opened(served, there, "/")
    assert home.xpath("//form[@action='/patient'][@method='post']//input[@name='who']")
    assert words(home.xpath("//nav//a[@aria-current='page']")) == ["Patients"]
    assert home.xpath("//nav//a[@href='/summarise']")
    assert make_settings().server_named
    assert not type(make_settings())(engine="lead").server_named


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/timeline", "/patient"),
        ("/timeline?subject=one", "/patient/one"),
        ("/timeline?subject=Patient/one", "/patient/one"),
        ("/timeline?subject=%20Encounter/stay%20", "/patient/Encounter/stay"),
        ("/timeline/one", "/patient/one"),
        ("/timeline/one?since=2025-03-02&until=2025", "/patient/one?since=2025-03-02&until=2025"),
        ("/timeline/Encounter/stay?since=2025", "/patient/Encounter/stay?since=2025"),
        ("/timeline?subject=", ""),
        ("/timeline?subject=Group/1", ""),
        ("/timeline?subject=//evil.example", ""),
        ("/timeline?subject=Patient/a_b", ""),
    ],
)
async def test_old_addresses_lead_there(served: Served, there: Summarised, old: str, new: str) -> None:
    async with served(fhir_base_url=there.base_url) as client:
        answer = await client.get(old)
    assert answer.headers.get("location", "") == new
    assert answer.status_code in ((303, 308) if new else (422,))


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (LeftOut(), ""),
        (LeftOut((), 1), "Not shown: 1 more sentence."),
        (
            LeftOut((LeftOutSection("ALLERGIES:", 1), LeftOutSection("Medications", 9)), 31),
            "Not shown: allergies, medications, 31 more sentences.",
        ),
        (
            LeftOut((LeftOutSection("HPI", 2), LeftOutSection("ECG Findings", 2))),
            "Not shown: HPI, ECG Findings.",
        ),
        (
            LeftOut(tuple(LeftOutSection(name, 1) for name in "ABCDEFG")),
            "Not shown: A, B, C, D, 3 more sections.",
        ),
    ],
)
def test_what_is_not_shown(left: LeftOut, said: str) -> None:
    assert not_shown(left) == said


def test_of_all_that_is_not_shown_what_has_no_heading_of_its_own_is_counted() -> None:
    left = LeftOut((LeftOutSection("ALLERGIES:", 1), LeftOutSection("Medications", 9)), 2)
    assert not_shown(left, 396) == "Not shown: allergies, medications, 386 more sentences."
    assert not_shown(left, 9, {"allergies"}) == "Not shown: medications."  # a rule found a line of it
    assert not_shown(LeftOut((), 2), 0) == ""


def test_what_the_sentence_above_has_said_is_told_apart() -> None:
    heading, column = Context(0, 4, "heading", "PLAN"), Context(5, 17, "column", "Lipids high.")
    ends = ((5, 17), (18, 32), (33, 43), (60, 70))
    places = [
        Place("", "", "", "", "", start, end, "", context=(heading, column) if start > 5 else (heading,))
        for start, end in ends
    ]
    assert [(before, again) for _, before, again in told_once(places)] == [
        ([], []),
        ([], [column]),  # it is itself the sentence above
        ([], [column]),
        ([], [column]),
    ]
    assert [(before, again) for _, before, again in told_once(places[2:3])] == [([column], [])]


def test_what_leads_in_stands_over_its_sentences_or_with_each() -> None:
    heading = Context(0, 9, "heading", "Medicines")
    short, long = Context(10, 21, "lead-in", "STOP taking"), Context(10, 110, "lead-in", "x" * 100)
    assert heading_of((heading, short), leads=True) == "Medicines › STOP taking"
    assert heading_of((heading, short)) == heading_of((heading, long), leads=True) == "Medicines"
    places = [Place("", "", "", "", "", at, at + 9, "", context=(heading, long)) for at in (120, 130)]
    assert [(before, again) for _, before, again in told_once(places)] == [([long], [])] * 2
    under = [replace(place, context=(heading, short)) for place in places]
    assert [(before, again) for _, before, again in told_once(under)] == [([], [])] * 2


async def test_what_a_note_does_not_show_stands_at_its_foot(served: Served, there: Summarised) -> None:
    """The summary itself states only what scored high enough: of these notes nothing."""
    shorter = there.settings.model_copy(update={"budget": "1", "pipeline": "short"})
    with open_ledger(shorter) as ledger:
        await one_pass(shorter, ledger, None, lambda _: None)
    async with served(fhir_base_url=there.base_url, pipeline="short") as client:
        page = await client.get("/patient/one", headers={"accept": "text/html"})
    feet = words(html.document_fromstring(page.text).xpath("//article//p[@class='foot']"))
    assert sorted(feet) == ["Not shown: 1 more sentence. Whole note"] * 3 + ["Whole note"]


@pytest.mark.parametrize(
    ("time", "said"),
    [
        ("2025-09-03T08:41:00-04:00", ("3 Sep 2025", "08:41 -04:00")),
        ("2025-09-03", ("3 Sep 2025", "")),
        ("2025-09", ("Sep 2025", "")),
        ("2025", ("2025", "")),
        ("", ("time unknown", "")),
    ],
)
def test_a_time_as_people_write_it(time: str, said: tuple[str, str]) -> None:
    assert day_and_clock(time) == said


@pytest.mark.parametrize(
    ("element", "said"),
    [
        ("DiagnosticReport.effectiveDateTime", "study"),
        ("DiagnosticReport.effectivePeriod.start", "study"),
        ("DiagnosticReport.presentedForm[0].creation", "written"),
        ("DiagnosticReport.issued", "released"),
        ("DocumentReference.content[0].attachment.creation", "written"),
        ("DocumentReference.date", "written"),
        ("DocumentReference.context.period.start", "start of the visit"),
        ("DocumentReference.period.end", "end of the visit"),
        ("", ""),
    ],
)
def test_what_a_time_means(element: str, said: str) -> None:
    assert kind_of_time(element) == said
