"""Notes read from one server, summaries written to another: what stands where; nothing is mistaken."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fhir_adapter.audit.findings import Finding
from fhir_adapter.rest.two_servers import MARK
from fhir_adapter.sandbox.running import running_embedded
from fhir_adapter.sandbox.settings import SandboxSettings
from fhir_adapter.timeline.writer import WriteStatus
from jobs.cli import run
from jobs.runtime import open_ledger
from jobs.schedule import reconcile
from jobs.settings import SettingsError
from tests.contract.contract_fhir import Fhir, FhirServer, new_id
from tests.contract.copied import OTHER, WORDS
from tests.contract.lives import ended, html_document, revised
from tests.contract.passes import Site, reference
from tests.contract.timelines import a_chart, shown
from tests.places import ROOT

CHECK = ROOT / "docs" / "check_offsets.py"
Json = dict[str, Any]


class Pair:
    """A site whose summaries stand on another server, which has resources of the same ids as the notes'."""

    def __init__(self, notes: Fhir, written: Fhir, database: Path) -> None:
        self.notes, self.there = notes, written
        self.site = Site(notes, database, {"WRITE_BASE_URL": written.server.base_url, "PIPELINE": "apart"})

    def url(self, resource: Json) -> str:
        return f"{self.notes.server.base_url}/{reference(resource)}"

    def written(self, note: Json) -> list[Json]:
        return self.there.matches(self.there.get("Composition", entry=self.url(note)))

    def only(self, note: Json) -> Json:
        (composition,) = self.written(note)
        return composition

    def note(self, text: str = "No fever today. Stable on ceftriaxone.", **changed: Any) -> Json:
        """A plain note of a patient, and on the other server others of the same names."""
        patient = self.notes.put({"resourceType": "Patient", "id": new_id("patient")})
        note = self.site.document(text, subject={"reference": reference(patient)}, **changed)
        self.decoy(patient)
        self.decoy({**note, "status": "entered-in-error"})
        return note

    def decoy(self, resource: Json) -> None:
        answer = self.there.send("PUT", reference(resource), resource)
        assert answer.status_code in {200, 201, 405}, "a server that gives out the ids has its own"

    def audited(self, composition: Json) -> set[Finding]:
        return {finding for finding, _ in self.site.one_audit(reference(composition)).findings}


@pytest.fixture
def notes() -> Iterator[Fhir]:
    with running_embedded() as base_url:
        fhir = Fhir(FhirServer("embedded", base_url))
        with fhir.http:
            yield fhir


@contextmanager
def pair_of(notes: Fhir, database: Path, *, own_ids: bool) -> Iterator[Pair]:
    with running_embedded(SandboxSettings(update_create=not own_ids)) as base_url:
        fhir = Fhir(FhirServer("embedded", base_url))
        with fhir.http:
            yield Pair(notes, fhir, database)


@pytest.fixture(params=[False, True], ids=["our ids", "its own ids"])
def pair(notes: Fhir, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Pair]:
    with pair_of(notes, tmp_path / "ledger.sqlite", own_ids=request.param) as found:
        yield found


