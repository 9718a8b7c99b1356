"""The timeline against each server: order, repeats, what is left out, and what is kept."""

import json
from pathlib import Path
from typing import Any

import pytest

from fhir_adapter import canonical
from fhir_adapter.audit.findings import Finding
from fhir_adapter.timeline.timeline import Timeline, TimelineError
from fhir_adapter.timeline.writer import WriteStatus
from jobs.cli import run
from jobs.exits import Exit
from tests.contract.contract_fhir import Fhir, new_id
from tests.contract.passes import Site, encoded, reference
from tests.contract.timelines import COPIED, NOTES, Chart, a_chart, html, shown


@pytest.fixture
def chart(fhir: Fhir, tmp_path: Path) -> Chart:
    return a_chart(Site(fhir, tmp_path / "ledger.sqlite"))


def codes(timeline: Timeline) -> set[Finding]:
    return {remark.finding for remark in timeline.remarks}


def reasons(timeline: Timeline) -> list[str]:
    return [left.reason for left in timeline.left_out]


def test_five_notes_by_their_time_with_what_they_copy_shown_once(chart: Chart) -> None:
    chart.site.options["PAGE_SIZE"] = "2"
    chart.add_stay()

    found = chart.read()

    assert found.ok
    assert shown(found) == [
        ("2025-03-01", list(NOTES["2025-03-01"])),
        ("2025-03-02", [NOTES["2025-03-02"][1]]),
        ("2025-03-03", [NOTES["2025-03-03"][1]]),
        ("2025-03-04", [NOTES["2025-03-04"][1]]),
        ("2025-03-05", [NOTES["2025-03-05"][0]]),
    ]
    assert [entry.repeated for entry in found.entries] == [0, 1, 1, 1, 1]
    copied = found.entries[0].sentences[0]
    assert [place.source for place in copied.places] == [entry.source for entry in found.entries]
    assert copied.places[3].text == NOTES["2025-03-04"][0]
    for entry in found.entries:
        assert entry.time_element == "DocumentReference.date"
    for place in copied.places:
        note = chart.site.fhir.get(place.reference)
        text = "\n".join(NOTES[note["date"][:10]])
        assert text[place.start : place.end] == place.text
        assert place.path == "DocumentReference.content[0].attachment.data"
        assert place.version == note["meta"]["versionId"]


def test_a_note_without_a_time_is_said_to_have_none_and_goes_last(chart: Chart) -> None:
    chart.add("Something of an unknown day was noted.")
    chart.add("Something of a known year was noted.", date="2025")
    chart.add("A study of a day was read.", context={"period": {"start": "2025-03-01", "end": "2025-03-01"}})

    found = chart.read()

    assert [(entry.time, entry.precision.value) for entry in found.entries] == [
        ("2025", "year"),
        ("2025-03-01", "day"),
        ("", "unknown"),
    ]
    within = chart.read(since="2025-03-02", until="2025-06")
    assert [entry.time for entry in within.entries] == ["2025", ""]
    assert reasons(within) == ["outside-window"]


def test_a_sentence_that_does_not_verify_is_reported_and_never_shown(chart: Chart) -> None:
    summary = chart.summary(
        chart.add("Aspirin 100 mg was given.", "Home tomorrow with her son.", date="2025")
    )
    div = summary["section"][0]["text"]["div"]
    summary["section"][0]["text"]["div"] = div.replace("100 mg", "900 mg")
    chart.site.fhir.put(summary)

    found = chart.read()

    assert shown(found) == [("2025", ["Home tomorrow with her son."])]
    assert not found.ok
    assert codes(found) == {Finding.SENTENCE_ALTERED}


