"""Side searches on servers whose links to further pages never end."""

from typing import Any

import pytest

from fhir_adapter.errors import EndlessLinksError
from fhir_adapter.rest.matches import matches
from tests.unit.fhir_adapter.rest.scripted_server import Answer, ScriptedServer, client_for, fhir


def endless(held: int, total: int | None) -> Any:
    """Gives the same resources under ever new links."""
    asked: list[Any] = []

    def handle(request: Any) -> Answer:
        asked.append(request)
        entries = [{"resource": {"resourceType": "Device", "id": str(n)}} for n in range(held)]
        link = {"relation": "next", "url": f"http://{request.headers['host']}/fhir/Device?page={len(asked)}"}
        found: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "entry": entries}
        return fhir({**found, "link": [link], **({} if total is None else {"total": total})})

    return handle


async def found(held: int, total: int | None, *params: tuple[str, str], most: int = 200) -> list[str]:
    async with ScriptedServer(endless(held, total)) as server, client_for(server) as client:
        ids = [one["id"] async for one in matches(client, "Device", [("identifier", "a|b"), *params])]
        assert len(server.requests) <= most
    return ids


@pytest.mark.parametrize(("held", "total"), [(2, 2), (5, 5), (2, None), (4, None), (2, 1)])
async def test_what_came_counts_where_nothing_says_that_there_is_more(held: int, total: int | None) -> None:
    assert set(await found(held, total, ("_count", "5"), most=2)) == {str(n) for n in range(held)}


async def test_empty_pages_without_end_are_not_followed_where_nothing_is_said_to_be_there() -> None:
    assert await found(0, 0, ("_count", "5"), most=1) == []
    assert await found(0, None, ("_count", "5")) == []


@pytest.mark.parametrize(("held", "total"), [(2, 3), (5, None), (5, 6)])
async def test_where_there_may_be_more_the_search_fails(held: int, total: int | None) -> None:
    with pytest.raises(EndlessLinksError):
        await found(held, total, ("_count", "5"))


async def test_without_a_total_and_a_size_nobody_knows() -> None:
    with pytest.raises(EndlessLinksError):
        await found(2, None)
