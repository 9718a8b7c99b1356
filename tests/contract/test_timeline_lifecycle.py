"""What becomes of a kept timeline when its notes, its makers or a person do something."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fhir_adapter.audit.findings import Finding
from fhir_adapter.timeline.writer import WriteStatus
from fhir_adapter.writing.recall import RecalledError
from tests.contract.checker import check
from tests.contract.contract_fhir import Fhir
from tests.contract.lives import Json, codes, command, extracted, of_its_own, signed, state
from tests.contract.passes import Site, reference
from tests.contract.timelines import Chart, a_chart, html, shown

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


def headline(timeline: Json) -> None:
    timeline["title"] += " (checked)"


def signature(timeline: Json) -> None:
    timeline |= {"status": "final", "attester": [{"mode": "professional"}]}


def rejection(timeline: Json) -> None:
    timeline["status"] = "entered-in-error"


@pytest.mark.parametrize("change", [headline, signature, rejection])
def test_the_next_timeline_comes_after_a_persons_and_is_the_same_one_in_every_run(
    chart: Chart, change: Callable[[Json], None]
) -> None:
    site = chart.site
    chart.add("Her first note of this stay.", date="2025-03-01")
    _, kept = chart.keep()
    theirs = site.fhir.get(kept.composition)
    change(theirs)
    theirs = site.fhir.put(theirs)
    _, stays = chart.keep()

    chart.add("Her second note of this stay.", date="2025-03-02")
    _, after = chart.keep()
    _, again = chart.keep()
    chart.add("Her third note of this stay.", date="2025-03-03")
    _, renewed = chart.keep()

    now, later = site.fhir.get(kept.composition), site.fhir.get(after.composition)
    assert (stays.status, stays.composition) == (WriteStatus.ATTESTED, kept.composition)
    assert [k.status for k in (after, again, renewed)] == [
        WriteStatus.WRITTEN,
        WriteStatus.UNCHANGED,
        WriteStatus.WRITTEN,
    ]
    assert kept.composition != after.composition == again.composition == renewed.composition
    assert now == theirs
    assert (state(later), len(later["section"])) == (("preliminary", None), 3)
    assert later["identifier"]["value"].endswith("~2")
    (relation,) = later["relatesTo"]
    assert (relation["code"], relation["targetReference"]["reference"]) == ("replaces", kept.composition)
    assert "needs-review" in codes(later, "tag")
    assert "needs-review" not in codes(now, "tag")
    for where in (after.composition, *([kept.composition] if change is not headline else [])):
        assert site.one_audit(where).findings == ()
        assert check(f"{site.fhir.server.base_url}/{where}") == 0


def test_a_timeline_after_a_persons_is_kept_within_its_window_and_can_be_taken_over_too(chart: Chart) -> None:
    chart.add("Her first note of this stay.", date="2025-03-01")
    places = []
    for day in ("2025-03-02", "2025-03-03", "2025-03-04"):
        _, kept = chart.keep(since="2025-03", until="2025-04")
        places.append(kept.composition)
        signed(chart.site, chart.site.fhir.get(kept.composition))
        chart.add(f"What was written on the day {day}.", date=day)
    _, whole = chart.keep()

    values = [chart.site.fhir.get(place)["identifier"]["value"] for place in places]
    assert len({*places, whole.composition}) == 4
    assert [value.partition("..")[2] for value in values] == ["2025-04", "2025-04~2", "2025-04~3"]
    assert all(chart.site.one_audit(place).ok for place in places)


def test_a_timeline_after_a_persons_that_names_no_other_is_found(chart: Chart) -> None:
    chart.add("Her first note of this stay.", date="2025-03-01")
    _, kept = chart.keep()
    signed(chart.site, chart.site.fhir.get(kept.composition))
    chart.add("Her second note of this stay.", date="2025-03-02")
    _, after = chart.keep()
    later = chart.site.fhir.get(after.composition)

    chart.site.fhir.put({name: value for name, value in later.items() if name != "relatesTo"})

    assert chart.site.one_audit(after.composition).findings == ((Finding.ELEMENT_DIFFERS, "relatesTo"),)


def test_labels_reach_a_timeline_that_a_person_attested_and_change_nothing_else_in_it(chart: Chart) -> None:
    note = chart.add("Her first note of this stay.", date="2025-03-01")
    _, kept = chart.keep()
    theirs = signed(chart.site, chart.site.fhir.get(kept.composition))
    secret = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "PSY"}
    chart.site.fhir.put({**note, "meta": {"security": [secret]}})
    chart.site.poll([reference(note)])

    _, after = chart.keep()

    now = chart.site.fhir.get(kept.composition)
    assert "PSY" in codes(now, "security")
    assert {**now, "meta": ()} == {**theirs, "meta": ()}
    assert after.composition != kept.composition
    assert "PSY" in codes(chart.site.fhir.get(after.composition), "security")


def test_without_any_note_a_persons_timeline_stays_and_the_one_after_ends(chart: Chart) -> None:
    note = chart.add("The only note there was.", date="2025-03-01")
    _, kept = chart.keep()
    theirs = signed(chart.site, chart.site.fhir.get(kept.composition))
    other = chart.add("One more, by mistake.", date="2025-03-02")
    _, after = chart.keep()
    for one in (note, other):
        chart.site.fhir.put({**one, "status": "entered-in-error"})

    _, gone = chart.keep()

    assert (gone.status, gone.composition) == (WriteStatus.WITHDRAWN, after.composition)
    assert state(chart.site.fhir.get(after.composition)) == ("entered-in-error", "no-note")
    assert chart.site.fhir.get(kept.composition) == theirs


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
