"""Changes to summaries that stand, over just the versions that were read."""

from collections.abc import Sequence

from fhir_adapter import canonical
from fhir_adapter.elements import labels
from fhir_adapter.lenient import JsonObject, as_dict, coded, dicts
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.writing.bundles import replacement
from fhir_adapter.writing.confirmed import post
from fhir_adapter.writing.lifecycle import Existing, ended, ended_text, extracted_texts


async def protect(client: FhirClient, person: Existing, security: Sequence[JsonObject]) -> None:
    """A person's Composition gets the labels that its sources have got since, and keeps all else.

    Raises:
        HttpStatusError: 409 or 412 where somebody else wrote in between.
    """
    lacking = [label for label in labels(security) if not coded([label]) <= person.labels]
    if lacking:
        meta = as_dict(person.resource.get("meta"))
        labelled = {**meta, "security": [*dicts(meta.get("security")), *lacking]}
        await client.update({**person.resource, "meta": labelled}, if_match=person.version or None)


async def end(client: FhirClient, existing: Existing, why: str, words: str = "") -> None:
    """Marks one Composition, and the extracted text that belongs to it, over just the versions read.

    Raises:
        HttpStatusError: 409 or 412 where somebody else wrote in between.
        UnconfirmedError: the server does not say whether it was done.
    """
    changed = [ended(existing.resource, why, words), *await _ended_texts(client, existing, why)]
    await post(client, replacement(changed))


async def end_texts(client: FhirClient, existing: Existing, why: str) -> None:
    """Marks what a server that runs batches left of the texts of a marked one; raises as `end`."""
    changed = await _ended_texts(client, existing, why)
    if changed:
        await post(client, replacement(changed))


async def _ended_texts(client: FhirClient, existing: Existing, why: str) -> list[JsonObject]:
    """The texts that belong to a Composition, marked; those left out that are so already."""
    changed = []
    for reference in extracted_texts(existing.resource):
        text = await client.read_if_there(reference)
        if text and canonical.EXTRACTED_TEXT_TAG in coded(as_dict(text.get("meta")).get("tag")):
            after = ended_text(text, why)
            changed += [after] if after != text else []
    return changed
