"""Summaries filed as documents (US Core 9): altered, signed, lost on the way, on servers that are odd."""

import asyncio
import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fhir_adapter.errors import ServerUnreachableError
from fhir_adapter.filing.documents import Documents
from fhir_adapter.filing.envelope import Parts
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.creating import create
from fhir_adapter.sandbox.settings import Quirk
from fhir_adapter.writing.lifecycle import sealed
from jobs.cli import run
from jobs.diagnosis import Check, server_checks
from jobs.runtime import make_pipeline, make_summarizer
from tests.contract.contract_fhir import new_id
from tests.contract.filed import (
    ONCE,
    Change,
    Ward,
    alterations,
    current,
    documents,
    filing_site,
    inner,
    settings_of,
    text_of,
    well_behaved,
)
from tests.contract.passes import Site, encoded, new_site, reference
from tests.places import ROOT

CHECK = ROOT / "docs" / "check_offsets.py"


@well_behaved
@pytest.mark.parametrize(("name", "changed"), list(alterations().items()), ids=list(alterations()))
def test_what_somebody_changed_is_found(ward: Ward, name: str, changed: Change) -> None:
    note = ward.note()
    ward.poll()
    (document,) = documents(ward.ours, note)

    ward.theirs.fhir.put(changed(document))

    assert ward.wrong() != [], name


@well_behaved
def test_a_document_that_a_person_signed_stays_and_the_next_comes_after_it(ward: Ward) -> None:
    note = ward.note()
    ward.poll()
    (document,) = documents(ward.ours, note)
    doctor = reference(ward.theirs.fhir.put({"resourceType": "Practitioner", "id": new_id("doctor")}))
    signed = {**document, "docStatus": "final", "authenticator": {"reference": doctor}}
    kept = ward.theirs.fhir.put(signed)
    assert ward.poll(note) == {note: "unchanged"}

    ward.reword(note, "Fever since noon. Cultures were drawn.")
    ward.poll()

    assert ward.theirs.fhir.get(reference(kept))["meta"]["versionId"] == kept["meta"]["versionId"]
    assert len(current(ward.ours, note)) == 2
    assert {inner(one)["identifier"]["value"].partition("~")[2] for one in current(ward.ours, note)} == {
        "",
        "2",
    }


