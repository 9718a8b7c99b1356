"""Resources by their ids, many in one search."""

import logging
from collections.abc import Sequence

from fhir_adapter.errors import HttpStatusError, NotFhirError, ResponseTooLargeError
from fhir_adapter.lenient import JsonObject, has_tag, reference_of
from fhir_adapter.rest.client import FhirClient

logger = logging.getLogger(__name__)

_PART = ("http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "SUBSETTED")


async def whole(client: FhirClient, resource: JsonObject) -> JsonObject:
    """A match as it is; read by its id where the server says that it gave only a part (R4, 3.1.1.5.9).

    Raises:
        FhirAdapterError: as the client raises it.
        NotFhirError: a part is all that the server gives.
    """
    if not has_tag(resource, _PART):
        return resource
    read = await client.read(reference_of(resource))
    if has_tag(read, _PART):
        raise NotFhirError("the server gives a part of a resource")
    return read


async def find_by_id(
    client: FhirClient, resource_type: str, references: Sequence[str], elements: Sequence[str] = ()
) -> dict[str, JsonObject]:
    """The resources as they are now, keyed by `Type/id`; what the server's answer lacks is left out.

    A server that refuses it, or ignores `_id`, gives few or none: the others are to be read one by one.

    Args:
        client: the server.
        resource_type: of all of them.
        references: `Type/id`, at most a page of them.
        elements: of which parts are enough; a server may give more.

    Raises:
        FhirAdapterError: the server does not answer.
    """
    wanted = set(references)
    ids = ",".join(sorted(reference.partition("/")[2] for reference in wanted))
    found: dict[str, JsonObject] = {}
    parts = [("_elements", ",".join(elements))] if elements else []
    try:
        async for page in client.search(resource_type, [("_id", ids), ("_count", str(len(wanted))), *parts]):
            matched = {reference_of(resource): resource for resource in page.resources}
            found |= {name: resource for name, resource in matched.items() if name in wanted}
            if matched.keys() - wanted or len(found) == len(wanted):
                break
    except (HttpStatusError, NotFhirError, ResponseTooLargeError) as error:
        logger.info("a search by _id is refused or broke off (%s)", type(error).__name__)
    return found
