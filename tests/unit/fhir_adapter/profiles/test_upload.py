"""Loading the definitions, also onto servers that lack the code systems of other guides."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from fhir_adapter import canonical
from fhir_adapter.errors import HttpStatusError
from fhir_adapter.profiles import definitions
from fhir_adapter.profiles.upload import Loaded, borrowed_bundle, load, upload_bundle
from tests.unit.fhir_adapter.rest.scripted_server import (
    Answer,
    Request,
    ScriptedServer,
    client_for,
    fhir,
    outcome,
)


def test_what_is_borrowed_holds_each_code_that_the_definitions_use() -> None:
    systems = [entry["resource"] for entry in borrowed_bundle()["entry"]]
    for resource in systems:
        get_fhir_model_class("CodeSystem").model_validate(resource)
    held = {(one["url"], concept["code"]) for one in systems for concept in one["concept"]}
    assert held == {
        coding
        for definition in definitions()
        for coding in codings(definition)
        if coding[0] in (canonical.AI_INPUTS, canonical.AI_DEVICE_TYPE)
    }


def codings(node: Any) -> set[tuple[str, str]]:
    """All (system, code) in a definition."""
    if isinstance(node, dict):
        own = {(node["system"], node["code"])} if {"system", "code"} <= set(node) else set()
        return own.union(*map(codings, node.values()))
    return set().union(*map(codings, node)) if isinstance(node, list) else set()


def stored(bundle: dict[str, Any]) -> Answer:
    entries = [{"response": {"status": "201 Created"}} for _ in bundle["entry"]]
    return fhir({"resourceType": "Bundle", "type": "transaction-response", "entry": entries})


def of_software(name: str, version: str) -> Answer:
    """What a server of this software says of itself."""
    software = {"name": name, "version": version}
    return fhir({"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "software": software})


def answering(
    write: Callable[[Request], Answer], name: str = "Any", version: str = "1"
) -> Callable[[Request], Answer]:
    """What a server of this software answers; to a transaction what `write` does."""
    return lambda request: of_software(name, version) if request.method == "GET" else write(request)


async def test_a_server_that_knows_the_code_systems_gets_the_definitions_alone() -> None:
    sent: list[dict[str, Any]] = []

    def handle(request: Request) -> Answer:
        sent.append(json.loads(request.body))
        return stored(sent[-1])

    async with ScriptedServer(answering(handle)) as server, client_for(server, retries=0) as client:
        assert await load(client) == Loaded(created=len(definitions()), kept=0)
    assert sent == [upload_bundle()]


async def test_a_server_that_validates_gets_the_code_systems_that_it_lacks_first() -> None:
    sent: list[dict[str, Any]] = []

    def handle(request: Request) -> Answer:
        sent.append(json.loads(request.body))
        return stored(sent[-1]) if borrowed_bundle() in sent else outcome(422, "processing", "unknown system")

    async with ScriptedServer(answering(handle)) as server, client_for(server, retries=0) as client:
        assert (await load(client)).created == len(definitions())
    assert sent == [upload_bundle(), borrowed_bundle(), upload_bundle()]


@pytest.mark.parametrize(("status", "asked"), [(403, 1), (422, 2)])
async def test_a_server_that_takes_no_definitions_is_left_at_that(status: int, asked: int) -> None:
    async with (
        ScriptedServer(answering(lambda _: outcome(status, "forbidden"))) as server,
        client_for(server, retries=0) as client,
    ):
        with pytest.raises(HttpStatusError):
            await load(client)
        assert [request.method for request in server.requests].count("POST") == asked


@pytest.mark.parametrize(
    ("name", "version", "begins"),
    [
        ("HAPI FHIR Server", "6.4.0/4529f38e74/2023-02-15", True),
        ("HAPI FHIR Server", "7.2.0", False),
        ("HAPI FHIR Server", "8.8.0-SNAPSHOT", False),
        ("Helios", "0.2.7", False),
    ],
)
async def test_a_server_that_remembers_what_it_lacked_is_asked_for_nothing_that_is_not_there(
    name: str, version: str, begins: bool
) -> None:
    """HAPI 6 takes whole code systems alone, and these before all else; then each definition by itself."""
    sent: list[dict[str, Any]] = []

    def handle(request: Request) -> Answer:
        sent.append(json.loads(request.body))
        return stored(sent[-1])

    async with (
        ScriptedServer(answering(handle, name, version)) as server,
        client_for(server, retries=0) as client,
    ):
        assert (await load(client)).created == len(definitions())
    if begins:
        assert sent[0] == borrowed_bundle(whole=True)
        assert [len(bundle["entry"]) for bundle in sent[1:]] == [1] * len(definitions())
    else:
        assert sent == [upload_bundle()]
    assert {entry["resource"]["content"] for entry in borrowed_bundle()["entry"]} == {"fragment"}


def test_each_definition_comes_after_those_that_it_names() -> None:
    """A code system names its value set, which comes after it."""
    resources = [entry["resource"] for entry in upload_bundle()["entry"]]
    urls = [resource["url"] for resource in resources]
    assert sorted(urls) == sorted(one["url"] for one in definitions())
    for number, resource in enumerate(resources):
        text, later = json.dumps({**resource, "valueSet": None}), urls[number + 1 :]
        assert not [url for url in later if f'"{url}"' in text]