def test_an_answer_that_was_lost_is_looked_for(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    lost: list[int] = []

    async def creating(*arguments: Any) -> tuple[int, str]:
        answer = await create(*arguments)
        if not lost:
            lost.append(answer[0])
            raise ServerUnreachableError("create of DocumentReference: the connection broke")
        return answer

    monkeypatch.setattr("fhir_adapter.filing.documents.create", creating)
    note = ward.note()

    assert ward.poll() == {note: "written"}

    assert lost == [201]
    assert len(documents(ward.ours, note)) == 1
    assert ward.wrong() == []


def test_two_workers_at_once_leave_one_document_in_force(ward: Ward) -> None:
    note = ward.note()
    ward.poll()
    (document,) = documents(ward.ours, note)
    ward.reword(note, "Fever since noon. Cultures were drawn.")
    stored = inner(document)

    async def both() -> None:
        async with FhirClient(ward.ours.fhir.server.base_url) as one, FhirClient(one.base_url) as other:
            changed = sealed({**stored, "title": "Another", "extension": stored["extension"][:-1]})
            saves = [Documents(client).save(Parts(changed)) for client in (one, other)]
            await asyncio.gather(*saves, return_exceptions=True)

    asyncio.run(both())
    kept = {reference(one) for one in current(ward.ours, note)}
    assert len(kept) == 1


def test_the_script_that_shares_no_code_with_us_proves_it(ward: Ward) -> None:
    note = ward.note()
    page = "<p>Mild pain. Stable today.</p><p>Home on Monday.</p>"
    beside = ward.note(content=[{"attachment": {"contentType": "text/html", "data": encoded(page)}}])
    ward.poll()

    for one in (note, beside):
        (document,) = documents(ward.ours, one)
        address = f"{ward.ours.fhir.server.base_url}/{reference(document)}"
        done = subprocess.run(
            [sys.executable, str(CHECK), address], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout


def test_a_timeline_is_shown_and_filed(ward: Ward, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    notes = [ward.note(date="2026-01-02T08:00:00Z"), ward.note("Chest clear. Home tomorrow.")]
    ward.poll()
    settings_of(ward.ours, monkeypatch)
    capsys.readouterr()

    for status in ("written", "unchanged"):
        assert run(["timeline", ward.patient, "--write", "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert {entry["source"] for entry in found["entries"]} == set(notes)
        assert found["without_summary"] == found["findings"] == []
        assert found["written"]["status"] == status
    assert ward.wrong() == []
    assert len(ward.ours.audit()) == 3


def test_no_word_of_a_note_is_logged_or_said(
    ward: Ward, monkeypatch: pytest.MonkeyPatch, capsys: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    note = ward.note("Quixotic zebra noted at noon. Stable otherwise.")
    settings_of(ward.ours, monkeypatch)
    assert run(["poll", "--json"]) == 0
    ward.reword(note, "Quixotic zebra gone since noon.")
    assert run(["poll", "--json"]) == 0
    assert run(["withdraw", "--source", note, "--yes"]) == 0

    said = capsys.readouterr()
    for told in (said.out, said.err, caplog.text):
        assert "zebra" not in told.lower()
        assert encoded("Quixotic zebra")[:12] not in told
    assert "zebra" not in ward.ours.database.read_bytes().decode("latin-1").lower()


def test_doctor_says_what_the_server_lacks_and_the_way(ward: Ward) -> None:
    def checks(site: Site) -> dict[str, Check]:
        pipeline = make_pipeline(site.settings, make_summarizer(site.settings))
        found, _ = asyncio.run(server_checks(site.settings, pipeline, write=True))
        return {check.name: check for check in found}

    composed = Site(ward.ours.fhir, ward.ours.database)
    wanting = checks(composed)["form of summaries"]
    assert wanting.status == "failure"
    assert "Composition, Provenance, Device, transactions" in wanting.value
    assert "CLINSUM_WRITE_AS=document" in wanting.remedy

    found = checks(ward.ours)
    assert found["form of summaries"].status == "ok"
    assert [check for check in found.values() if check.status == "failure"] == []


def test_notes_of_one_server_are_filed_on_another(ward: Ward, tmp_path: Path) -> None:
    with new_site(tmp_path / "notes") as notes:
        patient = notes.fhir.put({"resourceType": "Patient", "id": new_id("patient")})
        note = reference(notes.document("No fever today. Stable.", subject={"reference": reference(patient)}))
        there = ward.ours.fhir.server.base_url
        apart = Site(notes.fhir, notes.database, {**ward.ours.options, "WRITE_BASE_URL": there})

        ended, _ = apart.poll()
        assert {source: one.status for source, one in ended.items()} == {note: "written"}
        assert [proof.findings for proof in apart.audit()] == [()]
        (document,) = documents(ward.ours)
        assert document["subject"]["reference"] == f"{notes.fhir.server.base_url}/{reference(patient)}"
        again, _ = apart.poll([note])
        assert again[note].status == "unchanged"


@pytest.mark.parametrize("ward", [(Quirk.PATIENT_SEARCHES,), (*ONCE, Quirk.PATIENT_SEARCHES)], indirect=True)
def test_a_server_that_wants_a_patient_in_every_search_is_asked_for_one(ward: Ward) -> None:
    ward.ours.options["PATIENTS"] = ward.patient.partition("/")[2]
    note = ward.note()
    assert ward.poll() == {note: "written"}
    assert ward.poll() == {note: "unchanged"}

    ward.reword(note, "Fever since noon. Cultures were drawn.")
    assert ward.poll() == {note: "written"}
    ward.revise(note, status="entered-in-error")
    ward.poll()

    inside = Site(ward.theirs.fhir, ward.theirs.database, ward.ours.options)
    assert "DO NOT USE" in text_of(documents(inside, note)[-1])
    assert len(documents(inside, note)) in (2, 3), "the third says the end where the second may not change"


@pytest.mark.parametrize("refused", ["DocumentReference.identifier", "Prefer"])
def test_a_search_or_a_header_that_is_refused_is_done_without(tmp_path: Path, refused: str) -> None:
    with filing_site(tmp_path, refused=frozenset([refused])) as sites:
        ward = Ward(*sites)
        note = ward.note()
        assert ward.poll() == {note: "written"}
        assert ward.poll(note) == {note: "unchanged"}
        assert ward.wrong() == []


@well_behaved
def test_a_document_that_lost_a_part_is_not_filed_again_and_stops_nobody(ward: Ward) -> None:
    notes = [ward.note(), ward.note("Seen on the ward. Home tomorrow.")]
    ward.poll()
    (document,) = documents(ward.ours, notes[0])
    ward.theirs.fhir.put({**document, "content": document["content"][:1]})
    for note in notes:
        ward.reword(note, f"Fever since noon. Cultures of {note} were drawn.")

    ended, _ = ward.ours.poll()

    assert (ended[notes[0]].status, ended[notes[0]].reason) == ("failed", "rejected-by-server")
    assert ended[notes[1]].status == "written"
    assert len(documents(ward.ours, notes[0])) == 1
    assert ward.wrong() == ["not-a-summary"]
