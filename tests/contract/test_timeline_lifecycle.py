"""What becomes of a kept timeline when its notes, its makers or a person do something."""

from pathlib import Path

import pytest
from contract_fhir import Fhir
from lives import Json, codes, command, extracted, of_its_own, signed, state
from passes import Site, reference
from timelines import Chart, a_chart, html, shown

from fhir_adapter.recall import RecalledError
from fhir_adapter.timeline_writer import WriteStatus

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def chart(fhir: Fhir, tmp_path: Path) -> Chart:
    return a_chart(of_its_own(Site(fhir, tmp_path / "ledger.sqlite")))


def withdrawn(chart: Chart, capsys: Capture, option: str, value: str) -> dict[str, Json]:
    """What `clinsum withdraw` says it did, by Composition."""
    _, lines, _ = command(chart.site, capsys, "withdraw", option, value)
    return {line["composition"]: line for line in lines}


def device_of(composition: Json, number: int = 0) -> str:
    found: str = composition["author"][number]["reference"]
    return found


def test_a_timeline_that_a_person_changed_is_never_overwritten(chart: Chart) -> None:
    chart.add("Her first note of this stay.", date="2025-03-01")
    _, kept = chart.keep()
    written = chart.site.fhir.get(kept.composition)
    changed = chart.site.fhir.put({**written, "title": "Mine now"})

    chart.add("Her second note of this stay.", date="2025-03-02")
    _, again = chart.keep()
    now = chart.site.fhir.get(kept.composition)
    chart.site.fhir.put(written)
    _, once_more = chart.keep()

    assert (again.status, again.composition) == (WriteStatus.ATTESTED, kept.composition)
    assert (now["title"], now["meta"]["versionId"]) == ("Mine now", changed["meta"]["versionId"])
    assert once_more.status is WriteStatus.WRITTEN


def test_labels_and_tags_of_others_stay_when_a_timeline_is_renewed(chart: Chart) -> None:
    chart.add("Her first note of this stay.", date="2025-03-01")
    _, kept = chart.keep()
    written = chart.site.fhir.get(kept.composition)
    theirs = {"system": "http://example.org/tags", "code": "seen-by-ward-7"}
    secret = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "PSY"}
    meta = written["meta"]
    meta = {**meta, "tag": [*meta["tag"], theirs], "security": [*meta["security"], secret]}
    chart.site.fhir.put({**written, "meta": meta})

    _, same = chart.keep()
    chart.add("Her second note of this stay.", date="2025-03-02")
    _, renewed = chart.keep()

    now = chart.site.fhir.get(kept.composition)
    assert (same.status, renewed.status) == (WriteStatus.UNCHANGED, WriteStatus.WRITTEN)
    assert {"seen-by-ward-7", "timeline"} <= codes(now, "tag")
    assert {"PSY", "AIAST"} <= codes(now, "security")
    assert chart.site.one_audit(kept.composition).ok


def test_what_came_from_a_source_is_withdrawn_from_timelines_and_only_that_text_ends(
    chart: Chart, capsys: Capture
) -> None:
    taken = chart.add("", date="2025-03-01", **html("Meant for somebody else."))
    left = chart.add("", date="2025-03-02", **html("Hers, and it stays."))
    _, kept = chart.keep()
    texts = [extracted(chart.site, chart.summary(note)) for note in (taken, left)]

    done = withdrawn(chart, capsys, "--source", reference(taken))
    after = chart.site.fhir.get(kept.composition)
    proof = chart.site.one_audit(kept.composition)
    found, renewed = chart.keep()

    assert (done[kept.composition]["status"], done[kept.composition]["source"]) == ("withdrawn", None)
    assert state(after) == ("entered-in-error", "source-withdrawn")
    assert proof.ok, proof.findings
    assert [chart.site.fhir.get(reference(text))["status"] for text in texts] == [
        "entered-in-error",
        "current",
    ]
    assert shown(found) == [("2025-03-02", ["Hers, and it stays."])]
    assert (renewed.status, renewed.composition) == (WriteStatus.WRITTEN, kept.composition)
    assert state(chart.site.fhir.get(kept.composition)) == ("preliminary", None)


