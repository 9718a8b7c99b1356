"""`/audit` and `/note/{id}` over a real server, after a real pass: clean, tampered with, gone, hostile."""

import json
import re
from typing import Any

import httpx
import pytest
from lxml import html

from fhir_adapter import canonical
from jobs.logs import configure_logging
from tests.unit.jobs.web.summarised import COPIED, HOSTILE, NOTES, Summarised, note
from tests.unit.jobs.web.web_parts import Served


def parsed(answer: httpx.Response) -> Any:
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-store"
    return html.document_fromstring(answer.text)


def text(found: Any) -> str:
    return " ".join(" ".join(found.text_content().split()) for found in found)


async def opened(served: Served, there: Summarised, composition: str) -> Any:
    async with served(fhir_base_url=there.base_url) as client:
        answer = await client.get(f"/note/{composition}")
    assert answer.status_code == 200
    return parsed(answer)


def states(tree: Any) -> dict[str, str]:
    """Each check and how it came out."""
    items = tree.xpath("//ul[@class='checks']/li")
    return {li.xpath("string(.//h3/text())").strip(): li.get("class") for li in items}


async def test_a_clean_summary_convinces(served: Served, there: Summarised) -> None:
    tree = await opened(served, there, there.compositions["first"])
    assert text(tree.xpath("//section[contains(@class, 'verdict')]//h2")) == "This summary holds"
    assert set(states(tree).values()) == {"holds"}
    assert len(states(tree)) == 7
    shown = ["".join(p.itertext()) for p in tree.xpath("//ol[@class='rows']//p[@class='words']")]
    assert shown == list(NOTES["first"][1])
    assert tree.xpath("//div[@class='note']")[0].text_content() == "\n".join(NOTES["first"][1])
    facts = text(tree.xpath("//div[@class='facts']"))
    for fact in ("lead", "text-extraction/plain", "AIAST", "nobody", "preliminary", "Provenance/", "in use"):
        assert fact in facts
    assert tree.xpath(f"//a[@href='/v1/compositions/{there.compositions['first']}/audit']")
    assert tree.xpath("//a[@href='/patient/one']")
    version = f"{there.base_url}/DocumentReference/first/_history/1"
    assert tree.xpath(f"//a[@href='{version}']")


async def test_each_sentence_and_its_place_lead_to_each_other(served: Served, there: Summarised) -> None:
    tree = await opened(served, there, there.compositions["first"])
    marks = tree.xpath("//div[@class='note']//a[contains(@class, 'mark')]")
    assert [mark.text_content() for mark in marks] == list(NOTES["first"][1])
    for mark in marks:
        row = tree.get_element_by_id(mark.get("href").removeprefix("#"))
        (place,) = row.xpath(".//p[@class='words']/a")
        assert place.get("href") == f"#{mark.get('id')}"
        assert row.xpath("string(.//p[@class='words'])") == mark.text_content()


async def test_a_summary_that_was_tampered_with_is_unmistakable(served: Served, there: Summarised) -> None:
    with there.altered(f"Composition/{there.compositions['first']}") as composition:
        div = composition["section"][0]["text"]["div"]
        composition["section"][0]["text"]["div"] = div.replace("two liters", "ten liters").replace(
            "</ol>", '<li><span id="s7">Stop all tablets.</span></li></ol>'
        )
        there.put(composition)
        tree = await opened(served, there, composition["id"])
    assert text(tree.xpath("//section[@class='verdict fails']//h2")) == "This summary does not hold"
    assert states(tree)["The sentences"] == "fails"
    findings = text(tree.xpath("//p[@class='finding']"))
    assert "sentence-altered Sentence 2" in findings
    assert "sentence-added Sentence 3" in findings
    wrong = tree.xpath("//ol[@class='rows']/li[@class='fails']")
    assert [li.get("id") for li in wrong] == ["s2", "s3"]
    assert text(wrong[0].xpath(".//p[@class='words']//mark")) == "ten"  # whole words; letters in the annex
    assert tree.xpath("//nav[@class='lengths'] | //p[@class='not-shown']") == []
    assert "summary says ten liters, note says two liters" in text(wrong[0:1])
    assert "no place in the note vouches for it" in text(wrong[1:])
    (strip,) = tree.xpath("//section[@class='strip fails']")
    assert "summary says ten liters, note says two liters" in text([strip])
    assert strip.xpath(".//ul[@class='altered']//a/@href") == ["#s2"]
    assert tree.xpath("//div[@class='note']//a[contains(@class, 'fails')]/@data-row") == ["2"]


