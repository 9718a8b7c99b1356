"""Whatever is altered in a kept timeline is found, by the audit and by the independent checker.

And how a timeline is kept where the server gives out the ids.
"""

import asyncio
import copy
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fhir_adapter.audit.findings import Finding
from fhir_adapter.timeline.writer import WriteStatus
from jobs.audits.walk import Asked, audits
from tests.contract.contract_fhir import Fhir, new_id
from tests.contract.passes import Site, encoded, reference
from tests.contract.test_tampering import stored
from tests.contract.timelines import (
    COPIED,
    Chart,
    a_chart,
    checked,
    codes,
    html,
    kept_as_stored,
    part,
    spans,
    text_of,
)

Resource = dict[str, Any]
FIRST, SECOND, THIRD = "2025-03-01", "2025-03-02", "2025-03-03"


@pytest.fixture
def chart(fhir: Fhir, tmp_path: Path) -> Chart:
    return a_chart(Site(fhir, tmp_path / "ledger.sqlite"))


def kept(chart: Chart) -> Resource:
    """A timeline of three notes, one of them HTML, the first sentence copied through all."""
    chart.add(COPIED, "Needs two liters of oxygen.", date=FIRST)
    chart.add(f"Still {COPIED}", "Slept well, walks with help.", date=SECOND)
    chart.add("", date=THIRD, **html(f"{COPIED} Home tomorrow with her son."))
    return kept_as_stored(chart)


def sentence_altered(resource: Resource) -> None:
    text_of(resource, 1, "walks with help", "walks without help")


def shared_sentence_altered(resource: Resource) -> None:
    text_of(resource, 0, "ceftriaxone", "ceftriaxon\u0435")


def sentence_added(resource: Resource) -> None:
    text_of(resource, 0, "</ol>", '<li><span id="s9">Also has diabetes.</span></li></ol>')


def sentence_removed(resource: Resource) -> None:
    text_of(resource, 1, '<li><span id="s3">Slept well, walks with help.</span></li>', "")


def markup_added(resource: Resource) -> None:
    text_of(resource, 0, "two liters", "<del>two</del> liters")


def offset_moved(resource: Resource) -> None:
    part(spans(resource, 0)[0], "offset")["valueInteger"] += 1


def repeat_moved(resource: Resource) -> None:
    part(spans(resource, 0)[1], "length")["valueInteger"] += 20


def repeat_into_another_sentence(resource: Resource) -> None:
    moved, target = spans(resource, 0)[1], spans(resource, 1)[0]
    for name in ("offset", "length"):
        part(moved, name)["valueInteger"] = part(target, name)["valueInteger"]


def words_of_a_repeat(resource: Resource) -> None:
    part(spans(resource, 0)[1], "extract-text")["valueString"] = COPIED.replace("left", "right")


def words_of_the_first(resource: Resource) -> None:
    words = {"url": part(spans(resource, 0)[1], "extract-text")["url"], "valueString": "Other words."}
    spans(resource, 0)[0]["extension"].append(words)


def repeat_dropped(resource: Resource) -> None:
    del spans(resource, 0)[0]


def outside(resource: Resource) -> None:
    part(spans(resource, 2)[0], "offset")["valueInteger"] = 5000


def path_changed(resource: Resource) -> None:
    part(spans(resource, 1)[0], "path")["valueString"] = "DocumentReference.description"


def link_changed(resource: Resource) -> None:
    part(spans(resource, 1)[0], "narrativeLink")["valueUrl"] = "#s1"


def sections_swapped(resource: Resource) -> None:
    for place in (resource["section"], resource["extension"]):
        place[0], place[1] = place[1], place[0]


def sections_swapped_alone(resource: Resource) -> None:
    resource["section"][0], resource["section"][1] = resource["section"][1], resource["section"][0]


def section_dropped(resource: Resource) -> None:
    del resource["section"][2]


def time_in_title(resource: Resource) -> None:
    resource["section"][0]["title"] = resource["section"][0]["title"].replace("2025", "2024")


def hash_changed(resource: Resource) -> None:
    part(resource["extension"][1], "sha256")["valueString"] = "0" * 64


def version_changed(resource: Resource) -> None:
    part(resource["extension"][0], "versionId")["valueString"] = "7"


def recipe_changed(resource: Resource) -> None:
    part(resource["extension"][0], "normalization")["valueUri"] += "x"


def status_final(resource: Resource) -> None:
    resource["status"] = "final"


