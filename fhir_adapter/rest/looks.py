"""Reads of many resources in one request: a batch (R4, section 3.1.0.11.1), where the server takes them.

HAPI answers 25 reads of what is not there in a batch in a tenth of the time of 25 requests.
"""

import asyncio
import re
from collections.abc import Sequence

from fhir_adapter.errors import FhirAdapterError
from fhir_adapter.lenient import JsonObject, as_dict, dicts, reference_of
from fhir_adapter.rest.client import FhirClient

_STATUS = re.compile(r"\s*(\d{3})\b")


async def look_at_all(client: FhirClient, references: Sequence[str]) -> dict[str, JsonObject | None]:
    """As `FhirClient.look` of each, as far as one request says it.

    Args:
        client: of the server that what we write lies on.
        references: each once, as `Type/id`.

    Returns:
        What is there, and None for what is not. What the answer does not clearly say is left out, which may
        be all of it: it is to be looked at by itself.
    """
    if not references or not (await client.capability()).batch:
        return {}
    entries = [{"request": {"method": "GET", "url": reference}} for reference in references]
    try:
        answer = await client.batch({"resourceType": "Bundle", "type": "batch", "entry": entries})
    except FhirAdapterError:
        return {}
    answers = dicts(answer.get("entry"))
    if answer.get("resourceType") != "Bundle" or len(answers) != len(references):
        return {}
    found: dict[str, JsonObject | None] = {}
    for reference, entry in zip(references, answers, strict=True):
        status = _STATUS.match(str(as_dict(entry.get("response")).get("status", "")))
        resource = as_dict(entry.get("resource"))
        if status and status[1] == "200" and reference_of(resource) == reference:
            found[reference] = resource
        elif status and status[1] in ("404", "410") and not resource.get("id"):
            found[reference] = None
    return found


async def look_at_each(client: FhirClient, references: Sequence[str]) -> dict[str, JsonObject]:
    """What is there of these, by itself where one request does not say it. Raises as the client."""
    looked = await look_at_all(client, references)
    rest = [reference for reference in references if reference not in looked]
    looked |= zip(rest, await asyncio.gather(*map(client.look, rest)), strict=True)
    return {reference: one for reference, one in looked.items() if one is not None}