async def test_a_note_that_is_gone_leaves_the_claims(served: Served, there: Summarised) -> None:
    first = there.compositions["first"]
    found = there.get(f"Provenance?target=Composition/{first}")["entry"][0]["resource"]
    for resource in (there.get(f"Composition/{first}"), found):
        words = json.dumps(resource).replace("DocumentReference/first", "DocumentReference/never")
        there.put({**json.loads(words.replace(f"Composition/{first}", "Composition/gone")), "id": "gone"})
    tree = await opened(served, there, "gone")
    there.delete("Provenance/gone")
    there.delete("Composition/gone")
    assert text(tree.xpath("//section[@class='verdict unknown']//h2")) == "This summary cannot be proven"
    assert states(tree) == {
        "The note": "fails",
        "Its text": "unknown",
        "The sentences": "unknown",
        "Filing": "unknown",
        "Labels": "unknown",
        "The maker": "holds",
        "Provenance": "holds",
    }
    assert "not on the server any more" in text(tree.xpath("//p[@class='unproven']"))
    assert text(tree.xpath("//p[@class='words']")).startswith(COPIED)
    assert text(tree.xpath("//section[@class='strip unknown']/h2")) == "Could not be checked"
    assert tree.xpath("//ol[@class='rows']/li/@class") == ["unknown", "unknown"]


async def test_a_note_that_has_changed_is_still_shown_as_it_was(served: Served, there: Summarised) -> None:
    there.put({**there.get("DocumentReference/other"), "description": "changed"})
    tree = await opened(served, there, there.compositions["other"])
    assert states(tree)["The note"] == "over"
    assert states(tree)["The sentences"] == "holds"
    assert text(tree.xpath("//section[@class='verdict over']//h2")) == "This summary is out of date"
    assert "now version 2" in text(tree.xpath("//p[@class='finding']"))
    assert text(tree.xpath("//section[@class='strip over']/h2")) == "The note has moved on"
    assert tree.xpath("//details[@class='news']") == []  # another description is no other text
    assert tree.xpath("//div[@class='note']")


async def test_life_cycle_labels_and_attesters_are_said(served: Served, there: Summarised) -> None:
    with there.altered(f"Composition/{there.compositions['later']}") as composition:
        system, code = canonical.REVIEW_TAG
        composition["meta"]["tag"].append({"system": system, "code": code})
        composition["attester"] = [
            {"mode": "legal", "time": "2026-02-03T10:00:00Z", "party": {"reference": "Practitioner/7"}}
        ]
        there.put(composition)
        review = await opened(served, there, composition["id"])
        composition["extension"].append({"url": canonical.ENDED_BECAUSE, "valueCode": "superseded"})
        there.put(composition)
        ended = await opened(served, there, composition["id"])
    assert "Waits for review" in text(review.xpath("//p[@class='notice']"))
    assert "Practitioner/7 (legal), 2026-02-03 10:00 UTC" in text(review.xpath("//dl"))
    assert "attested by Practitioner/7, 3 Feb 2026" in text(
        review.xpath("//section[contains(@class, 'strip')]")
    )
    assert "not reviewed" not in text(review.xpath("//section[contains(@class, 'strip')]"))
    headed = text(ended.xpath("//section[@class='verdict over']"))
    assert headed.startswith("This summary is superseded")
    assert "Another document replaces this one." in headed


