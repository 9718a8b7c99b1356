"""A plain POST of one resource with `If-None-Exist` (R4, section 3.1.0.8.1)."""

import re

from fhir_adapter.lenient import JsonObject, usable_id
from fhir_adapter.rest.client import FHIR_JSON, FhirClient
from fhir_adapter.rest.transport import Call
from fhir_adapter.rest.wire import encode_json

_MOST = 1 << 20  # of an answer, of which the header alone is read


async def create(client: FhirClient, resource: JsonObject, if_none_exist: str = "") -> tuple[int, str]:
    """Creates a resource; sent once, since a server may take no notice of the condition.

    Args:
        client: the server.
        resource: without an id.
        if_none_exist: a search that finds it; "" for no condition.

    Returns:
        The HTTP status, and `Type/id` as the header `Location` says it; "" where it does not.

    Raises:
        HttpStatusError: the server refuses it; 412 where several match.
        ServerUnreachableError: no answer, so that it may have been done.
    """
    kind = str(resource["resourceType"])
    call = Call(
        "POST",
        client.scope.url(kind),
        f"create of {kind}",
        _MOST,
        {
            "Accept": FHIR_JSON,
            "Content-Type": FHIR_JSON,
            "Prefer": "return=minimal",
            **({"If-None-Exist": if_none_exist} if if_none_exist else {}),
        },
        encode_json(resource),
        idempotent=False,
    )
    answer = await client.lacking.preferring(call, client.transport.send)
    named = re.search(rf"(?:^|/){kind}/([^/?#\s]+)", answer.location)
    return answer.status, f"{kind}/{named[1]}" if named and usable_id(named[1]) else ""
