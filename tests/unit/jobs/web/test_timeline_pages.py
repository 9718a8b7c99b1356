"""`/timeline` over a real server, after a real pass."""

from typing import Any

import httpx
import pytest
from lxml import html

from jobs.web.routes.timelines import fault
from jobs.web.views.timeline_page import kind_of_time
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


async def test_sentences_along_time_by_note(served: Served, there: Summarised) -> None:
    tree = await opened(served, there, "/timeline/one")
    assert words(tree.xpath("//section[@class='year']/h2")) == ["2025", "2026", "Time unknown"]
    assert words(tree.xpath("//p[@class='when']")) == [
        "2025-03-01 10:00 UTC written",
        "2025-03-02 10:00 UTC written",
        "2026-01-07 written",
        "time unknown",
    ]
    assert "4 notes, 5 sentences in 7 places" in words(tree.xpath("//p[@class='sum']"))[0]
    links = tree.xpath("//p[@class='from']/a[1]/@href")
    assert links == [f"/audit/{there.compositions[name]}" for name in NOTES]


async def test_a_repeat_is_shown_once_with_all_its_places(served: Served, there: Summarised) -> None:
    tree = await opened(served, there, "/timeline/one")
    first, *others = tree.xpath("//ul[@class='told']/li")
    assert first.xpath("string(bdi)") == COPIED
    assert all(COPIED not in told.xpath("string(bdi)") for told in others)
    also = words(first.xpath(".//ul[@class='also']/li"))
    assert also[0].startswith("2025-03-02 10:00 UTC Progress note 0–")
    assert "as: Still pneumonia" in also[0]
    assert also[1].startswith("2026-01-07 Progress note 0–")
    assert "as:" not in also[1]
    assert words(tree.xpath("//p[@class='repeated']")) == ["and 1 sentence shown with an earlier note"] * 2


async def test_every_place_leads_to_its_mark_in_the_audit(served: Served, there: Summarised) -> None:
    tree = await opened(served, there, "/timeline/one")
    targets = tree.xpath("//a[@class='offsets']/@href")
    assert len(targets) == 8  # one of a line that a rule found
    async with served(fhir_base_url=there.base_url) as client:
        for target in targets:
            path, _, anchor = target.partition("#")
            page = html.document_fromstring((await client.get(path)).text)
            assert page.get_element_by_id(anchor).get("class") == "mark"


async def test_dates_filter_and_what_is_outside_is_counted(served: Served, there: Summarised) -> None:
    tree = await opened(served, there, "/timeline/one?since=2025-03-02&until=2025")
    assert words(tree.xpath("//p[@class='when']/span[1]")) == ["2025-03-02 10:00 UTC", "time unknown"]
    assert "2 summaries: Outside the dates asked for." in words(tree.xpath("//ul[@class='missing']"))[0]
    assert tree.xpath("//input[@name='since']/@value") == ["2025-03-02"]
    empty = await opened(served, there, "/timeline/one?since=&until=")
    assert len(empty.xpath("//li[starts-with(@class, 'note')]")) == 4


@pytest.mark.parametrize(
    "query", ["since=soon", "since=2025-13", "until=2025-03-01T10:00:00Z", "since=2026&until=2025"]
)
async def test_dates_that_are_none_are_said_to_be(served: Served, there: Summarised, query: str) -> None:
    tree = await opened(served, there, f"/timeline/one?{query}", 422)
    assert len(tree.xpath("//p[@role='alert']")) == 1
    assert tree.xpath("//section[@class='year']") == []


def test_the_same_day_is_no_fault() -> None:
    assert fault("2025-03-01", "2025-03-01") == ""
    assert fault("2025", "2025-03") == ""
    assert fault("", "") == ""


async def test_an_encounters_timeline(served: Served, there: Summarised) -> None:
    tree = await opened(served, there, "/timeline/Encounter/stay")
    assert len(tree.xpath("//li[starts-with(@class, 'note')]")) == 4
    assert tree.xpath("//form/@action") == ["/timeline/Encounter/stay"]


async def test_what_does_not_hold_is_said_first_and_not_shown(served: Served, there: Summarised) -> None:
    with there.altered(f"Composition/{there.compositions['first']}") as composition:
        div = composition["section"][0]["text"]["div"]
        composition["section"][0]["text"]["div"] = div.replace("two liters", "ten liters")
        there.put(composition)
        tree = await opened(served, there, "/timeline/one")
    (wrong,) = tree.xpath("//section[@class='wrongs']")
    assert "One summary does not hold" in words([wrong])[0]
    assert wrong.xpath(".//a/@href") == [f"/audit/{there.compositions['first']}"]
    assert "liters" not in tree.xpath("string(//section[@class='year'])")


async def test_hostile_titles_are_words(served: Served, there: Summarised) -> None:
    tree = await opened(served, there, "/timeline/two")
    assert "{{ 7 * 7 }}" in tree.text_content()
    assert (
        tree.xpath("//script[not(starts-with(@src, '/static/printed.js'))] | //img | //@onerror | //@style")
        == []
    )


async def test_the_way_there(served: Served, there: Summarised) -> None:
    async def asked(subject: str) -> httpx.Response:
        async with served(fhir_base_url=there.base_url) as client:
            return await client.get("/timeline", params={"subject": subject})

    for subject, leads in {
        "one": "/timeline/one",
        "Patient/one": "/timeline/one",
        " Encounter/stay ": "/timeline/Encounter/stay",
    }.items():
        answer = await asked(subject)
        assert (answer.status_code, answer.headers["location"]) == (303, leads)
    for subject in ("", "Group/1", "//evil.example", "Patient/a_b"):
        answer = await asked(subject)
        assert answer.status_code == 422
        assert "location" not in answer.headers
    assert (await opened(served, there, "/timeline")).xpath("//input[@name='subject']")


async def test_nobody_of_that_name(served: Served, there: Summarised) -> None:
    tree = await opened(served, there, "/timeline/nobody", 404)
    assert "no such patient" in tree.text_content()
    await opened(served, there, "/timeline/a_b", 422)


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