def test_a_withdrawn_timeline_does_not_come_back_as_it_was(chart: Chart, capsys: Capture) -> None:
    """Its one summary was signed, so that the withdrawal left that to a person."""
    note = chart.add("Her first note of this stay.", date="2025-03-01")
    signed(chart.site, chart.summary(note))
    _, kept = chart.keep()

    done = withdrawn(chart, capsys, "--source", reference(note))
    _, again = chart.keep()
    stays = chart.site.fhir.get(kept.composition)
    chart.add("Her second note of this stay.", date="2025-03-02")
    found, renewed = chart.keep()

    assert {line["status"] for line in done.values()} == {"attested", "withdrawn"}
    assert (again.status, again.composition) == (WriteStatus.STAYS_WITHDRAWN, kept.composition)
    assert state(stays) == ("entered-in-error", "source-withdrawn")
    assert (renewed.status, len(found.entries)) == (WriteStatus.WRITTEN, 2)


def test_a_recall_reaches_the_timelines_that_show_what_was_recalled(chart: Chart, capsys: Capture) -> None:
    note = chart.add("Chosen by what is recalled.", date="2025-03-01")
    signed_one = chart.add("Chosen by the same, and signed.", date="2025-03-02")
    signed(chart.site, chart.summary(signed_one))
    _, kept = chart.keep()
    summary = chart.summary(note)

    done = withdrawn(chart, capsys, "--pipeline", device_of(summary))
    found, again = chart.keep()

    assert done[kept.composition]["status"] == "withdrawn"
    assert state(chart.site.fhir.get(kept.composition)) == ("entered-in-error", "recalled")
    assert shown(found) == []
    assert sorted(left.reason for left in found.left_out) == ["entered-in-error", "recalled"]
    assert again.status is WriteStatus.NOTHING


def test_what_puts_timelines_together_can_be_recalled_and_is_not_brought_back(
    chart: Chart, capsys: Capture
) -> None:
    note = chart.add("Her first note of this stay.", date="2025-03-01")
    _, kept = chart.keep()
    device = device_of(chart.site.fhir.get(kept.composition))

    done = withdrawn(chart, capsys, "--pipeline", device)
    with pytest.raises(RecalledError, match="pipeline version was recalled"):
        chart.keep()

    assert set(done) == {kept.composition}
    assert chart.site.fhir.get(device)["status"] == "inactive"
    assert state(chart.summary(note)) == ("preliminary", None)


def test_a_timeline_that_ended_for_want_of_notes_says_so_and_comes_back_with_one(chart: Chart) -> None:
    note = chart.add("The only note there was.", date="2025-03-01")
    _, kept = chart.keep()
    chart.site.fhir.put({**note, "status": "entered-in-error"})
    _, gone = chart.keep()
    marked = chart.site.fhir.get(kept.composition)
    proof = chart.site.one_audit(kept.composition)
    chart.site.fhir.put({**note, "status": "current"})
    chart.site.poll([reference(note)])
    _, back = chart.keep()

    assert gone.status is WriteStatus.WITHDRAWN
    assert state(marked) == ("entered-in-error", "no-note")
    assert proof.ok, proof.findings
    assert back.status is WriteStatus.WRITTEN
    assert state(chart.site.fhir.get(kept.composition)) == ("preliminary", None)


def test_a_label_without_a_code_is_carried_over(chart: Chart) -> None:
    label = {"system": "http://example.org/labels", "display": "Ask the ward first"}
    chart.add("Her first note of this stay.", date="2025-03-01", meta={"security": [label]})

    found, kept = chart.keep()

    assert (found.ok, kept.status) == (True, WriteStatus.WRITTEN)
    assert chart.site.one_audit(kept.composition).ok