@pytest.fixture(params=["our ids", "its own ids", pytest.param("hapi", marks=pytest.mark.hapi)])
def any_pair(notes: Fhir, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Pair]:
    """As `pair`, also with HAPI as the server that is written to."""
    database = tmp_path / "ledger.sqlite"
    if request.param != "hapi":
        with pair_of(notes, database, own_ids=request.param == "its own ids") as found:
            yield found
        return
    fhir = Fhir(request.getfixturevalue("hapi_server"))
    with fhir.http:
        yield Pair(notes, fhir, database)


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("reference"), str):
            yield node["reference"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for item in node:
            yield from references(item)


def test_copies_share_a_summary_that_names_them_by_their_addresses(any_pair: Pair) -> None:
    pair = any_pair
    first = pair.note(WORDS)
    notes = [first, pair.site.document(WORDS, subject=first["subject"])]
    pair.site.poll()
    pair.site.poll([reference(note) for note in notes])

    (composition,) = [one for note in notes for one in pair.written(note)]
    found = pair.there.matches(pair.there.get("Provenance", target=reference(composition)))
    named = [entity["what"]["reference"].split("/_history")[0] for one in found for entity in one["entity"]]
    assert sorted(named) == sorted(map(pair.url, notes))
    assert pair.audited(composition) == set()

    (copy,) = [note for note in notes if not pair.written(note)]
    (owner,) = [note for note in notes if note is not copy]
    revised(pair.site, owner, OTHER)
    pair.site.poll()
    assert [len(pair.written(note)) for note in notes] == [1, 1]


def checked(pair: Pair, composition: Json) -> list[str]:
    """What the script that shares no code with us finds wrong."""
    address = f"{pair.there.server.base_url}/{reference(composition)}"
    done = subprocess.run([sys.executable, str(CHECK), address], capture_output=True, text=True, check=False)
    wrong = [line for line in done.stdout.splitlines() if line.startswith("WRONG")]
    assert (done.returncode == 0) == (not wrong), done.stderr
    return wrong


def kinds(fhir: Fhir) -> dict[str, int]:
    """How many resources there are of each type that is written."""
    found = ("Composition", "Device", "Provenance", "DocumentReference", "Patient")
    return {kind: len(fhir.search(kind)) for kind in found}


def test_summaries_stand_on_the_other_server_and_name_the_notes_by_their_address(any_pair: Pair) -> None:
    pair = any_pair
    plain = pair.note()
    rich = html_document(pair.site, subject=plain["subject"])
    before = kinds(pair.notes)

    assert {one.status for one in pair.site.poll()[0].values()} == {"written"}

    assert kinds(pair.notes) == before, "nothing is written to the server of the notes"
    own = {"Device", "DocumentReference", "Composition"}
    for note in (plain, rich):
        composition = pair.only(note)
        section = composition["section"][0]
        assert section["entry"] == [{"reference": pair.url(note), "type": "DocumentReference"}]
        patient = f"{pair.notes.server.base_url}/{plain['subject']['reference']}"
        assert composition["subject"]["reference"] == patient
        (provenance,) = pair.there.matches(pair.there.get("Provenance", target=reference(composition)))
        (source,) = [entity["what"]["reference"] for entity in provenance["entity"]]
        assert source.startswith(pair.url(note))
        for one in (*references(composition), *references(provenance)):
            assert MARK not in one
            relative = "://" not in one
            assert relative == (one.partition("/")[0] in own), one
            if relative:
                pair.there.get(one)
        assert not pair.audited(composition)
        assert checked(pair, composition) == []
    text = section["extension"][0]["extension"][0]["valueReference"]["reference"]
    assert pair.there.get(text)["relatesTo"][0]["target"]["reference"] == pair.url(rich)


def test_a_second_pass_and_a_lost_ledger_write_nothing(pair: Pair, tmp_path: Path) -> None:
    note = pair.note()
    html_document(pair.site)
    pair.site.poll()
    versions = [one["meta"]["versionId"] for kind in kinds(pair.there) for one in _all(pair.there, kind)]

    pair.site.poll()
    lost = Site(pair.notes, tmp_path / "lost.sqlite", pair.site.options)

    assert lost.poll()[0][reference(note)].status == "unchanged"
    again = [one["meta"]["versionId"] for kind in kinds(pair.there) for one in _all(pair.there, kind)]
    assert again == versions


def _all(fhir: Fhir, kind: str) -> list[Json]:
    return sorted(fhir.matches(fhir.get(kind)), key=lambda one: str(one["id"]))


def test_a_summary_follows_its_note(any_pair: Pair, capsys: pytest.CaptureFixture[str]) -> None:
    pair = any_pair
    note = html_document(pair.site, subject=pair.note()["subject"])
    pair.site.poll()
    note = revised(pair.site, note, "The fever is gone.")
    pair.site.poll()
    composition = pair.only(note)
    assert "The fever is gone." in composition["section"][0]["text"]["div"]
    assert not pair.audited(composition)

    pair.there.put(_signed(composition))
    note = revised(pair.site, note, "The fever is back.")
    pair.site.poll()
    theirs, ours = sorted(pair.written(note), key=lambda one: str(one["status"]))
    assert (theirs["status"], ours["status"]) == ("final", "preliminary")
    assert theirs["section"] == composition["section"]

    revised(pair.site, note, status="entered-in-error")
    pair.site.poll()
    assert {ended(one) for one in pair.written(note)} == {None, "entered-in-error"}


def _signed(composition: Json) -> Json:
    return {**composition, "status": "final", "attester": [{"mode": "professional"}]}


def test_a_summary_that_the_other_server_lost_comes_back(pair: Pair) -> None:
    note = pair.note()
    pair.site.poll()
    pair.there.send("DELETE", reference(pair.only(note))).raise_for_status()

    with open_ledger(pair.site.settings) as ledger:
        totals = asyncio.run(reconcile(pair.site.settings, ledger, None, None, lambda _: None))

    assert totals.missed == 1
    assert not pair.audited(pair.only(note))


def test_what_came_from_a_note_is_withdrawn_and_erased_there(
    pair: Pair, capsys: pytest.CaptureFixture[str]
) -> None:
    note, other = html_document(pair.site, subject=pair.note()["subject"]), pair.note()
    pair.site.poll()
    sets = [f"--set={name}={value}" for name, value in pair.site.options.items()]
    base = [f"--set=FHIR_BASE_URL={pair.notes.server.base_url}", "--set=ENGINE=lead"]
    base.append(f"--set=DATABASE_URL=sqlite:///{pair.site.database}")

    assert run(["withdraw", "--source", reference(note), "--yes", "--json", *sets, *base]) == 0
    assert ended(pair.only(note)) == "source-withdrawn"
    assert ended(pair.only(other)) is None

    capsys.readouterr()
    assert run(["erase", "--patient", note["subject"]["reference"], "--yes", "--json", *sets, *base]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["summary"]["deleted"] > 0
    assert pair.written(note) == []
    assert [one for one in _all(pair.there, "DocumentReference") if reference(note) in str(one)] == []
    assert pair.notes.get(reference(note)) == note
    assert pair.only(other)


def test_a_timeline_is_made_of_both(any_pair: Pair) -> None:
    pair = any_pair
    chart = a_chart(pair.site)
    pair.decoy({"resourceType": "Patient", "id": chart.patient.partition("/")[2]})
    about = {"subject": {"reference": chart.patient}}
    pair.site.document("Fever of 38.9 overnight.", date="2025-03-02T10:00:00Z", **about)
    html_document(pair.site, date="2025-03-01T10:00:00Z", **about)
    pair.site.poll()

    found, kept = chart.keep()

    assert found.ok
    assert [day for day, _ in shown(found)] == ["2025-03-01", "2025-03-02"]
    assert kept.status is WriteStatus.WRITTEN
    assert chart.keep()[1].status is WriteStatus.UNCHANGED
    composition = pair.there.get(kept.composition)
    assert composition["subject"]["reference"] == f"{pair.notes.server.base_url}/{chart.patient}"
    assert pair.site.one_audit(kept.composition).ok
    assert checked(pair, composition) == []


@pytest.mark.parametrize("place", ["entry", "subject"])
def test_a_reference_to_the_other_servers_own_note_or_patient_is_found(pair: Pair, place: str) -> None:
    note = pair.note()
    pair.site.poll()
    composition = pair.only(note)
    holder = composition if place == "subject" else composition["section"][0]["entry"][0]
    holder = holder["subject"] if place == "subject" else holder
    holder["reference"] = "/".join(holder["reference"].split("/")[-2:])
    pair.there.put(composition)

    found = pair.audited(composition)
    assert checked(pair, composition)
    assert found & {Finding.SUBJECT_DIFFERS, Finding.SOURCE_GONE, Finding.SOURCE_MISMATCH}


def test_notes_of_two_servers_that_are_called_the_same_get_a_summary_each(pair: Pair, tmp_path: Path) -> None:
    with running_embedded() as base_url:
        fhir = Fhir(FhirServer("embedded", base_url))
        with fhir.http:
            second = Pair(fhir, pair.there, tmp_path / "second.sqlite")
            one = pair.site.document("The left lung is clear.", id="same")
            other = second.site.document("The right lung is clear.", id="same")
            for _ in range(2):
                pair.site.poll()
                second.site.poll()

            assert "left" in pair.only(one)["section"][0]["text"]["div"]
            assert "right" in second.only(other)["section"][0]["text"]["div"]
            assert not pair.audited(pair.only(one))
            assert not second.audited(second.only(other))


def test_doctor_names_both(pair: Pair, capsys: pytest.CaptureFixture[str]) -> None:
    base = [f"--set=FHIR_BASE_URL={pair.notes.server.base_url}", "--set=ENGINE=lead"]
    base.append(f"--set=DATABASE_URL=sqlite:///{pair.site.database}")
    before = kinds(pair.notes)

    gone = "http://127.0.0.1:9/fhir"
    for url, code, status in ((pair.there.server.base_url, 0, "ok"), (gone, 3, "failure")):
        capsys.readouterr()
        assert run(["doctor", "--write-test", "--json", *base, f"--set=WRITE_BASE_URL={url}"]) == code
        checks = json.loads(capsys.readouterr().out)["checks"]
        assert [one["status"] for one in checks if one["name"] == "server written to"] == [status]
    assert kinds(pair.notes) == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"WRITE_BASE_URL": "ftp://there"}, "http:// or https://"),
        ({"WRITE_BASE_URL": "http://there/fhir", "WRITE_AUTH": "bearer"}, "needs CLINSUM_WRITE_TOKEN"),
        ({"WRITE_BASE_URL": "http://there/fhir", "AUDIT_EVENTS": "true"}, "for one server alone"),
        ({"WRITE_BASE_URL": "http://here/fhir"}, "leave it empty for one server"),
    ],
)
def test_settings_that_cannot_be_meant(options: dict[str, str], message: str, tmp_path: Path) -> None:
    site = Site(Fhir(FhirServer("embedded", "http://here/fhir")), tmp_path / "l", options)
    with pytest.raises(SettingsError, match=message):
        assert site.settings
