"""The summaries of many sources, read by their ids in one request."""

from collections.abc import Mapping, Sequence

from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.looks import look_at_all
from fhir_adapter.writing.holding import holds
from fhir_adapter.writing.lifecycle import Existing, read_existing
from fhir_adapter.writing.summary import SummaryDraft, written_id


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