def test_a_note_that_has_changed_since_is_left_out_until_it_is_summarised_again(chart: Chart) -> None:
    note = chart.add("Pneumonia is suspected on the film.", date="2025-03-01")
    data = encoded("No pneumonia after all.")
    note["content"][0]["attachment"]["data"] = data
    chart.site.fhir.put(note)

    stale = chart.read()
    chart.summarise(note)
    renewed = chart.read()

    assert (shown(stale), reasons(stale), stale.ok) == ([], ["source-changed"], False)
    assert shown(renewed) == [("2025-03-01", ["No pneumonia after all."])]
    assert renewed.ok


def test_a_note_entered_in_error_is_left_out_before_and_after_its_summary_is(chart: Chart) -> None:
    note = chart.add("This was meant for somebody else.", date="2025-03-01")
    chart.add("This is hers and stays.", date="2025-03-02")
    chart.site.fhir.put({**note, "status": "entered-in-error"})

    before = chart.read()
    chart.site.poll([reference(note)])
    after = chart.read()

    for found in (before, after):
        assert shown(found) == [("2025-03-02", ["This is hers and stays."])]
        assert (reasons(found), found.ok) == (["entered-in-error"], True)


def test_a_summary_whose_time_is_over_is_left_out(chart: Chart) -> None:
    summary = chart.summary(chart.add("This was replaced by another document.", date="2025-03-01"))
    ended = {"url": canonical.ENDED_BECAUSE, "valueCode": "superseded"}
    chart.site.fhir.put({**summary, "extension": [*summary["extension"], ended]})

    found = chart.read()

    assert (shown(found), reasons(found), found.ok) == ([], ["superseded"], True)


def test_a_timeline_is_kept_once_and_renewed_when_something_changes(chart: Chart) -> None:
    chart.add_stay()

    _, first = chart.keep()
    _, again = chart.keep()
    written = chart.site.fhir.get(first.composition)
    late = chart.add("Discharged in good condition to her daughter.", date="2025-03-06")
    _, renewed = chart.keep()
    chart.site.fhir.put({**late, "status": "entered-in-error"})
    chart.site.poll([reference(late)])
    _, without = chart.keep()

    assert [kept.status for kept in (first, again, renewed, without)] == [
        WriteStatus.WRITTEN,
        WriteStatus.UNCHANGED,
        WriteStatus.WRITTEN,
        WriteStatus.WRITTEN,
    ]
    assert len({kept.composition for kept in (first, again, renewed, without)}) == 1
    assert written["meta"]["versionId"] == "1"
    now = chart.site.fhir.get(first.composition)
    assert now["meta"]["versionId"] == "3"
    assert now["section"] == written["section"]
    proof = chart.site.one_audit(first.composition)
    assert (proof.findings, len(proof.sentences)) == ((), 10)
    assert all(sentence.ok and sentence.source in chart.notes for sentence in proof.sentences)
    (provenance,) = chart.site.fhir.matches(chart.site.fhir.get("Provenance", target=first.composition))
    sources = {entity["what"]["reference"].split("/_history")[0] for entity in provenance["entity"]}
    assert sources == set(chart.notes) - {reference(late)}


def test_a_timeline_is_as_protected_as_its_most_protected_note(chart: Chart) -> None:
    scale = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
    actcode = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
    labels = [{"system": scale, "code": "R"}, {"system": actcode, "code": "PSY"}]
    chart.add("Sleeps badly since the spring.", date="2025-03-01", meta={"security": labels})
    chart.add("Her blood pressure is well controlled.", date="2025-03-02")

    _, kept = chart.keep()

    written = chart.site.fhir.get(kept.composition)
    stated = {(label["system"], label["code"]) for label in written["meta"]["security"]}
    assert {(scale, "R"), (actcode, "PSY")} < stated
    assert "AIAST" in {code for _, code in stated}
    assert written["confidentiality"] == "R"
    chart.site.fhir.put({**written, "confidentiality": "N"})
    lowered = chart.site.one_audit(kept.composition)
    assert Finding.PROTECTION_LOWERED in {finding for finding, _ in lowered.findings}


