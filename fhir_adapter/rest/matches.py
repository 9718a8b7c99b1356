"""What a search finds, resource by resource."""

from collections.abc import AsyncIterator, Sequence

from fhir_adapter.lenient import JsonObject
from fhir_adapter.rest.client import FhirClient


async def matches(
    client: FhirClient, resource_type: str, params: Sequence[tuple[str, str]]
) -> AsyncIterator[JsonObject]:
    """The resources of a search that are of the type asked for; raises as `FhirClient.search`.

    Whether each is what `params` ask for is the caller's to check: servers ignore what they do not know.
    """
    async for page in client.search(resource_type, params):
        for resource in page.resources:
            if resource.get("resourceType") == resource_type:
                yield resource
