"""The summaries of many sources, found by one search or read by their ids in one request."""

from collections.abc import Mapping, Sequence

from fhir_adapter import canonical
from fhir_adapter.errors import HttpStatusError
from fhir_adapter.lenient import JsonObject, as_dict
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.looks import look_at_all, look_at_each
from fhir_adapter.rest.searching import search_by
from fhir_adapter.writing.holding import holds
from fhir_adapter.writing.lifecycle import Existing, read_existing
from fhir_adapter.writing.summary import SummaryDraft, summary_identifier, written_id


async def read_chains(
    client: FhirClient, name: str, drafts: Sequence[SummaryDraft], found: Mapping[str, tuple[Existing, ...]]
) -> dict[str, tuple[Existing, ...]]:
    """The chains of those sources whose summary is to be written, as they stand now.

    Args:
        client: of a server that takes ids from clients.
        name: of the pipeline.
        drafts: of different sources.
        found: what a search gave, by source.

    Returns:
        By source; those are left out of which the one answer does not say all.
    """
    asked: dict[str, list[str]] = {}
    for draft in drafts:
        source = draft.reading.note.reference
        there = found.get(source, ())
        if not there or not holds(there[-1], draft):
            places = range(1, len(there) + 2)  # and the first that is not there, which ends the chain
            asked[source] = [f"Composition/{written_id('Composition', source, name, n)}" for n in places]
    looked = await look_at_all(client, [one for ids in asked.values() for one in ids])
    read: dict[str, tuple[Existing, ...]] = {}
    for source, (*ids, end) in asked.items():
        chain = [read_existing(one, n) for n, ident in enumerate(ids, 1) if (one := looked.get(ident))]
        if len(chain) == len(ids) and end in looked and looked[end] is None:
            read[source] = tuple(chain)
    return read


Place = tuple[str, int]
"""A source, and a place in its chain."""


async def compositions_at(
    client: FhirClient, name: str, places: Sequence[Place], *, client_ids: bool
) -> list[tuple[str, Existing]]:
    """The Compositions at these places, each with its source.

    They are asked for by `_id`, which nobody can alter, else by `identifier`. A server that takes neither has
    them read one by one where it takes ids from clients, else looked for in more than was asked for.

    Args:
        client: the server.
        name: of the pipeline.
        places: what is looked for.
        client_ids: the server takes ids from clients.

    Raises:
        FhirAdapterError: as the client raises it.
    """
    by_id = {written_id("Composition", s, name, n): (s, n) for s, n in places}
    by_identifier = {summary_identifier(s, name, n): (s, n) for s, n in places}
    count = ("_count", str(len(places)))
    ways = [[("identifier", ",".join(f"{canonical.SUMMARIES}|{value}" for value in by_identifier)), count]]
    if client_ids:
        ways.insert(0, [("_id", ",".join(by_id)), count])
    else:
        ways.append([("entry", ",".join(dict.fromkeys(source for source, _ in places))), count])
        ways.append([("_tag", "|".join(canonical.SUMMARY_TAG)), count])

    def place_of(resource: JsonObject) -> Place | None:
        identifier = as_dict(resource.get("identifier"))
        if resource.get("resourceType") != "Composition":
            return None
        if client_ids:
            return by_id.get(str(resource.get("id")))
        ours = identifier.get("system") == canonical.SUMMARIES
        return by_identifier.get(str(identifier.get("value"))) if ours else None

    found: list[tuple[str, Existing]] = []
    try:
        async for page in search_by(client, "Composition", ways):
            for resource in page.resources:
                if place := place_of(resource):
                    found.append((place[0], read_existing(resource, place[1])))
    except HttpStatusError as error:
        if not (client_ids and error.unsupported):
            raise
        looked = await look_at_each(client, [f"Composition/{ident}" for ident in by_id])
        return [
            (place[0], read_existing(resource, place[1]))
            for resource in looked.values()
            if (place := place_of(resource))
        ]
    return found
