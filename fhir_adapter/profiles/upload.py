"""The definitions on a server, so that it checks what claims them."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from fhir_adapter.canonical import SUMMARY_PROFILE
from fhir_adapter.errors import HttpStatusError
from fhir_adapter.lenient import JsonObject
from fhir_adapter.profiles import definitions
from fhir_adapter.rest.client import FhirClient

_ORDER = ("CodeSystem", "ValueSet", "StructureDefinition")  # each after what it refers to

_INVALID = (400, 412, 422)  # how servers answer what does not validate


@dataclass(frozen=True, slots=True)
class Loaded:
    """What loading did.

    Attributes:
        created: definitions that were not on the server.
        kept: those that were; they are now as ours.
    """

    created: int
    kept: int


def upload_bundle() -> JsonObject:
    """One transaction of all definitions.

    Each is found by its canonical URL, never by its id, since another's may have the same on that server
    (R4, section 3.1.0.4.3, conditional update).
    """
    ordered = sorted(definitions(), key=lambda resource: _ORDER.index(resource["resourceType"]))
    entries = [
        {
            "resource": {name: value for name, value in resource.items() if name != "id"},
            "request": {"method": "PUT", "url": f"{resource['resourceType']}?url={resource['url']}"},
        }
        for resource in ordered
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def borrowed_bundle() -> JsonObject:
    """The code systems of other guides that the definitions use, as far as they do.

    A server that has one of them, whole or in part, keeps what it has.
    """
    systems = json.loads(Path(__file__).with_name("borrowed.json").read_text("utf-8"))
    entries = [
        {
            "resource": resource,
            "request": {
                "method": "POST",
                "url": resource["resourceType"],
                "ifNoneExist": f"url={resource['url']}",
            },
        }
        for resource in systems
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


async def load(client: FhirClient) -> Loaded:
    """Puts the definitions on the server; done twice, it changes nothing.

    A server that validates what is written and refuses code systems that it does not know (HAPI before 8)
    gets those of other guides first.

    Raises:
        HttpStatusError: the server takes no definitions, or none by conditional update.
        ServerUnreachableError: no answer after all retries.
    """
    try:
        answer = await client.transaction(upload_bundle())
    except HttpStatusError as error:
        if error.status not in _INVALID:
            raise
        await client.transaction(borrowed_bundle())
        answer = await client.transaction(upload_bundle())
    entries = answer.get("entry") or []
    counts = Counter(str((entry.get("response") or {}).get("status", ""))[:3] for entry in entries)
    return Loaded(created=counts["201"], kept=len(entries) - counts["201"])


async def is_loaded(client: FhirClient) -> bool:
    """Whether the server has the profile of the summary.

    Raises:
        HttpStatusError: it does not search StructureDefinitions.
        ServerUnreachableError: no answer after all retries.
    """
    async for page in client.search("StructureDefinition", [("url", SUMMARY_PROFILE), ("_count", "1")]):
        return any(resource.get("url") == SUMMARY_PROFILE for resource in page.resources)
    return False