def another_device(resource: Resource) -> None:
    resource["author"] = resource["author"][:1]


def caption(resource: Resource) -> None:
    resource["text"]["div"] = resource["text"]["div"].replace("unverified", "verified")


def title(resource: Resource) -> None:
    resource["title"] = "Reviewed timeline"


def date(resource: Resource) -> None:
    resource["date"] = "2020-01-01T00:00:00Z"


def period(resource: Resource) -> None:
    resource["event"][0]["period"]["start"] = "2020-01-01"


def source_list(resource: Resource) -> None:
    del resource["event"][0]["detail"][1]


def section_author(resource: Resource) -> None:
    del resource["section"][1]["author"]


def wrong_unit(resource: Resource) -> None:
    part(resource["extension"][2], "unit")["valueCode"] = "utf-16"


def identifier_of_another(resource: Resource) -> None:
    resource["identifier"]["value"] = "Patient-somebody-else.extractive"


ALTERATIONS: list[tuple[Callable[[Resource], None], Finding]] = [
    (sentence_altered, Finding.SENTENCE_ALTERED),
    (shared_sentence_altered, Finding.SENTENCE_ALTERED),
    (sentence_added, Finding.SPAN_MISSING),
    (sentence_removed, Finding.SPAN_WITHOUT_SENTENCE),
    (markup_added, Finding.NARRATIVE_CHANGED),
    (offset_moved, Finding.SENTENCE_ALTERED),
    (repeat_moved, Finding.REPEAT_DIFFERS),
    (repeat_into_another_sentence, Finding.REPEAT_DIFFERS),
    (words_of_a_repeat, Finding.REPEAT_DIFFERS),
    (words_of_the_first, Finding.SENTENCE_ALTERED),
    (repeat_dropped, Finding.WRONG_PLACE),
    (outside, Finding.OFFSET_OUTSIDE),
    (path_changed, Finding.WRONG_PLACE),
    (link_changed, Finding.SPAN_WITHOUT_SENTENCE),
    (sections_swapped, Finding.WRONG_ORDER),
    (sections_swapped_alone, Finding.SOURCE_MISMATCH),
    (section_dropped, Finding.SOURCE_MISMATCH),
    (time_in_title, Finding.ELEMENT_DIFFERS),
    (hash_changed, Finding.TEXT_DIFFERS),
    (version_changed, Finding.SOURCE_MISMATCH),
    (recipe_changed, Finding.EXTRACTOR_DIFFERS),
    (status_final, Finding.STATUS_WRONG),
    (another_device, Finding.AUTHOR_MISSING),
    (caption, Finding.ELEMENT_DIFFERS),
    (title, Finding.ELEMENT_DIFFERS),
    (date, Finding.ELEMENT_DIFFERS),
    (period, Finding.SOURCE_MISMATCH),
    (source_list, Finding.SOURCE_MISMATCH),
    (section_author, Finding.AUTHOR_MISSING),
    (wrong_unit, Finding.UNIT_UNKNOWN),
    (identifier_of_another, Finding.SUBJECT_DIFFERS),
]


def test_every_alteration_of_a_timeline_is_found_and_named(chart: Chart) -> None:
    resource = kept(chart)
    where = reference(resource)
    assert (chart.site.one_audit(where).findings, checked(chart, where)) == ((), 0)

    for alter, finding in ALTERATIONS:
        altered = copy.deepcopy(resource)
        alter(altered)
        assert altered != resource, alter.__name__
        chart.site.fhir.put(altered)
        assert finding in codes(chart.site.one_audit(where)), alter.__name__
        assert checked(chart, where) == 1, alter.__name__

    chart.site.fhir.put(resource)
    assert (chart.site.one_audit(where).findings, checked(chart, where)) == ((), 0)


def test_a_label_taken_away_is_found(chart: Chart) -> None:
    resource = kept(chart)
    resource["meta"]["security"] = []
    assert stored(chart.site.fhir, resource)
    assert Finding.LABEL_REMOVED in codes(chart.site.one_audit(reference(resource)))
    assert checked(chart, reference(resource)) == 1


