"""Who vouches for a summary: its author, a Device, and the Provenance that points at it."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from fhir_adapter import canonical
from fhir_adapter.audit.claims import Claims
from fhir_adapter.audit.findings import Finding, Found
from fhir_adapter.audit.record import Maker, read_maker
from fhir_adapter.lenient import JsonObject, as_dict, coded, dicts, references, relative
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.searching import search_by
from fhir_adapter.writing.authorship import NAMES_DEVICE, contained_in, definition_of, is_of
from fhir_adapter.writing.recall import marks_of

_LOOKUP = 25  # references in one search: keeps the URL under 2 kB


class Devices:
    """Reads Devices of one server, each once, and finds those that a Composition contains.

    Made anew for each batch of audits: a Device that is recalled or gone tomorrow is then seen to be so, and
    a read that failed or was given up is not the answer for good.

    Args:
        client: the server.
        contained: Devices of one Composition, by `#id`.
    """

    def __init__(self, client: FhirClient, contained: Mapping[str, JsonObject] | None = None) -> None:
        self._client, self._contained = client, contained or {}
        self._reads: dict[str, asyncio.Task[JsonObject | None]] = {}

    def within(self, composition: JsonObject) -> "Devices":
        """The same for one Composition; what is read of the server is shared."""
        found = Devices(self._client, contained_in(composition))
        found._reads = self._reads
        return found

    async def read(self, reference: str) -> JsonObject | None:
        """The Device by `Device/id`, or by `#id` where it is contained.

        Returns:
            None where it is not on the server. A contained one counts where its DeviceDefinition is there and
            says the same; a recall of that is one of it.
        """
        shared = self._shared(reference)
        if not shared:
            return None
        if shared not in self._reads:
            self._reads[shared] = asyncio.create_task(self._client.read_if_there(shared))
        return self._stated(reference, await self._reads[shared])

    def known(self, references: Sequence[str]) -> list[JsonObject]:
        """Those of these that were read and are there; reads nothing."""
        found = []
        for reference in references:
            read = self._reads.get(self._shared(reference))
            if read and read.done() and (device := self._stated(reference, read.result())) is not None:
                found.append(device)
        return found

    def _shared(self, reference: str) -> str:
        """What of the server tells of the Device, or ""."""
        if not reference.startswith("#"):
            return reference
        return definition_of(self._contained.get(reference, {}), self._client.base_url)

    def _stated(self, reference: str, read: JsonObject | None) -> JsonObject | None:
        if read is None or not reference.startswith("#"):
            return read
        device, marks = self._contained[reference], marks_of(read)
        if not is_of(device, read):
            return None
        status = "inactive" if marks else "active"
        return {**device, "status": status, "extension": [*dicts(device.get("extension")), *marks]}


class Witnesses:
    """Reads what vouches for the summaries of one server; Provenances many at a time."""

    def __init__(self, client: FhirClient) -> None:
        self._client = client

    async def provenances(self, compositions: Sequence[str]) -> dict[str, list[JsonObject]]:
        """The Provenances of each `Composition/id`; an empty list where there is none."""
        found: dict[str, list[JsonObject]] = {reference: [] for reference in compositions}
        for start in range(0, len(compositions), _LOOKUP):
            wanted = ",".join(compositions[start : start + _LOOKUP])
            count = ("_count", str(2 * _LOOKUP))
            ours = ("_tag", f"{canonical.PROVENANCE_KEY}|")
            ways = [[("target", wanted), count], [ours, count], [count]]
            async for page in search_by(self._client, "Provenance", ways):
                for resource in page.resources:
                    for target in references(resource.get("target"), self._client.base_url):
                        if target in found:
                            found[target].append(resource)
        return found

    async def author(self, claims: Claims, devices: Devices) -> list[Found]:
        """The author is one Device, on the server or contained, and the one whose software is stated."""
        if len(claims.authors) != 1 or not claims.authors[0].startswith(NAMES_DEVICE):
            return [(Finding.AUTHOR_MISSING, "author")]
        if claims.section_authors != claims.authors:
            return [(Finding.AUTHOR_MISSING, "section.author")]
        confident = any(span.confident for span in claims.spans)
        found = await self.device(devices, claims.authors[0], claims.pipeline, confident)
        return found + strangers(claims, claims.authors)

    async def maker(self, devices: Devices, reference: str) -> Maker | None:
        """The Device by its reference as a maker; None where that is none, or not on the server."""
        device = await devices.read(reference) if reference.startswith(NAMES_DEVICE) else None
        return None if device is None else read_maker(device)

    async def device(
        self, devices: Devices, reference: str, pipeline: str = "", confident: bool = False
    ) -> list[Found]:
        """The Device is on the server, an AI by its type, and the one whose software and model are named.

        Args:
            devices: what was read of them so far.
            reference: `Device/id`, or `#id` of a contained one.
            pipeline: its identifier; "" where any of ours will do.
            confident: scores of it are called a confidence, which takes a calibrated model.
        """
        device = await devices.read(reference)
        if device is None:
            return [(Finding.MODEL_UNKNOWN, "no such Device")]
        if not any(
            identifier.get("system") == canonical.DEVICES and pipeline in ("", identifier.get("value"))
            for identifier in dicts(device.get("identifier"))
        ):
            return [(Finding.MODEL_UNKNOWN, "another Device")]
        kinds = coded(as_dict(device.get("type")).get("coding"))
        if canonical.AI_DEVICE_TYPE not in {system for system, _ in kinds}:
            return [(Finding.MODEL_UNKNOWN, "no AI by its type")]
        if confident and not _calibrated(device):
            return [(Finding.CONFIDENCE_UNFOUNDED, "")]
        return []

    def provenance(self, claims: Claims, found: Sequence[Mapping[str, Any]]) -> list[Found]:
        """One of the Provenances names this version of the source and this author."""
        if not found:
            return [(Finding.PROVENANCE_MISSING, "")]
        if any(self._vouches([claims], resource) for resource in found):
            return []
        return [(Finding.PROVENANCE_DIFFERS, "")]

    def provenance_of_all(self, sources: Sequence[Claims], found: Sequence[Mapping[str, Any]]) -> list[Found]:
        """One of the Provenances names these authors and these versions of all sources, and no other."""
        if not found:
            return [(Finding.PROVENANCE_MISSING, "")]
        for resource in found:
            entities = [e for e in dicts(resource.get("entity")) if e.get("role") == "source"]
            if len(entities) == len(sources) and self._vouches(sources, resource):
                return []
        return [(Finding.PROVENANCE_DIFFERS, "")]

    def _vouches(self, sources: Sequence[Claims], resource: Mapping[str, Any]) -> bool:
        who = [agent.get("who") for agent in dicts(resource.get("agent"))]
        authors = set(references(who, self._client.base_url))
        named = {
            relative(what.get("reference"), self._client.base_url): what
            for entity in dicts(resource.get("entity"))
            if entity.get("role") == "source"
            for what in [as_dict(entity.get("what"))]
        }
        return all(
            authors == set(claims.authors) and self._names_source(claims, named.get(claims.source, {}))
            for claims in sources
        )

    def _names_source(self, claims: Claims, what: Mapping[str, Any]) -> bool:
        reference = str(what.get("reference", ""))
        _, _, version = reference.partition("/_history/")
        stated = str(as_dict(what.get("identifier")).get("value", ""))
        return (
            relative(reference, self._client.base_url) == claims.source
            and version in ("", claims.version)
            and stated == claims.source_url
        )


def strangers(claims: Claims, authors: Sequence[str]) -> list[Found]:
    """What a Composition contains beside its authors; a reader may take it for theirs."""
    others = set(claims.contained) - set(authors) or len(set(claims.contained)) < len(claims.contained)
    return [(Finding.ELEMENT_DIFFERS, "contained")] if others else []


def _calibrated(device: JsonObject) -> bool:
    """Whether a Device of form 1 says so; those of later forms call no number a confidence."""
    return read_maker(device).form == 1 and any(
        value.get("text") == "calibrated probabilities"
        for stated in dicts(device.get("property"))
        if as_dict(stated.get("type")).get("text") == "scores"
        for value in dicts(stated.get("valueCode"))
    )
