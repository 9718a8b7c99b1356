"""Servers that search for one patient at a time: what concerns many is done for each who is known."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fhir_adapter.errors import HttpStatusError
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.searching import search_by
from fhir_adapter.sandbox.running import running_embedded
from fhir_adapter.sandbox.settings import Quirk, SandboxSettings
from fhir_adapter.writing.recall import RecalledError
from jobs.cli import run
from jobs.diagnosis import server_checks
from jobs.runtime import make_pipeline, make_summarizer
from tests.contract.contract_fhir import Fhir, FhirServer, new_id
from tests.contract.filed import FILED, ONCE, Ward, settings_of
from tests.contract.passes import Site, reference

FORMS: dict[str, tuple[Quirk, ...]] = {
    "compositions": (),
    "documents": (Quirk.DOCUMENTS_ONLY,),
    "documents filed once": (Quirk.DOCUMENTS_ONLY, *ONCE),
}


class Wards:
    """Two patients with notes; the settings name the first alone, since the second was discharged."""

    def __init__(self, here: Ward, gone: Ward) -> None:
        self.here, self.gone, self.ours = here, gone, here.ours
        self.ours.options["PATIENTS"] = f"{here.patient},{gone.patient}"
        whose = {"context": {"encounter": [{"reference": self.stay}]}}
        self.notes = [here.note(**whose), here.note("Chest clear. Home tomorrow."), gone.note()]
        assert set(here.poll().values()) == {"written"}
        self.ours.options["PATIENTS"] = here.patient

    @property
    def stay(self) -> str:
        one = {"resourceType": "Encounter", "id": f"stay-{self.here.patient[-6:]}", "status": "finished"}
        whole = {**one, "class": {"code": "IMP"}, "subject": {"reference": self.here.patient}}
        return reference(self.here.theirs.fhir.put(whole))

    def standing(self) -> dict[str, int]:
        """How many summaries in force there are of each note, by an audit of all."""
        found = dict.fromkeys(self.notes, 0)
        for proof in self.ours.audit():
            assert proof.findings == ()
            if proof.state.current:
                found[proof.source] += 1
        return found


@pytest.fixture(params=list(FORMS))
def wards(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wards]:
    database = tmp_path / "fhir.sqlite"
    quirks = frozenset([Quirk.PATIENT_SEARCHES, *FORMS[request.param]])
    odd = SandboxSettings(database=database, quirks=quirks)
    with running_embedded(SandboxSettings(database=database)) as plain, running_embedded(odd) as base_url:
        inside, outside = (Fhir(FhirServer("embedded", url)) for url in (plain, base_url))
        with inside.http, outside.http:
            options = dict(FILED) if FORMS[request.param] else {}
            ours = Site(outside, tmp_path / "ledger.sqlite", options)
            theirs = Site(inside, tmp_path / "none.sqlite")
            found = Wards(Ward(ours, theirs), Ward(ours, theirs))
            settings_of(ours, monkeypatch)
            yield found


def test_an_audit_of_all_finds_also_those_of_patients_who_are_named_no_more(wards: Wards) -> None:
    assert wards.standing() == dict.fromkeys(wards.notes, 1)
    assert set(wards.here.poll(*wards.notes[:2]).values()) == {"unchanged"}
    assert run(["reconcile"]) == 0
    assert wards.standing() == dict.fromkeys(wards.notes, 1)


def test_a_note_is_withdrawn_and_that_is_taken_back(wards: Wards) -> None:
    note, others = wards.notes[2], dict.fromkeys(wards.notes[:2], 1)

    assert run(["withdraw", "--source", note, "--yes"]) == 0
    assert wards.standing() == {**others, note: 0}
    assert wards.ours.poll([note])[0][note].reason == "withdrawn"

    assert run(["withdraw", "--source", note, "--undo", "--yes"]) == 0
    assert wards.standing() == {**others, note: 1}


def test_a_model_is_recalled_bars_the_passes_and_may_write_again(wards: Wards) -> None:
    assert run(["withdraw", "--model", "lead", "--yes"]) == 0
    assert wards.standing() == dict.fromkeys(wards.notes, 0)
    wards.here.note("Another one. Seen today.")
    with pytest.raises(RecalledError):
        wards.here.poll()

    assert run(["withdraw", "--model", "lead", "--undo", "--yes"]) == 0
    assert wards.standing() == dict.fromkeys(wards.notes, 1)
    assert "written" in wards.here.poll().values()


def test_timelines_of_a_patient_and_of_a_stay_are_shown_and_kept(wards: Wards, capsys: Any) -> None:
    for subject, notes in ((wards.here.patient, wards.notes[:2]), (wards.stay, wards.notes[:1])):
        for status in ("written", "unchanged"):
            capsys.readouterr()
            assert run(["timeline", subject, "--write", "--json"]) == 0
            found = json.loads(capsys.readouterr().out)
            assert {entry["source"] for entry in found["entries"]} == set(notes)
            assert (found["without_summary"], found["findings"]) == ([], [])
            assert found["written"]["status"] == status


def test_what_was_written_of_a_note_and_of_a_patient_is_erased(wards: Wards) -> None:
    of_note = run(["erase", "--source", wards.notes[2], "--yes"])
    of_patient = run(["erase", "--patient", wards.here.patient, "--yes"])

    left = wards.ours.audit()
    assert of_note == of_patient
    assert not any(proof.state.current for proof in left)
    if of_note:  # a server that deletes nothing: it is said, and what stays is still found by its rows
        assert {proof.source for proof in left} == set(wards.notes)
    else:
        assert left == []


def test_without_a_ledger_the_patients_of_the_settings_are_looked_at(wards: Wards, tmp_path: Path) -> None:
    bare = Site(wards.ours.fhir, tmp_path / "other.sqlite", wards.ours.options)
    assert {proof.source for proof in bare.audit()} == set(wards.notes[:2])
    assert not bare.database.exists()


def test_nothing_is_said_not_to_be_there_where_nobody_says_for_whom_to_ask(
    wards: Wards, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setenv("CLINSUM_PATIENTS", "")
    monkeypatch.setenv("CLINSUM_DATABASE_URL", f"sqlite:///{tmp_path / 'none-yet.sqlite'}")
    for command in (
        ["audit", "--all"],
        ["withdraw", "--source", wards.notes[0], "--yes"],
        ["erase", "--source", wards.notes[0], "--yes"],
    ):
        capsys.readouterr()
        assert run(command) == 3, command
        assert "CLINSUM_PATIENTS" in capsys.readouterr().err


def test_doctor_finds_nothing_amiss(wards: Wards) -> None:
    pipeline = make_pipeline(wards.ours.settings, make_summarizer(wards.ours.settings))
    found, _ = asyncio.run(server_checks(wards.ours.settings, pipeline, write=False))
    assert [check for check in found if check.status == "failure"] == []
    assert "lacks" not in " ".join(check.value for check in found if check.name == "known summaries")


def test_a_note_that_moves_to_another_patient_takes_its_summary_along(wards: Wards) -> None:
    wards.ours.options["PATIENTS"] = f"{wards.here.patient},{wards.gone.patient}"
    note = wards.notes[1]
    wards.here.revise(note, subject={"reference": wards.gone.patient})
    assert wards.here.poll()[note] == "written"
    assert wards.standing() == dict.fromkeys(wards.notes, 1)
    assert wards.here.poll(note) == {note: "unchanged"}

    wards.here.revise(note, subject={"reference": wards.here.patient})
    assert wards.here.poll()[note] == "written"
    assert wards.standing() == dict.fromkeys(wards.notes, 1)
    ids = [proof.composition for proof in wards.ours.audit() if proof.source == note]
    assert len(ids) == 1


class _Two:
    """Two patients, one of whom may not be asked for."""

    def __init__(self, names: list[str]) -> None:
        self.names = names

    async def named(self) -> list[str]:
        return self.names

    async def everyone(self) -> list[str]:
        return self.names

    async def notes_of(self, _: object) -> list[str]:
        return []


def test_a_patient_who_may_not_be_asked_for_makes_the_whole_a_failure() -> None:
    odd = SandboxSettings(quirks=frozenset([Quirk.PATIENT_SEARCHES]))
    asked: list[str] = []

    class Refusing(FhirClient):
        async def search(self, resource_type: str, params: Any, start: str = "") -> Any:
            whose = dict(params).get("patient") or dict(params).get("subject")
            asked.append(str(whose))
            if whose == "Patient/secret":
                raise HttpStatusError(403, "search of Composition")
            async for page in super().search(resource_type, params, start):
                yield page

    async def walked() -> None:
        async with Refusing(base_url) as client:
            client.patients = _Two(["Patient/secret", new_id("Patient/other")])
            async for _ in search_by(client, "Composition", [[("_count", "5")]], walk=True):
                pass

    with running_embedded(odd) as base_url, pytest.raises(HttpStatusError) as refused:
        asyncio.run(walked())
    assert refused.value.status == 403
    assert asked[-1].startswith("Patient/other"), "the others were asked for all the same"


def test_whoever_was_seen_before_is_known_by_the_ledger(wards: Wards) -> None:
    wards.ours.options["PATIENTS"] = "seen"
    new = wards.gone.note("Seen by surgery. No operation planned.")
    assert wards.gone.poll()[new] == "written"