def test_both_find_nothing_in_a_timeline_of_many_kinds_of_time(chart: Chart) -> None:
    """Zones, days, months and no time; a report; notes that say nothing new, one beside its own text."""
    for number, date in enumerate(
        ("2025-03-02T23:30:00-05:00", "2025-03-03T04:45:00.5Z", "2025-03", "2025-03-02", "")
    ):
        chart.add(f"Day {number} on the ward, no fever.", COPIED, **({"date": date} if date else {}))
    chart.add("", **html(COPIED), date="2025-03-04", type={"text": "Letter (copy), by telephone"})
    report = chart.site.fhir.put(
        {
            "resourceType": "DiagnosticReport",
            "id": new_id("report"),
            "status": "final",
            "code": {"text": "Chest X-ray"},
            "subject": {"reference": chart.patient},
            "effectivePeriod": {"start": "2025-03-02T10:00:00Z", "end": "2025-03-02T10:05:00Z"},
            "conclusion": "No effusion on either side.",
        }
    )
    chart.summarise(report)
    for since in ("", "2025-03"):
        _, result = chart.keep(since=since)
        proof = chart.site.one_audit(result.composition)
        assert (proof.findings, checked(chart, result.composition)) == ((), 0)


def test_what_changes_around_a_timeline_is_found(chart: Chart) -> None:
    resource = kept(chart)
    where = reference(resource)
    (provenance,) = chart.site.fhir.matches(chart.site.fhir.get("Provenance", target=where))
    chart.site.fhir.put({**provenance, "entity": provenance["entity"][:2]})
    fewer = codes(chart.site.one_audit(where))
    chart.site.fhir.put(provenance)

    note = chart.site.fhir.get(chart.notes[1])
    note["content"][0]["attachment"]["data"] = encoded("Something else entirely.")
    chart.site.fhir.put(note)
    changed = chart.site.one_audit(where)

    assert fewer == {Finding.PROVENANCE_DIFFERS}
    assert codes(changed) == {Finding.SOURCE_CHANGED}
    assert checked(chart, where) == 1
    assert all(sentence.ok for sentence in changed.sentences)


def test_the_audit_of_everything_holds_timelines_too(chart: Chart) -> None:
    begin = datetime.now(UTC) - timedelta(seconds=1)  # what other tests wrote before is left out
    resource = kept(chart)

    async def audited() -> set[str]:
        return {one.composition async for one in audits(chart.site.settings, Asked(since=begin))}

    assert reference(resource) in asyncio.run(audited())


@pytest.mark.parametrize(
    "server", ["assigning_embedded", pytest.param("assigning_hapi", marks=pytest.mark.hapi)]
)
def test_a_server_that_gives_out_ids_keeps_one_timeline_too(
    request: pytest.FixtureRequest, server: str, tmp_path: Path
) -> None:
    fhir = Fhir(request.getfixturevalue(server))
    with fhir.http:
        patient = fhir.send("POST", "Patient", {"resourceType": "Patient"}).json()
        chart = Chart(Site(fhir, tmp_path / "ledger.sqlite"), reference(patient))
        for day, text in ((SECOND, "Home tomorrow with her son."), (FIRST, COPIED)):
            note = {
                "resourceType": "DocumentReference",
                "status": "current",
                "subject": {"reference": chart.patient},
                "date": f"{day}T10:00:00Z",
                "content": [{"attachment": {"contentType": "text/plain", "data": encoded(text)}}],
            }
            answer = fhir.send("POST", "DocumentReference", note)
            assert answer.status_code == 201, answer.text
            chart.summarise(answer.json())

        _, first = chart.keep()
        _, again = chart.keep()
        note = fhir.get(chart.notes[0])
        note["content"][0]["attachment"]["data"] = encoded("Home today after all.")
        fhir.put(note)
        chart.summarise(note)
        _, renewed = chart.keep()

        assert [k.status for k in (first, again, renewed)] == [
            WriteStatus.WRITTEN,
            WriteStatus.UNCHANGED,
            WriteStatus.WRITTEN,
        ]
        assert first.composition == again.composition == renewed.composition
        proof = chart.site.one_audit(first.composition)
        assert proof.findings == ()
        assert [s.text for s in proof.sentences] == [COPIED, "Home today after all."]


@pytest.mark.parametrize("fhir_server", [pytest.param("hapi", marks=pytest.mark.hapi)], indirect=True)
def test_what_is_kept_validates(chart: Chart) -> None:
    resource = kept(chart)
    (provenance,) = chart.site.fhir.matches(chart.site.fhir.get("Provenance", target=reference(resource)))
    for one in (resource, provenance):
        answer = chart.site.fhir.send("POST", f"{one['resourceType']}/$validate", one)
        issues = answer.json()["issue"]
        assert [issue for issue in issues if issue["severity"] in ("error", "fatal")] == []
