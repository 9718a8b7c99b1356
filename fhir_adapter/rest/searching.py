"""Searches that go another way where a server does not take the first."""

from collections.abc import AsyncIterator, Sequence

from fhir_adapter.errors import HttpStatusError
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.search_page import SearchPage

Params = Sequence[tuple[str, str]]


async def search_by(client: FhirClient, kind: str, ways: Sequence[Params]) -> AsyncIterator[SearchPage]:
    """The pages of the first of several searches that the server takes.

    Args:
        client: the server.
        kind: what is searched for.
        ways: each finds all that is wanted, a later one perhaps more; the caller looks at what comes.

    Raises:
        HttpStatusError: it takes none of them: the refusal of the first. Else as `FhirClient.search`.
    """
    first: tuple[Params, HttpStatusError] | None = None
    known = [way for way in ways if not any(client.lacking.has(kind, name) for name, _ in way)]
    for way in known or ways:
        begun = False
        try:
            async for page in client.search(kind, way):
                if not begun and first:
                    taken = {name for name, _ in way}
                    for name in dict(first[0]).keys() - taken:
                        client.lacking.add(kind, name)
                begun = True
                yield page
        except HttpStatusError as error:
            if begun or not error.asks_otherwise:
                raise
            first = first or (way, error)
        else:
            return
    if first:
        raise first[1]
