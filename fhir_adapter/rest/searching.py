"""Searches that go another way where a server does not take the first."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import TypeVar

from fhir_adapter.errors import HttpStatusError
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.search_page import SearchPage

Params = Sequence[tuple[str, str]]
W = TypeVar("W")
P = TypeVar("P")


async def first_taken(
    ways: Iterable[W], pages: Callable[[W], AsyncIterator[P]]
) -> AsyncIterator[tuple[W, P]]:
    """The pages of the first of several ways that the server does not refuse, each with its way.

    Raises:
        HttpStatusError: it refuses all of them: the refusal of the first. Else as `pages`.
    """
    refusal: HttpStatusError | None = None
    for way in ways:
        begun = False
        try:
            async for page in pages(way):
                begun = True
                yield way, page
        except HttpStatusError as error:
            if begun or not error.asks_otherwise:
                raise
            refusal = refusal or error
        else:
            return
    if refusal:
        raise refusal


async def search_by(client: FhirClient, kind: str, ways: Sequence[Params]) -> AsyncIterator[SearchPage]:
    """The pages of the first of several searches that the server takes.

    Args:
        client: the server.
        kind: what is searched for.
        ways: each finds all that is wanted, a later one perhaps more; the caller looks at what comes.

    Raises:
        HttpStatusError: it takes none of them: the refusal of the first. Else as `FhirClient.search`.
    """
    known = [way for way in ways if not any(client.lacking.has(kind, name) for name, _ in way)] or ways
    async for way, page in first_taken(known, lambda params: client.search(kind, params)):
        if way is not known[0]:
            for name in dict(known[0]).keys() - dict(way).keys():
                client.lacking.add(kind, name)
        yield page