async def test_a_withdrawn_summary_is_headed_by_that(served: Served, there: Summarised) -> None:
    with there.altered(f"Composition/{there.compositions['first']}") as composition:
        mark = {"url": canonical.ENDED_BECAUSE, "valueCode": "source-withdrawn"}
        there.put(
            {**composition, "status": "entered-in-error", "extension": [*composition["extension"], mark]}
        )
        tree = await opened(served, there, composition["id"])
    headed = text(tree.xpath("//section[@class='verdict over']"))
    assert headed.startswith("This summary was withdrawn")
    assert "What came from this note was withdrawn." in headed
    assert "This summary holds" not in tree.text_content()
    assert text(tree.xpath("//section[@class='strip gone']/h2")) == "Withdrawn"
    assert "What came from this note was withdrawn." in text(tree.xpath("//section[@class='strip gone']/p"))


async def test_shorter_and_longer_are_picked_in_the_services_queue(served: Served, there: Summarised) -> None:
    first = there.compositions["first"]
    async with served(fhir_base_url=there.base_url) as client:
        kept = parsed(await client.get(f"/note/{first}"))
        shorter = parsed(await client.get(f"/note/{first}?length=shorter"))
        wrong = await client.get(f"/note/{first}?length=huge")
    lengths = kept.xpath("//nav[@class='lengths']/a")
    assert [text([a]) for a in lengths] == ["Shorter 1 sentence", "Suggested 2 sentences"]  # the note has two
    assert [a.get("href") for a in lengths] == [f"/note/{first}?length=shorter", f"/note/{first}"]
    assert len(kept.xpath("//ol[@class='rows']/li")) == 2
    (row,) = shorter.xpath("//ol[@class='rows']/li")
    assert text(shorter.xpath("//p[@class='not-shown']")).startswith("1 of 2 sentences.")
    (mark,) = shorter.xpath("//div[@class='note']//a[@data-row]")
    assert text([mark]) == text(row.xpath(".//p[@class='words']")) == NOTES["first"][1][0]
    assert "picked just now by" in text(shorter.xpath("//p[@class='instant']"))
    assert len(shorter.xpath("//ol[contains(@class, 'proofs')]/li")) == 2  # the audit is of what is kept
    assert wrong.status_code == 422


async def test_whose_note_it_is_stands_above_it(served: Served, there: Summarised) -> None:
    with there.altered("Patient/one") as one:
        there.put({**one, "name": [{"family": "Calloway", "given": ["Ines"]}], "birthDate": "1970-11-19"})
        tree = await opened(served, there, there.compositions["first"])
    line = text(tree.xpath("//header[@class='person']"))
    for words in ("Ines Calloway", "born 1970-11-19", "Progress note, 1 Mar 2025 10:00 UTC"):
        assert words in line
    assert tree.xpath("//header[@class='person']//a/@href") == 2 * ["/patient/one"]


async def test_old_addresses_of_audits_lead_to_the_note(served: Served, there: Summarised) -> None:
    async with served(fhir_base_url=there.base_url) as client:
        answer = await client.get(f"/audit/{there.compositions['first']}")
    assert (answer.status_code, answer.headers["location"]) == (308, f"/note/{there.compositions['first']}")


async def test_a_device_is_read_anew_each_time(served: Served, there: Summarised) -> None:
    device = there.get(f"Composition/{there.compositions['first']}")["author"][0]["reference"]
    path = f"/note/{there.compositions['first']}"
    async with served(fhir_base_url=there.base_url) as client:
        before = parsed(await client.get(path))
        with there.altered(device) as recalled:
            mark = {"url": canonical.RECALL, "valueCode": "model"}
            there.put({**recalled, "status": "inactive", "extension": [*recalled["extension"], mark]})
            after = parsed(await client.get(path))
    assert before.xpath("//section[@class='verdict holds']")
    assert "recalled" in text(after.xpath("//section[@class='verdict over']//h2"))


