"""Who vouches for a summary: its author, a Device on the server, and the Provenance that points at it."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from fhir_adapter import canonical
from fhir_adapter.audit.claims import Claims
from fhir_adapter.audit.findings import Finding, Found
from fhir_adapter.audit.record import Maker, read_maker
from fhir_adapter.lenient import JsonObject, as_dict, coded, dicts, references, relative
from fhir_adapter.rest.client import FhirClient

_LOOKUP = 25  # references in one search: keeps the URL under 2 kB


class Devices:
    """Reads Devices of one server, each once.

    Made anew for each batch of audits: a Device that is recalled or gone tomorrow is then seen to be so, and
    a read that failed or was given up is not the answer for good.
    """

    def __init__(self, client: FhirClient) -> None:
        self._client = client
        self._reads: dict[str, asyncio.Task[JsonObject | None]] = {}

    async def read(self, reference: str) -> JsonObject | None:
        """The Device by `Device/id`, or None where it is not on the server."""
        if reference not in self._reads:
            self._reads[reference] = asyncio.create_task(self._client.read_if_there(reference))
        return await self._reads[reference]

    def known(self, references: Sequence[str]) -> list[JsonObject]:
        """Those of these that were read and are there; reads nothing."""
        reads = (self._reads[one] for one in references if one in self._reads)
        return [device for read in reads if read.done() and (device := read.result()) is not None]


class Witnesses:
    """Reads what vouches for the summaries of one server; Provenances many at a time."""

    def __init__(self, client: FhirClient) -> None:
        self._client = client

    async def provenances(self, compositions: Sequence[str]) -> dict[str, list[JsonObject]]:
        """The Provenances of each `Composition/id`; an empty list where there is none."""
        found: dict[str, list[JsonObject]] = {reference: [] for reference in compositions}
        for start in range(0, len(compositions), _LOOKUP):
            wanted = ",".join(compositions[start : start + _LOOKUP])
            query = [("target", wanted), ("_count", str(2 * _LOOKUP))]
            async for page in self._client.search("Provenance", query):
                for resource in page.resources:
                    for target in references(resource.get("target"), self._client.base_url):
                        if target in found:
                            found[target].append(resource)
        return found

    async def author(self, claims: Claims, devices: Devices) -> list[Found]:
        """The author is one Device, on the server, and the one whose software and model are stated."""
        if len(claims.authors) != 1 or not claims.authors[0].startswith("Device/"):
            return [(Finding.AUTHOR_MISSING, "author")]
        if claims.section_authors != claims.authors:
            return [(Finding.AUTHOR_MISSING, "section.author")]
        confident = any(span.confident for span in claims.spans)
        return await self.device(devices, claims.authors[0], claims.pipeline, confident)

    async def maker(self, devices: Devices, reference: str) -> Maker | None:
        """The Device by `Device/id` as a maker; None where that is no reference, or not on the server."""
        device = await devices.read(reference) if reference.startswith("Device/") else None
        return None if device is None else read_maker(device)

    async def device(
        self, devices: Devices, reference: str, pipeline: str = "", confident: bool = False
    ) -> list[Found]:
        """The Device is on the server, an AI by its type, and the one whose software and model are named.

        Args:
            devices: what was read of them so far.
            reference: `Device/id`.
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


def _calibrated(device: JsonObject) -> bool:
    """Whether a Device of form 1 says so; those of later forms call no number a confidence."""
    return read_maker(device).form == 1 and any(
        value.get("text") == "calibrated probabilities"
        for stated in dicts(device.get("property"))
        if as_dict(stated.get("type")).get("text") == "scores"
        for value in dicts(stated.get("valueCode"))
    )
