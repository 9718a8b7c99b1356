"""A deleted note on a server that keeps no history of a type: each pass looks at a few of those it knows."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import jobs.passes.deletions
from fhir_adapter.sandbox.running import running_embedded
from fhir_adapter.sandbox.settings import Quirk, SandboxSettings
from tests.contract.contract_fhir import Fhir, FhirServer
from tests.contract.lives import only, state
from tests.contract.passes import Site, reference
from tests.unit.jobs.passes.faulty import Fault, Faulty

Json = dict[str, Any]
Use = Callable[[Fault], list[Faulty]]
NOTES, A_PASS = 5, 2


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A site on a server without such a history, whose passes look at two notes each."""
    monkeypatch.setattr(jobs.passes.deletions, "LOOK", A_PASS)
    with running_embedded(SandboxSettings(quirks=frozenset([Quirk.PATIENT_PARTITIONS]))) as base_url:
        fhir = Fhir(FhirServer("embedded", base_url))
        with fhir.http:
            fhir.put({"resourceType": "Patient", "id": "p"})
            yield Site(fhir, tmp_path / "ledger.sqlite")


def filed(site: Site) -> list[Json]:
    return [
        site.document(f"Seen on day {day}. Better.", subject={"reference": "Patient/p"})
        for day in range(NOTES)
    ]


def noticed(site: Site, note: Json) -> int:
    """How many passes it takes until the summary of a note has ended."""
    for passes in range(1, NOTES + 2):
        site.poll()
        if state(only(site, note)) == ("entered-in-error", "deleted"):
            return passes
    raise AssertionError("never noticed")


@pytest.mark.parametrize("which", range(NOTES))
def test_the_passes_come_round_to_every_note(bare: Site, which: int) -> None:
    notes = filed(bare)
    bare.poll()
    bare.fhir.send("DELETE", reference(notes[which])).raise_for_status()

    assert noticed(bare, notes[which]) <= 3

    others = [note for note in notes if note is not notes[which]]
    assert {state(only(bare, note)) for note in others} == {("preliminary", None)}


def test_a_server_that_refuses_a_search_by_id_is_asked_for_each(bare: Site, faulty: Use) -> None:
    notes = filed(bare)
    bare.poll()
    bare.fhir.send("DELETE", reference(notes[0])).raise_for_status()
    faulty(lambda request: httpx.Response(400) if "DocumentReference?_id=" in str(request.url) else None)

    assert noticed(bare, notes[0]) <= 3
    assert state(only(bare, notes[1])) == ("preliminary", None)


@pytest.mark.parametrize("answer", [403, 500, 404])
def test_a_note_that_is_out_of_sight_keeps_its_summary(bare: Site, faulty: Use, answer: int) -> None:
    """A gateway's 404 has no OperationOutcome: nobody says that the note is deleted."""
    note = filed(bare)[0]
    bare.poll()

    def hidden(request: httpx.Request) -> httpx.Response | None:
        if request.url.path.endswith(reference(note)):
            return httpx.Response(answer, content=b"<html>not for you</html>")
        if "DocumentReference?_id=" in str(request.url):
            empty = {"resourceType": "Bundle", "type": "searchset", "entry": []}
            return httpx.Response(
                200, content=json.dumps(empty), headers={"content-type": "application/fhir+json"}
            )
        return None

    faulty(hidden)
    for _ in range(NOTES):
        bare.poll()

    assert state(only(bare, note)) == ("preliminary", None)
