"""Reads of many resources in one request: what an answer says, and what it leaves open."""

import json
from typing import Any

import pytest

from fhir_adapter.rest.looks import look_at_all
from tests.unit.fhir_adapter.rest.scripted_server import (
    Answer,
    Request,
    ScriptedServer,
    capability,
    client_for,
    fhir,
    outcome,
)

ASKED = [f"Composition/{ident}" for ident in "abcdef"]


def entry(status: str, **resource: Any) -> dict[str, Any]:
    found = {"resource": {"resourceType": "Composition", **resource}} if resource else {}
    return {**found, "response": {"status": status}}


def batched(*codes: str) -> Answer:
    """A CapabilityStatement of a server that declares these interactions."""
    statement = json.loads(capability().body)
    statement["rest"][0]["interaction"] = [{"code": code} for code in codes]
    return fhir(statement)


async def looked(answer: Answer, *codes: str) -> tuple[dict[str, Any], list[Request]]:
    sent: list[Request] = []

    def script(request: Request) -> Answer:
        if request.path.endswith("/metadata"):
            return batched(*(codes or ("batch", "transaction")))
        sent.append(request)
        return answer

    async with ScriptedServer(script) as server, client_for(server, retries=0) as client:
        return await look_at_all(client, ASKED), sent


async def test_one_request_says_what_is_there_and_what_is_not() -> None:
    entries = [
        entry("200 OK", id="a"),
        entry("404 Not Found"),
        entry("410"),
        entry("500 Internal Server Error"),
        entry("200", id="another"),
        {"response": {}},
    ]
    found, sent = await looked(fhir({"resourceType": "Bundle", "type": "batch-response", "entry": entries}))
    assert found == {
        "Composition/a": {"resourceType": "Composition", "id": "a"},
        "Composition/b": None,
        "Composition/c": None,
    }
    (request,) = sent
    asked = json.loads(request.body)
    assert (request.method, asked["type"]) == ("POST", "batch")
    assert [e["request"] for e in asked["entry"]] == [{"method": "GET", "url": one} for one in ASKED]


@pytest.mark.parametrize(
    "answer",
    [
        fhir({"resourceType": "Bundle", "type": "batch-response", "entry": [entry("404")] * 5}),
        fhir({"resourceType": "Bundle", "type": "batch-response"}),
        fhir({"resourceType": "Composition", "entry": [entry("404")] * 6}),
        outcome(400, "not-supported"),
        outcome(403, "forbidden"),
        Answer(200, b"<html>"),
        Answer(drop=True),
    ],
)
async def test_an_answer_that_does_not_say_it_says_nothing(answer: Answer) -> None:
    found, sent = await looked(answer)
    assert found == {}
    assert len(sent) == 1


async def test_a_server_that_takes_no_batches_is_not_asked() -> None:
    found, sent = await looked(outcome(500, "exception"), "transaction")
    assert (found, sent) == ({}, [])
