"""What a server states of itself, read once by all clients of a session."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from fhir_adapter.rest.capability import Capability
from fhir_adapter.rest.client import FhirClient


@contextmanager
def read_once(base_url: str) -> Iterator[None]:
    """Lets all clients of a server share its statement.

    HAPI's is 1.5 MB, which takes it a second of processor time for each client, thus for each pass of a test.
    """
    reads = FhirClient.capability
    known: list[Capability] = []

    async def capability(client: FhirClient) -> Capability:
        if client.base_url.rstrip("/") != base_url:
            return await reads(client)
        if not known:
            known.append(await reads(client))
        return known[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FhirClient, "capability", capability)
        yield
