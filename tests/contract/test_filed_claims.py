"""Filed documents claim their profile, wherever the server lets them."""

import json
from typing import Any, ClassVar

import httpx
import pytest

import fhir_adapter.rest.client
from fhir_adapter import canonical
from fhir_adapter.rest.lanes import Lanes
from tests.contract.filed import Ward, current, documents, well_behaved
from tests.contract.passes import reference


def claims(document: dict[str, Any]) -> bool:
    return canonical.FILED_PROFILE in document["meta"].get("profile", [])


class Validating(Lanes):
    """A real connection to a server that refuses a profile which it does not know."""

    status = 422
    refused: ClassVar[list[str]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        sent = json.loads(request.content) if request.method in ("POST", "PUT") else {}
        if canonical.FILED_PROFILE in sent.get("meta", {}).get("profile", []):
            self.refused.append(request.method)
            return httpx.Response(self.status, request=request)
        return await super().handle_async_request(request)


@pytest.fixture(params=[400, 422])
def validating(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(fhir_adapter.rest.client, "Lanes", Validating)
    monkeypatch.setattr(Validating, "status", request.param)
    monkeypatch.setattr(Validating, "refused", [])
    return Validating.refused


def test_a_document_claims_its_profile_when_it_is_filed_and_when_it_ends(ward: Ward) -> None:
    note = ward.note()
    ward.poll()
    assert [claims(one) for one in documents(ward.ours, note)] == [True]

    ward.revise(note, status="entered-in-error")
    ward.poll()

    assert all(claims(one) for one in documents(ward.ours, note))


@well_behaved
def test_one_that_was_filed_without_is_proven_and_left_until_it_changes(ward: Ward) -> None:
    note = ward.note()
    ward.poll()
    (document,) = documents(ward.ours, note)
    bare = {name: value for name, value in document["meta"].items() if name != "profile"}
    before = ward.theirs.fhir.put({**document, "meta": bare})

    assert ward.wrong() == []
    assert ward.poll(note) == {note: "unchanged"}
    assert ward.theirs.fhir.get(reference(before)) == before

    ward.reword(note, "Fever since noon. Cultures were drawn.")
    ward.poll()
    assert [claims(one) for one in current(ward.ours, note)] == [True]
    assert ward.wrong() == []


def test_a_server_that_refuses_the_profile_has_documents_without(ward: Ward, validating: list[str]) -> None:
    notes = [ward.note(), ward.note("Seen on the ward. Chest clear. Home tomorrow.")]

    assert ward.poll() == dict.fromkeys(notes, "written")
    assert validating == ["POST"], "it is not claimed again in the same process"
    assert ward.poll(*notes) == dict.fromkeys(notes, "unchanged")

    ward.revise(notes[0], status="entered-in-error")
    ward.poll()
    assert not any(map(claims, documents(ward.theirs)))
    assert current(ward.theirs, notes[0]) == []
    assert ward.wrong() == []