async def test_hostile_fields_are_words_and_lead_nowhere(served: Served, there: Summarised) -> None:
    composition = there.get(f"Composition/{there.compositions['first']}")
    composition |= {"id": "hostile", "title": HOSTILE + " half a character: \ud800"}
    composition["subject"] = {"reference": "javascript:alert(1)"}
    composition["meta"]["security"] = [{"system": "x", "code": HOSTILE, "display": HOSTILE}]
    composition["attester"] = [{"mode": HOSTILE, "party": {"display": HOSTILE}}]
    composition["section"][0]["entry"] = [{"reference": "javascript:alert(1)//"}]
    composition["author"] = [{"reference": "javascript:alert(1)"}]
    composition["section"][0]["extension"][0]["extension"][0]["valueReference"] = {"reference": "../x?y#z"}
    there.put(composition)
    async with served(fhir_base_url=there.base_url) as client:
        page, listed = await client.get("/note/hostile"), await client.get("/audit")
    there.delete("Composition/hostile")
    for answer in (page, listed):
        assert answer.status_code == 200
        tree = parsed(answer)
        assert all(
            s.startswith(("/static/audit.js", "/static/person.js", "/static/printed.js"))
            for s in tree.xpath("//script/@src")
        )
        assert [s for s in tree.xpath("//script") if not s.get("src")] == []
        assert tree.xpath("//main//img | //iframe | //@onerror | //@onload | //@style") == []
        assert "{{ 7 * 7 }}" in tree.text_content()
        for target in tree.xpath("//@href | //@action"):
            assert target.startswith(("/", "#", f"{there.base_url}/")), target
            assert "javascript" not in target


async def test_a_timeline_is_proven_place_by_place(served: Served, there: Summarised) -> None:
    tree = await opened(served, there, there.timeline)
    assert text(tree.xpath("//section[@class='verdict holds']//h2")) == "This timeline holds"
    rows = tree.xpath("//ol[@class='rows']/li")
    places = rows[0].xpath(".//p[contains(@class, 'place')]")
    assert len(places) == 3
    assert "DocumentReference/first version 1" in text(places[:1])
    assert "Progress note, 2026-01-07" in text(places[2:])
    assert "Still pneumonia" in text(rows[0].xpath(".//p[@class='instead']"))
    assert tree.xpath("//div[@class='note']") == []
    for name in NOTES:
        assert tree.xpath(f"//dl//a[@href='{there.base_url}/DocumentReference/{name}/_history/1']")


async def test_what_is_not_there_and_who_may_not_see_it(served: Served, there: Summarised) -> None:
    accept = {"accept": "text/html"}
    async with served(fhir_base_url=there.base_url) as client:
        absent = await client.get("/note/nothing", headers=accept)
        odd = await client.get("/note/a_b", headers=accept)
    async with served(fhir_base_url=there.base_url, service_token="t" * 32) as client:
        asked = [await client.get(path, headers=accept) for path in ("/audit", "/note/x")]
        program = await client.get("/note/x")
    assert (absent.status_code, odd.status_code) == (404, 422)
    assert "no such Composition" in absent.text
    assert [answer.status_code for answer in asked] == [303, 303]
    assert program.status_code == 401


async def test_a_server_that_does_not_answer(served: Served) -> None:
    async with served(timeout=1) as client:
        for path in ("/audit", "/note/x"):
            answer = await client.get(path, headers={"accept": "text/html"})
            assert answer.status_code == 502
            assert "127.0.0.1" not in answer.text
            page = parsed(answer)
            assert text(page.xpath("//a[@class='again']")) == "Try again"
            assert text(page.xpath("//p[@class='faint']/code")) == answer.headers["x-request-id"]


