"""What a search finds, resource by resource."""

from collections.abc import AsyncIterator

from fhir_adapter.lenient import JsonObject
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.searching import Params, search_by


async def matches(
    client: FhirClient, resource_type: str, *ways: Params, walk: bool = False
) -> AsyncIterator[JsonObject]:
    """The resources of a search that are of the type asked for; raises as `search_by`.

    Whether each is what is asked for is the caller's to check: servers ignore what they do not know.

    Args:
        client: the server.
        resource_type: what is searched for.
        ways: parameters; where the server refuses these, those that come next.
        walk: as in `search_by`.
    """
    async for page in search_by(client, resource_type, ways, walk=walk):
        for resource in page.resources:
            if resource.get("resourceType") == resource_type:
                yield resource
