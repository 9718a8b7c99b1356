"""What was deleted is read off the history of a type."""

from datetime import timedelta
from typing import Any

import pytest

from fhir_adapter.errors import HttpStatusError
from fhir_adapter.reading.source import Source
from fhir_adapter.rest.wire import history_entries
from tests.unit.fhir_adapter.rest.scripted_server import Answer, Request, ScriptedServer, client_for, fhir

TAG = ("http://example.org/tags", "derived")
WATERMARK = "2026-01-02T10:00:00Z"


def entry(method: str, url: str, **more: Any) -> dict[str, Any]:
    return {"request": {"method": method, "url": url}, **more}


def history(*entries: Any, next_url: str | None = None) -> Answer:
    links = [{"relation": "next", "url": next_url}] if next_url else []
    return fhir({"resourceType": "Bundle", "type": "history", "link": links, "entry": list(entries)})


def statement(*, interaction: str = "history-type", stamps: bool = True) -> Answer:
    params = [{"name": "_lastUpdated"}] if stamps else [{"name": "date"}]
    resource = {"type": "DocumentReference", "searchParam": params, "interaction": [{"code": interaction}]}
    rest = [{"mode": "server", "resource": [resource]}]
    return fhir({"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": rest})


async def deleted(server: ScriptedServer) -> list[str]:
    async with server, client_for(server) as client:
        source = Source(client, derived_tag=TAG, overlap=timedelta(minutes=2))
        return await source.deleted_since("DocumentReference", WATERMARK)


async def test_the_newest_entry_of_each_note_decides_over_all_pages() -> None:
    def handle(request: Request) -> Answer:
        if request.path.endswith("/metadata"):
            return statement()
        if "_getpages" in dict(request.params):
            return history(
                entry("DELETE", "DocumentReference/back/_history/2"),
                entry("DELETE", "DocumentReference/gone/_history/4"),
            )
        assert request.path.endswith("/DocumentReference/_history")
        assert dict(request.params)["_since"] == "2026-01-02T09:58:00.000Z"
        return history(
            entry("PUT", "DocumentReference/back/_history/3", resource={"id": "back"}),
            entry("DELETE", "https://fhir.example.org/fhir/DocumentReference/early/_history/9"),
            next_url=f"{server.base_url}?_getpages=1",
        )

    server = ScriptedServer(handle)
    assert await deleted(server) == ["DocumentReference/early", "DocumentReference/gone"]


@pytest.mark.parametrize("answer", [statement(interaction="read"), statement(stamps=False)])
async def test_a_server_without_such_a_history_is_not_asked(answer: Answer) -> None:
    def handle(request: Request) -> Answer:
        assert "_history" not in request.path
        return answer if request.path.endswith("/metadata") else Answer(400)

    assert await deleted(ScriptedServer(handle)) == []


async def test_a_history_whose_pages_were_forgotten_is_begun_again() -> None:
    asked: list[str] = []

    def handle(request: Request) -> Answer:
        if request.path.endswith("/metadata"):
            return statement()
        asked.append(request.path)
        if "_getpages" in dict(request.params):
            return Answer(410) if len(asked) < 4 else history(entry("DELETE", "DocumentReference/b"))
        return history(entry("DELETE", "DocumentReference/a"), next_url=f"{server.base_url}?_getpages=1")

    server = ScriptedServer(handle)
    assert await deleted(server) == ["DocumentReference/a", "DocumentReference/b"]


async def test_a_refusal_is_for_the_pass_to_judge() -> None:
    server = ScriptedServer(lambda r: statement() if r.path.endswith("/metadata") else Answer(403))
    with pytest.raises(HttpStatusError):
        await deleted(server)


@pytest.mark.parametrize(
    "odd", [None, "x", [7], [{}], [{"request": "x"}], [entry("DELETE", "Patient/1")], [entry("DELETE", "")]]
)
def test_odd_entries_name_nothing(odd: Any) -> None:
    assert history_entries({"entry": odd}, "DocumentReference") == []


def test_an_entry_is_known_by_its_address_or_its_resource() -> None:
    entries = [
        entry("DELETE", "", fullUrl="https://fhir.example.org/DocumentReference/1"),
        entry("PUT", "odd", resource={"id": "2"}),
    ]
    assert history_entries({"entry": entries}, "DocumentReference") == [
        ("DocumentReference/1", True),
        ("DocumentReference/2", False),
    ]
