"""The definitions on a server, so that it checks what claims them."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from fhir_adapter.canonical import SUMMARY_PROFILE
from fhir_adapter.errors import HttpStatusError
from fhir_adapter.lenient import JsonObject
from fhir_adapter.profiles import definitions
from fhir_adapter.rest.capability import Capability
from fhir_adapter.rest.client import FhirClient

_ORDER = ("CodeSystem", "ValueSet", "StructureDefinition")  # each after what it refers to

_WITH_PARTS = 7  # HAPI's first major version that takes in code systems of content `fragment`; seen of 7.2
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
    entries = [
        {
            "resource": {name: value for name, value in resource.items() if name != "id"},
            "request": {"method": "PUT", "url": f"{resource['resourceType']}?url={resource['url']}"},
        }
        for resource in _ordered()
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def _ordered() -> list[JsonObject]:
    """The definitions, each after those that it names; a code system comes before its value set."""
    found: list[JsonObject] = []
    for kind in _ORDER:
        waiting = {one["url"]: one for one in definitions() if one["resourceType"] == kind}
        while waiting:
            free = [url for url, one in waiting.items() if not _texts(one) & waiting.keys() - {url}]
            found += [waiting.pop(url) for url in free]
    return found


def _texts(node: object) -> set[str]:
    """All strings in a definition."""
    if isinstance(node, dict):
        return set().union(*map(_texts, node.values()))
    if isinstance(node, list):
        return set().union(*map(_texts, node))
    return {node} if isinstance(node, str) else set()


def borrowed_bundle(*, whole: bool = False) -> JsonObject:
    """The code systems of other guides that the definitions use, as far as they do.

    A server that has one of them, whole or in part, keeps what it has.

    Args:
        whole: call them complete, for servers that take no notice of a part.
    """
    systems = json.loads(Path(__file__).with_name("borrowed.json").read_text("utf-8"))
    entries = [
        {
            "resource": {**resource, **({"content": "complete"} if whole else {})},
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

    A server that validates what is written and refuses code systems that it does not know (HAPI 7) gets those
    of other guides first. HAPI 6 gets them before all else, and the definitions one by one: it remembers for
    minutes that it did not know one that another names.

    Raises:
        HttpStatusError: the server takes no definitions, or none by conditional update.
        ServerUnreachableError: no answer after all retries.
    """
    if _notices_no_part(await client.capability()):
        await client.transaction(borrowed_bundle(whole=True))
        bundle = upload_bundle()
        answers = [await client.transaction({**bundle, "entry": [entry]}) for entry in bundle["entry"]]
    else:
        answers = [await _uploaded(client)]
    entries = [entry for answer in answers for entry in answer.get("entry") or []]
    counts = Counter(str((entry.get("response") or {}).get("status", ""))[:3] for entry in entries)
    return Loaded(created=counts["201"], kept=len(entries) - counts["201"])


async def _uploaded(client: FhirClient) -> JsonObject:
    """All definitions in one transaction, once more where the server lacked code systems of others."""
    try:
        return await client.transaction(upload_bundle())
    except HttpStatusError as error:
        if error.status not in _INVALID:
            raise
    await client.transaction(borrowed_bundle())
    return await client.transaction(upload_bundle())


def _notices_no_part(capability: Capability) -> bool:
    """Whether the server is a HAPI before 7, whose terminology takes no code of a code system in part."""
    major = capability.software_version.partition(".")[0]
    return capability.software.startswith("HAPI FHIR") and major.isdecimal() and int(major) < _WITH_PARTS


async def is_loaded(client: FhirClient) -> bool:
    """Whether the server has the profile of the summary.

    Raises:
        HttpStatusError: it does not search StructureDefinitions.
        ServerUnreachableError: no answer after all retries.
    """
    async for page in client.search("StructureDefinition", [("url", SUMMARY_PROFILE), ("_count", "1")]):
        return any(resource.get("url") == SUMMARY_PROFILE for resource in page.resources)
    return False