async def test_the_list_leads_to_every_summary(served: Served, there: Summarised, monkeypatch: Any) -> None:
    monkeypatch.setattr("jobs.web.routes.audits._ON_A_PAGE", 3)
    found: list[str] = []
    path = "/audit"
    async with served(fhir_base_url=there.base_url) as client:
        while path:
            tree = parsed(await client.get(path))
            found += tree.xpath("//table//th/a/@href")
            path = next(iter(tree.xpath("//a[@rel='next']/@href")), "")
        timelines = parsed(await client.get("/audit?kind=timelines"))
    assert sorted(found) == sorted(f"/note/{one}" for one in there.compositions.values())
    assert timelines.xpath("//table//th/a/@href") == [f"/note/{there.timeline}"]
    assert "Patient/one" in text(timelines.xpath("//table"))


@pytest.mark.parametrize(
    ("asked", "leads"),
    [
        ("abc-1", "/note/abc-1"),
        (" Composition/abc-1 ", "/note/abc-1"),
        ("https://fhir.example.org/r4/Composition/abc-1", "/note/abc-1"),
        ("Composition/abc-1/_history/3", "/note/abc-1"),
        ("//evil.example/x", ""),
        ("Composition/", ""),
        ("", ""),
        ("<b>", ""),
    ],
)
async def test_the_way_to_one(served: Served, there: Summarised, asked: str, leads: str) -> None:
    async with served(fhir_base_url=there.base_url) as client:
        answer = await client.get("/audit", params={"composition": asked})
    assert (answer.status_code, answer.headers.get("location", "")) == ((303, leads) if leads else (422, ""))
    if not leads:
        assert parsed(answer).xpath("//p[@role='alert']")


async def test_log_and_metrics_hold_nothing_of_what_was_shown(
    served: Served, there: Summarised, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging("json", "debug")
    composition = there.compositions["first"]
    async with served(fhir_base_url=there.base_url) as client:
        for path in (
            "/audit",
            f"/note/{composition}",
            "/patient/one?since=2025-03-01",
            "/timeline?subject=a_b",
        ):
            assert (await client.get(path)).status_code in (200, 422)
        metrics = (await client.get("/metrics")).text
    captured = capsys.readouterr()
    said = captured.out + captured.err
    assert '"route": "/note/{id}"' in said
    assert '"route": "/patient/{id}"' in said
    for word in ("Pneumonia", "oxygen", "Progress note", composition, "2025-03-01", "a_b"):
        assert word not in said + metrics


async def test_the_demo_has_none_of_it(served: Served) -> None:
    from jobs.web.service import Options

    async with served(Options(demo=True)) as client:
        answers = [
            await client.get(path)
            for path in ("/audit", "/audit/x", "/note/x", "/timeline", "/patient", "/patient/x")
        ]
        page = await client.get("/docs")
    assert [answer.status_code for answer in answers] == [404] * 6
    assert not re.search(r'href="/(audit|patient)"', page.text)


async def test_what_is_new_in_a_note_that_moved_on_is_said(served: Served, there: Summarised) -> None:
    with there.altered("DocumentReference/second") as second:
        sentences = (*NOTES["second"][1], "Metoprolol was stopped for a pulse of 44.")
        there.put(note("second", NOTES["second"][0], sentences))
        tree = await opened(served, there, there.compositions["second"])
        assert text(tree.xpath("//details[@class='news']//li")) == sentences[-1]
        assert sentences[-1] not in text(tree.xpath("//div[@class='note']"))
        assert second["id"] == "second"
        there.put(note("second", NOTES["second"][0], (NOTES["second"][1][0], sentences[-1])))
        tree = await opened(served, there, there.compositions["second"])
        lists = [text([one]) for one in tree.xpath("//details[@class='news']")]
        assert lists == [
            f"New in the note since{sentences[-1]}",
            f"No longer in the note{NOTES['second'][1][1]}",
        ]
        there.put({**second, "description": "Filed again."})
        tree = await opened(served, there, there.compositions["second"])
        assert "Its sentences are the same." in text(tree.xpath("//section[@class='strip over']"))
        assert tree.xpath("//details[@class='news']") == []
