"""Summaries filed as documents (US Core 9) on a server without Compositions: their whole life."""

from pathlib import Path

import pytest

from fhir_adapter.writing.recall import RecalledError
from jobs.cli import run
from tests.contract.contract_fhir import new_id
from tests.contract.filed import (
    HEEDLESS,
    ONCE,
    Ward,
    current,
    documents,
    inner,
    settings_of,
    text_of,
)
from tests.contract.passes import Site, encoded, reference


def test_each_note_has_one_document_that_is_proven_and_a_second_pass_files_nothing(ward: Ward) -> None:
    notes = [ward.note(), ward.note("Seen on the ward. Chest clear. Home tomorrow.")]

    assert ward.poll() == dict.fromkeys(notes, "written")

    assert [len(current(ward.ours, note)) for note in notes] == [1, 1]
    assert ward.wrong() == []
    assert len(ward.ours.audit()) == 2
    assert set(ward.poll(*notes).values()) == {"unchanged"}
    assert len(documents(ward.ours)) == 2


def test_the_document_says_what_the_summary_says(ward: Ward) -> None:
    note = ward.note()
    ward.poll()

    (document,) = documents(ward.ours, note)
    words = text_of(document)
    assert "Stable on ceftriaxone." in words
    assert words.startswith("AI-extracted summary (unverified)")
    assert document["subject"] == {"reference": ward.patient}
    assert document["docStatus"] == inner(document)["status"] == "preliminary"
    assert document["securityLabel"][0]["coding"] == document["meta"]["security"]
    assert {"code": "transforms", "target": {"reference": note}} in document["relatesTo"]


def test_a_changed_note_has_a_document_that_replaces_the_former_one(ward: Ward) -> None:
    note = ward.note()
    ward.poll()
    (before,) = documents(ward.ours, note)

    ward.reword(note, "Fever since noon. Cultures were drawn.")
    assert ward.poll() == {note: "written"}

    (after,) = current(ward.ours, note)
    assert {"code": "replaces", "target": {"reference": reference(before)}} in after["relatesTo"]
    assert "Cultures were drawn." in text_of(after)
    assert inner(after)["id"] == inner(before)["id"]
    assert ward.wrong() == []
    assert len(ward.ours.audit()) == 1, "the former one counts no more"
    assert ward.poll(note) == {note: "unchanged"}
    assert len(documents(ward.ours)) == 2


def test_a_note_that_says_again_what_it_said_before_has_a_third_document(ward: Ward) -> None:
    words = ("No fever today. Stable on ceftriaxone.", "Fever since noon. Cultures were drawn.")
    note = ward.note(words[0])
    ward.poll()
    for text in (words[1], words[0]):
        ward.reword(note, text)
        assert ward.poll() == {note: "written"}

    (after,) = current(ward.ours, note)
    assert "Stable on ceftriaxone." in text_of(after)
    assert len(documents(ward.ours)) == 3
    assert ward.wrong() == []


def test_a_note_that_ends_takes_its_summary_along(ward: Ward) -> None:
    note, other = ward.note(), ward.note("Seen on the ward. Home tomorrow.")
    ward.poll()

    ward.revise(note, status="entered-in-error")
    assert ward.poll()[note] == "skipped"

    *_, last = documents(ward.ours, note)
    assert "DO NOT USE" in text_of(last)
    assert "ceftriaxone" not in text_of(last)
    assert inner(last)["status"] == "entered-in-error"
    assert "DO NOT USE" not in text_of(current(ward.ours, other)[0])
    assert ward.wrong() == []
    count = len(documents(ward.ours))
    ward.poll(note, other)
    assert len(documents(ward.ours)) == count


def test_a_summary_is_withdrawn_and_reinstated(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    note, other = ward.note(), ward.note("Seen on the ward. Home tomorrow.")
    ward.poll()
    settings_of(ward.ours, monkeypatch)

    assert run(["withdraw", "--source", note, "--yes", "--reason", "wrong patient"]) == 0
    *_, last = documents(ward.ours, note)
    assert "It was withdrawn" in text_of(last)
    assert len(current(ward.ours, other)) == 1
    assert ward.poll(note) == {note: "skipped"}, "what a person withdrew is not made again"

    assert run(["withdraw", "--source", note, "--undo", "--yes"]) == 0
    (again,) = current(ward.ours, note)
    assert "Stable on ceftriaxone." in text_of(again)
    assert ward.wrong() == []
    assert ward.poll(note, other) == {note: "unchanged", other: "unchanged"}


def test_what_was_recalled_is_not_written_any_more(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    note = ward.note()
    ward.poll()
    settings_of(ward.ours, monkeypatch)
    device = inner(documents(ward.ours, note)[0], "Device")["id"]

    assert run(["withdraw", "--pipeline", device, "--yes"]) == 0
    assert "It was withdrawn" in text_of(documents(ward.ours, note)[-1])
    ward.note("Another one. Seen today.")
    with pytest.raises(RecalledError):
        ward.poll()

    assert run(["withdraw", "--pipeline", device, "--undo", "--yes"]) == 0
    assert "written" in ward.poll().values()
    assert ward.wrong() == []


def test_copies_share_a_document_that_names_them(ward: Ward) -> None:
    words = "The same words. Filed twice for one stay."
    notes = [ward.note(words), ward.note(words)]
    ward.poll()
    ward.poll(*notes)

    assert len({reference(one) for note in notes for one in current(ward.ours, note)}) == 1
    (proof,) = ward.ours.audit()
    assert [copy.ok for copy in proof.copies] == [True]
    assert proof.findings == ()


def test_a_note_that_is_no_plain_text_keeps_its_text_in_the_document(ward: Ward) -> None:
    page = "<p>Mild pain. Stable today.</p><p>Home on Monday.</p>"
    note = ward.note(content=[{"attachment": {"contentType": "text/html", "data": encoded(page)}}])

    assert ward.poll() == {note: "written"}

    assert inner(documents(ward.ours, note)[0], "DocumentReference")["subject"] == {"reference": ward.patient}
    assert ward.wrong() == []


def test_what_is_filed_is_no_note_for_another_installation(ward: Ward, tmp_path: Path) -> None:
    note = ward.note()
    ward.poll()
    for document in documents(
        ward.ours
    ):  # as a server has it that drops tags, identifiers and what is contained
        kept = {n: v for n, v in document.items() if n not in ("meta", "identifier", "contained", "author")}
        ward.theirs.fhir.put({**kept, "id": new_id("bare")})

    other = Site(ward.theirs.fhir, tmp_path / "other.sqlite", {"PIPELINE": "other"})
    ended, _ = other.poll()

    assert {source: one.status for source, one in ended.items()} == {note: "written"}


@pytest.mark.parametrize(("ward", "gone"), [((), True), (ONCE, False), (HEEDLESS, True)], indirect=["ward"])
def test_all_of_a_patient_is_erased_or_it_is_said(
    ward: Ward, gone: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = ward.note()
    ward.poll()
    settings_of(ward.ours, monkeypatch)

    code = run(["erase", "--patient", ward.patient, "--yes"])

    assert (code == 0) is gone
    assert (documents(ward.ours) == []) is gone
    assert ward.theirs.fhir.get(note)["id"]
