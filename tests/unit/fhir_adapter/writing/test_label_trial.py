"""The trial of the label: what it concludes, and that nothing stays behind."""

import json
from typing import Any

import pytest

from fhir_adapter.errors import RefusedError
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.sandbox.running import running_embedded
from fhir_adapter.writing.label_trial import LabelVerdict, Trial, try_label
from tests.unit.fhir_adapter.rest.scripted_server import (
    Answer,
    Request,
    ScriptedServer,
    bundle,
    client_for,
    fhir,
    outcome,
)

SYSTEM, CODE = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "AIAST"


class Server:
    """A server that knows the label or not, and offers what a test lets it offer."""

    def __init__(self, *, validates: bool = False, knows: bool = True, takes: bool = True) -> None:
        self.validates, self.knows, self.takes = validates, knows, takes
        self.interactions = ["create", "delete"]
        self.location = True
        self.deletes = True
        self.kept: dict[str, dict[str, Any]] = {}
        self.written = 0

    def __call__(self, request: Request) -> Answer:
        if request.path.endswith("/metadata"):
            return self._metadata()
        if request.path.endswith("/$validate"):
            return self._validate(json.loads(request.body))
        if request.method == "DELETE":
            return self._delete(request.path.rpartition("/")[2])
        if request.method == "GET":
            return bundle(*self.kept.values())
        return self._transaction(json.loads(request.body)["entry"][0]["resource"])

    def _metadata(self) -> Answer:
        interactions = [{"code": code} for code in self.interactions]
        rest = [{"mode": "server", "resource": [{"type": "Composition", "interaction": interactions}]}]
        return fhir({"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": rest})

    def _faulty(self, resource: dict[str, Any]) -> bool:
        labels = resource.get("meta", {}).get("security", [])
        assert labels in ([], [{"system": SYSTEM, "code": CODE}])
        return not self.takes or (bool(labels) and not self.knows)

    def _validate(self, resource: dict[str, Any]) -> Answer:
        if not self.validates:
            return outcome(404, "not-supported")
        severity = "error" if self._faulty(resource) else "information"
        return fhir(
            {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": "invalid"}]}
        )

    def _transaction(self, resource: dict[str, Any]) -> Answer:
        if self._faulty(resource):
            return outcome(422, "invalid")
        self.written += 1
        name = f"trial-{self.written}"
        self.kept[name] = {**resource, "id": name}
        response = {"status": "201 Created"}
        if self.location:
            response["location"] = f"Composition/{name}/_history/1"
        entry = [{"response": response}]
        return fhir({"resourceType": "Bundle", "type": "transaction-response", "entry": entry})

    def _delete(self, name: str) -> Answer:
        if not self.deletes:
            return outcome(405, "not-supported")
        del self.kept[name]
        return Answer(204)


async def tried(server: Server) -> Trial:
    async with ScriptedServer(server) as scripted, client_for(scripted) as client:
        return await try_label(client, SYSTEM, CODE)


async def test_a_server_that_validates_is_asked_and_never_written_to() -> None:
    server = Server(validates=True)
    assert await tried(server) == Trial(LabelVerdict.TAKEN, "$validate")
    assert server.written == 0


async def test_a_label_that_alone_is_invalid_is_unknown() -> None:
    server = Server(validates=True, knows=False)
    assert await tried(server) == Trial(LabelVerdict.UNKNOWN, "$validate")
    assert server.written == 0


async def test_without_validation_one_is_created_and_deleted_again() -> None:
    server = Server()
    assert await tried(server) == Trial(LabelVerdict.TAKEN, "create and delete")
    assert (server.written, server.kept) == (1, {})


async def test_one_refused_with_the_label_alone_is_the_label_refused() -> None:
    server = Server(knows=False)
    assert await tried(server) == Trial(LabelVerdict.REFUSED, "create and delete")
    assert (server.written, server.kept) == (1, {})


async def test_one_refused_either_way_says_nothing_of_the_label() -> None:
    assert await tried(Server(takes=False)) == Trial(LabelVerdict.UNTRIED)


@pytest.mark.parametrize("interactions", [["create"], ["delete"], []])
async def test_nothing_is_created_where_deletion_is_not_stated(interactions: list[str]) -> None:
    server = Server()
    server.interactions = interactions
    assert await tried(server) == Trial(LabelVerdict.UNTRIED)
    assert server.written == 0


async def test_one_whose_place_is_not_stated_is_found_and_deleted() -> None:
    server = Server()
    server.location = False
    assert (await tried(server)).verdict is LabelVerdict.TAKEN
    assert (server.written, server.kept) == (1, {})


async def test_one_that_cannot_be_deleted_is_named() -> None:
    server = Server()
    server.deletes = False
    assert await tried(server) == Trial(LabelVerdict.TAKEN, "create and delete", "Composition/trial-1")


async def test_credentials_that_are_refused_are_not_taken_for_the_label() -> None:
    async with (
        ScriptedServer(lambda _: outcome(403, "forbidden")) as scripted,
        client_for(scripted) as client,
    ):
        with pytest.raises(RefusedError):
            await try_label(client, SYSTEM, CODE)


async def test_nothing_stays_on_a_real_server() -> None:
    with running_embedded() as base_url:
        async with FhirClient(base_url) as client:
            trial = await try_label(client, SYSTEM, CODE)
            assert trial == Trial(LabelVerdict.TAKEN, "create and delete")
            assert [r async for page in client.search("Composition", []) for r in page.resources] == []