def test_a_timeline_that_a_person_attested_is_never_overwritten(chart: Chart) -> None:
    note = chart.add("Her first note of this stay.", date="2025-03-01")
    _, kept = chart.keep()
    written = chart.site.fhir.get(kept.composition)
    signed = chart.site.fhir.put({**written, "status": "final", "attester": [{"mode": "professional"}]})
    signed_ok = chart.site.one_audit(kept.composition)

    _, again = chart.keep()
    chart.add("Her second note of this stay.", date="2025-03-02")
    _, after = chart.keep()
    chart.site.fhir.put({**note, "status": "entered-in-error"})
    _, later = chart.keep()

    assert signed_ok.ok, signed_ok.findings
    assert [k.status for k in (again, after, later)] == [
        WriteStatus.ATTESTED,
        WriteStatus.WRITTEN,
        WriteStatus.WRITTEN,
    ]
    assert again.composition == kept.composition != after.composition == later.composition
    assert chart.site.fhir.get(kept.composition)["meta"]["versionId"] == signed["meta"]["versionId"]


def test_a_timeline_whose_notes_are_all_gone_is_marked_as_entered_in_error(chart: Chart) -> None:
    note = chart.add("The only note there was.", date="2025-03-01")
    _, kept = chart.keep()
    chart.site.fhir.put({**note, "status": "entered-in-error"})
    chart.site.poll([reference(note)])

    _, gone = chart.keep()
    _, again = chart.keep()
    chart.site.fhir.put({**note, "status": "current"})
    chart.site.poll([reference(note)])
    _, back = chart.keep()

    assert (gone.status, gone.composition) == (WriteStatus.WITHDRAWN, kept.composition)
    assert again.status is WriteStatus.NOTHING
    assert (back.status, back.composition) == (WriteStatus.WRITTEN, kept.composition)
    assert chart.site.fhir.get(kept.composition)["status"] == "preliminary"


@pytest.mark.parametrize("side", ["replaced-by", "replaces"])
def test_the_notes_of_a_merged_patient_are_in_the_surviving_ones_timeline(chart: Chart, side: str) -> None:
    other = a_chart(chart.site)
    other.add("Noted under the old number.", date="2025-03-01")
    chart.add("Noted under the new number.", date="2025-03-02")
    holder, target = (other, chart) if side == "replaced-by" else (chart, other)
    link = [{"other": {"reference": target.patient}, "type": side}]
    chart.site.fhir.put(
        {"resourceType": "Patient", "id": holder.patient.partition("/")[2], "active": True, "link": link}
    )

    found, kept = chart.keep()

    assert [entry.source for entry in found.entries] == [*other.notes, *chart.notes]
    assert found.scope.merged == (other.patient,)
    written = chart.site.fhir.get(kept.composition)
    assert written["subject"]["reference"] == chart.patient
    assert chart.site.one_audit(kept.composition).findings == ()
    if side == "replaced-by":
        asked, same = chart.keep(other.patient)
        assert (asked.scope.asked, asked.scope.reference) == (other.patient, chart.patient)
        assert (same.status, same.composition) == (WriteStatus.UNCHANGED, kept.composition)


def test_an_encounter_has_its_own_notes_and_none_of_another_patient(chart: Chart) -> None:
    encounter = chart.site.fhir.put(
        {
            "resourceType": "Encounter",
            "id": new_id("encounter"),
            "status": "finished",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
            "subject": {"reference": chart.patient},
        }
    )
    here = {"context": {"encounter": [{"reference": reference(encounter)}]}}
    mine = chart.add("Admitted with a cough and fever.", date="2025-03-01", **here)
    chart.add("Seen in the clinic a month later.", date="2025-04-01")
    wrong = {"reference": a_chart(chart.site).patient}
    chart.add("Filed under the wrong patient.", date="2025-03-02", subject=wrong, **here)

    found, kept = chart.keep(reference(encounter))

    assert [entry.source for entry in found.entries] == [reference(mine)]
    assert (reasons(found), codes(found)) == (["subject-differs"], {Finding.SUBJECT_DIFFERS})
    written = chart.site.fhir.get(kept.composition)
    assert written["encounter"]["reference"] == reference(encounter)
    assert written["subject"]["reference"] == chart.patient
    assert chart.site.one_audit(kept.composition).ok
    assert chart.keep(reference(encounter))[1].status is WriteStatus.UNCHANGED


