"""What a server makes of a transaction, found out by one that concerns nobody and is deleted again."""

import uuid
from dataclasses import dataclass

from fhir_adapter.errors import HttpStatusError
from fhir_adapter.lenient import JsonObject, as_dict
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.writing.confirmed import confirmed

_WORDS = "Trial of a transaction by clinsum doctor; it may be deleted"


@dataclass(frozen=True, slots=True)
class TransactionTrial:
    """What came of it.

    Attributes:
        as_batch: it was run as a batch, or its entries do not refer to each other afterwards.
        own_ids: other ids were given than those asked for.
        left_behind: references of what could not be deleted.
    """

    as_batch: bool
    own_ids: bool
    left_behind: tuple[str, ...] = ()


async def try_transaction(client: FhirClient) -> TransactionTrial:
    """Writes a Device and one that names it as its parent, reads the latter, and deletes both.

    Raises:
        HttpStatusError: the server refuses it.
        UnconfirmedError: its answer does not say what became of it.
        ServerUnreachableError: no answer after all retries.
    """
    ids = [f"clinsum-trial-{uuid.uuid4().hex[:12]}-{number}" for number in (1, 2)]
    urns = [f"urn:uuid:{uuid.uuid4()}" for _ in ids]
    parts = [_device(ids[0]), {**_device(ids[1]), "parent": {"reference": urns[0]}}]
    entries = [
        {"fullUrl": urn, "resource": part, "request": {"method": "PUT", "url": f"Device/{part['id']}"}}
        for urn, part in zip(urns, parts, strict=True)
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    answer = await client.transaction(bundle, once=True)
    references = confirmed(bundle, answer)
    child = await client.read_if_there(references[1])
    parent = as_dict((child or {}).get("parent")).get("reference")
    left = [one for one in reversed(references) if not await _deleted(client, one)]
    return TransactionTrial(
        as_batch=answer.get("type") == "batch-response" or str(parent).startswith("urn:"),
        own_ids=references != [f"Device/{ident}" for ident in ids],
        left_behind=tuple(left),
    )


def _device(ident: str) -> JsonObject:
    return {"resourceType": "Device", "id": ident, "deviceName": [{"name": _WORDS, "type": "other"}]}


async def _deleted(client: FhirClient, reference: str) -> bool:
    try:
        await client.delete(reference)
    except HttpStatusError:
        return False
    return True


async def ignored_parameters(client: FhirClient, searches: dict[str, dict[str, str]]) -> list[str]:
    """Search parameters that a server takes no note of, as `Type.parameter`.

    Told by the self link of its answer, or by matches of a search that asks for what cannot be there. What it
    refuses is taken down in `client.lacking`.

    Args:
        client: the server.
        searches: by resource type, parameters with a value that nothing there has.

    Raises:
        ServerUnreachableError: no answer after all retries.
    """
    found = []
    for kind, parameters in searches.items():
        for name, value in parameters.items():
            try:
                async for page in client.search(kind, [(name, value), ("_count", "1")]):
                    if name in page.ignored or page.resources:
                        found.append(f"{kind}.{name}")
                    break
            except HttpStatusError as error:
                if error.unsupported:  # refused, which is no way of ignoring
                    client.lacking.add(kind, name)
    return found
