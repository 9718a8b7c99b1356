"""Withdraws what a model, a pipeline version or a source gave, found on the server and not in a ledger.

A recall first marks the Devices, so that nobody writes under them any more, and then walks over what they
wrote, until a walk finds nothing that was not there before: what was under way when the recall came is
reached too.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Literal

from fhir_adapter import canonical
from fhir_adapter.errors import ConflictError, HttpStatusError, UnconfirmedError
from fhir_adapter.lenient import JsonObject, as_dict, coded, dicts, references, relative
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.searching import search_by
from fhir_adapter.writing.bundles import replacement
from fhir_adapter.writing.confirmed import post
from fhir_adapter.writing.lifecycle import (
    Existing,
    Withdrawal,
    ended_because,
    extracted_texts,
    is_timeline,
    read_existing,
    reinstated,
)
from fhir_adapter.writing.links import Link, ended_link, read_link, reinstated_link
from fhir_adapter.writing.ours import ours_by
from fhir_adapter.writing.recall import Author, reactivate, recall
from fhir_adapter.writing.standing import end, end_texts

Status = Literal["withdrawn", "reinstated", "due", "unchanged", "attested", "changed", "failed"]

_MADE_FROM = (("Provenance", "entity"), ("Composition", "entry"))
_ATTEMPTS = 5
_SHORTEST_DIGEST = 12


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What became of one Composition.

    Attributes:
        composition: `Composition/id`.
        source: `Type/id`, as it says; "" for a timeline, which is of many notes.
        status: `withdrawn` or `reinstated`, as a read confirmed; `due` where nothing was to be done yet;
            `unchanged` where it counted as entered in error already (or does not any more); `attested` or
            `changed`, a person's work, left as it is; `failed`.
        reason: the code that it carries now, or of the failure.
    """

    composition: str
    source: str
    status: Status
    reason: str

    def to_json(self) -> JsonObject:
        """The line that `clinsum withdraw --json` prints."""
        return {
            "composition": self.composition,
            "source": self.source or None,
            "status": self.status,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Orders:
    """How to withdraw.

    Attributes:
        why: written into each Composition.
        attested: also what a person changed or attested.
        dry_run: say what would be done, and do nothing.
        at_once: Compositions worked on at a time.
        words: why, as the person says who withdraws; "" for none.
        undo: reinstate what was withdrawn so, instead.
    """

    why: Withdrawal
    attested: bool = False
    dry_run: bool = False
    at_once: int = 8
    words: str = ""
    undo: bool = False


def ran_model(found: Sequence[Author], model: str) -> list[Author]:
    """The Devices that ran a model, by its name or the SHA-256 of its weights (at least 12 digits of it)."""
    digest = model.lower() if len(model) >= _SHORTEST_DIGEST else None
    return [a for a in found if a.model == model or (digest and a.weights.startswith(digest))]


def of_pipeline(found: Sequence[Author], pipeline: str) -> list[Author]:
    """The Devices of a pipeline version, by the Device's id or by the version."""
    wanted = pipeline.removeprefix("Device/").removeprefix("DeviceDefinition/")
    return [a for a in found if wanted in (a.id, a.name, a.pipeline)]


async def withdraw_authors(
    client: FhirClient, devices: Sequence[Author], scope: Literal["model", "pipeline"], orders: Orders
) -> AsyncIterator[Withdrawn]:
    """Recalls Devices and withdraws what they wrote; or takes that back.

    A Device whose recall is taken back may write again once all that it wrote is reinstated.

    Raises:
        FhirAdapterError: the server cannot be asked, or does not let a Device be marked.
    """
    for device in devices:
        if not orders.dry_run and not orders.undo and device.recalled not in (scope, "model"):
            await recall(client, device, scope, orders.words)
    seen: set[str] = set()
    while True:
        fresh = 0
        for device in devices:
            async for done in _withdraw(client, _authored(device), device.named, orders, seen):
                fresh += 1
                yield done
        if not fresh:
            break
    for device in devices:
        if orders.undo and not orders.dry_run and device.recalled == scope:
            await reactivate(client, device)


async def withdraw_source(client: FhirClient, source: str, orders: Orders) -> AsyncIterator[Withdrawn]:
    """Withdraws every summary of a source, whatever pipeline wrote it. Raises as `withdraw_authors`."""
    queries = [(resource_type, parameter, source) for resource_type, parameter in _MADE_FROM]
    async for done in _withdraw(client, queries, source, orders, set()):
        yield done
    async for page in search_by(client, "Provenance", ours_by("Provenance", "entity", source), walk=True):
        links = [read_link(resource, client.base_url) for resource in page.resources]
        for link in links:
            if link and link.source == source and (link.ended == orders.why) == orders.undo:
                yield await _unnamed(client, link, orders)


async def _unnamed(client: FhirClient, link: Link, orders: Orders) -> Withdrawn:
    """Takes a note's name off the summary of another one that holds the same text, which stays."""
    done: Status = "reinstated" if orders.undo else "withdrawn"
    if not orders.dry_run:
        changed = reinstated_link(link) if orders.undo else ended_link(link, orders.why)
        try:
            await client.update(changed, if_match=link.version_id or None)
        except HttpStatusError as error:
            return Withdrawn(f"Composition/{link.composition}", link.source, "failed", f"HTTP {error.status}")
    return Withdrawn(
        f"Composition/{link.composition}", link.source, "due" if orders.dry_run else done, orders.why
    )


def _authored(device: Author) -> list[tuple[str, str, str]]:
    """The searches for what a Device wrote; no search finds one that is contained, but for its tag."""
    if device.contained:
        tag = f"{canonical.MADE_BY}|{device.name}"
        return [(resource_type, "_tag", tag) for resource_type in ("Provenance", "Composition")]
    return [("Provenance", "agent", device.reference), ("Composition", "author", device.reference)]


async def _withdraw(
    client: FhirClient,
    queries: Sequence[tuple[str, str, str]],
    wanted: str,
    orders: Orders,
    seen: set[str],
) -> AsyncIterator[Withdrawn]:
    """Works on what the searches find and what is of `wanted`: servers may ignore a parameter.

    Args:
        client: the server.
        queries: resource type, parameter and value.
        wanted: the note, or the Device as Compositions name it.
        orders: what to do.
        seen: `Composition/id` of what was worked on before; added to.
    """
    slots = asyncio.Semaphore(orders.at_once)

    async def slotted(reference: str) -> Withdrawn | None:
        async with slots:
            return await _one(client, reference, wanted, orders)

    for resource_type, parameter, value in queries:
        ways = ours_by(resource_type, parameter, value)
        async for page in search_by(client, resource_type, ways, walk=True):
            found = [ref for resource in page.resources for ref in _compositions(resource, client.base_url)]
            fresh = [reference for reference in dict.fromkeys(found) if reference not in seen]
            seen.update(fresh)
            for done in await asyncio.gather(*map(slotted, fresh)):
                if done:
                    yield done


def _compositions(resource: JsonObject, base_url: str) -> list[str]:
    """`Composition/id` of a Composition found, or of the targets of a Provenance found."""
    if resource.get("resourceType") == "Composition":
        return [f"Composition/{resource.get('id')}"]
    targets = references(resource.get("target"), base_url)
    return [target for target in targets if target.startswith("Composition/")]


async def _one(client: FhirClient, reference: str, wanted: str, orders: Orders) -> Withdrawn | None:
    """One Composition, read anew each time; None where it is gone, or nothing of ours or of `wanted`."""
    sent = False
    done: Status = "reinstated" if orders.undo else "withdrawn"
    for attempt in range(_ATTEMPTS + 1):
        resource = await client.read_if_there(reference)
        if resource is None or not _is_summary(resource) or wanted not in _of(resource, client.base_url):
            return None
        existing, source = read_existing(resource), _source(resource, client.base_url)
        status = _undoing(existing, orders) if orders.undo else _status(existing, orders)
        if sent and (existing.ended == orders.why) != orders.undo:
            return Withdrawn(reference, source, done, orders.why)
        if status != done:
            fault = await _texts_left(client, existing, orders) if status == "unchanged" else ""
            return Withdrawn(
                reference, source, "failed" if fault else status, fault or existing.ended or orders.why
            )
        if attempt == _ATTEMPTS:
            break
        sent = True
        try:
            if orders.undo:
                await _reinstate(client, existing)
            else:
                await end(client, existing, orders.why, orders.words)
        except HttpStatusError as error:
            if not isinstance(error, ConflictError) or attempt == _ATTEMPTS - 1:
                return Withdrawn(reference, source, "failed", f"HTTP {error.status}")
        except UnconfirmedError:
            pass
        # Whatever the answer said, what is there by now counts.
    return Withdrawn(reference, source, "failed", "not confirmed")


async def _texts_left(client: FhirClient, existing: Existing, orders: Orders) -> str:
    """Ends the texts that an earlier withdrawal left; what went wrong, or ""."""
    if orders.undo or orders.dry_run or existing.ended != orders.why:
        return ""
    try:
        await end_texts(client, existing, orders.why)
    except HttpStatusError as error:
        return f"HTTP {error.status}"
    except UnconfirmedError:
        return "not confirmed"
    return ""


def _of(resource: JsonObject, base_url: str) -> set[str]:
    """The notes that a Composition was made from and the Devices that made it."""
    sections = dicts(resource.get("section"))
    named = [references(s.get(element), base_url) for s in sections for element in ("entry", "author")]
    return {*references(resource.get("author"), base_url), *(one for some in named for one in some)}


async def _reinstate(client: FhirClient, existing: Existing) -> None:
    """Writes the Composition, and its extracted text, as they stood before they were withdrawn."""
    changed = [reinstated(existing.resource, await _status_before(client, existing))]
    for reference in extracted_texts(existing.resource):
        text = await client.read_if_there(reference)
        if (
            text
            and text.get("status") == "entered-in-error"
            and canonical.EXTRACTED_TEXT_TAG in coded(as_dict(text.get("meta")).get("tag"))
        ):
            changed.append({**text, "status": "current"})
    await post(client, replacement(changed))


async def _status_before(client: FhirClient, existing: Existing) -> str:
    """The status of the version before the withdrawal, where the server still has it."""
    if existing.version.isdecimal() and int(existing.version) > 1:
        reference = f"Composition/{existing.id}"
        before = await client.read_if_there(reference, str(int(existing.version) - 1))
        if before is not None and not ended_because(before) and isinstance(before.get("status"), str):
            return str(before["status"])
    return "final" if existing.resource.get("attester") else "preliminary"


def _undoing(existing: Existing, orders: Orders) -> Status:
    """As `_status`, for taking a withdrawal back: what ended for another reason stays ended."""
    if existing.ended != orders.why:
        return "unchanged"
    return "due" if orders.dry_run else "reinstated"


def _status(existing: Existing, orders: Orders) -> Status:
    """What is to become of it; `withdrawn` where it is to be marked."""
    if existing.in_error and (existing.ended == orders.why or not existing.ended):
        return "unchanged"
    if existing.ended in tuple(Withdrawal):
        return "unchanged"
    if not existing.ours and not orders.attested:
        return "attested" if existing.attested else "changed"
    return "due" if orders.dry_run else "withdrawn"


def _is_summary(resource: JsonObject) -> bool:
    """A hospital's own Composition may refer to the same note, or name our Device among its authors."""
    systems = {system for system, _ in coded(as_dict(resource.get("meta")).get("tag"))}
    extensions = {e.get("url") for e in dicts(resource.get("extension"))}
    return canonical.TAGS in systems or canonical.SOURCE_TEXT in extensions


def _source(resource: JsonObject, base_url: str) -> str:
    """The note of a summary; a timeline is of many."""
    if is_timeline(resource):
        return ""
    section = (dicts(resource.get("section")) or [{}])[0]
    return relative((dicts(section.get("entry")) or [{}])[0].get("reference"), base_url)