def test_offsets_of_a_note_that_is_not_plain_text_point_into_the_text_beside_it(chart: Chart) -> None:
    chart.add(COPIED, date="2025-03-01")
    chart.add("", date="2025-03-02", **html(COPIED + " Mild &amp; stable cough at night."))

    found, kept = chart.keep()

    plain, extracted = found.entries[0].sentences[0].places
    assert plain.reference == plain.source
    assert extracted.reference != extracted.source
    assert extracted.path == "DocumentReference.content[0].attachment.data"
    proof = chart.site.one_audit(kept.composition)
    assert (proof.findings, len(proof.sentences)) == ((), 3)


def test_two_windows_and_the_whole_are_three_timelines(chart: Chart) -> None:
    chart.add_stay()
    kept = [chart.keep(), chart.keep(since="2025-03-03"), chart.keep(until="2025-03-02")]

    assert [len(found.entries) for found, _ in kept] == [5, 3, 2]
    assert len({result.composition for _, result in kept}) == 3
    for _, result in kept:
        assert chart.site.one_audit(result.composition).findings == ()


def test_a_poll_never_takes_a_timeline_for_a_note_nor_another_pipeline_s_summaries(chart: Chart) -> None:
    chart.add_stay()
    chart.keep()
    chart.site.options["PIPELINE"] = "brief"

    other = chart.read()

    assert (other.entries, other.left_out) == ((), ())
    del chart.site.options["PIPELINE"]
    assert len(chart.read().entries) == 5


def test_nobody_and_nonsense(chart: Chart) -> None:
    with pytest.raises(TimelineError, match="no such patient"):
        chart.read("Patient/none-such")
    with pytest.raises(ValueError, match="Patient/ID or Encounter/ID"):
        chart.read("Group/1")
    with pytest.raises(ValueError, match="a date such as"):
        chart.read(since="yesterday")
    assert chart.read().entries == ()


def command(chart: Chart, *options: str) -> int:
    base = chart.site.fhir.server.base_url
    return run(["timeline", chart.patient, *options, "--set", f"FHIR_BASE_URL={base}"])


def test_the_command_prints_one_document_or_a_list_for_people(
    chart: Chart, capsys: pytest.CaptureFixture[str]
) -> None:
    chart.add_stay()

    assert command(chart, "--json", "--write") == Exit.DONE
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (document["subject"], document["notes"], document["sentences"]) == (chart.patient, 5, 6)
    assert document["places"] == 10
    assert document["written"]["status"] == "written"
    first = document["entries"][0]
    assert first["time_element"] == "DocumentReference.date"
    assert first["sentences"][0]["places"][0]["source"] == first["source"]

    assert command(chart) == Exit.DONE
    page = " ".join(capsys.readouterr().out.split())
    assert page.index(NOTES["2025-03-01"][1]) < page.index(NOTES["2025-03-05"][0])
    assert page.count(COPIED) == 1
    assert f"as: {NOTES['2025-03-04'][0]}" in page
    assert "5 notes, 6 sentences in 10 places" in page

    assert command(chart, "--since", "soon") == Exit.WRONG_USE
    summary = chart.summary(chart.add("Aspirin 100 mg was given.", date="2025-03-07"))
    div = summary["section"][0]["text"]["div"]
    summary["section"][0]["text"]["div"] = div.replace("100", "900")
    chart.site.fhir.put(summary)
    assert command(chart) == Exit.SOMETHING_FAILED
    assert "sentence-altered" in capsys.readouterr().out
