"""Audits of one, several or all Compositions of ours on a server."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from fhir_adapter import canonical
from fhir_adapter.audit.verdict import Audit
from fhir_adapter.lenient import JsonObject, has_tag
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.searching import search_by
from fhir_adapter.stamps import instant, last_updated
from jobs.audits.parts import auditing
from jobs.settings import Settings

_OURS = (canonical.SUMMARY_TAG, canonical.TIMELINE_TAG)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which Compositions.

    Attributes:
        named: as `Composition/id` or id; none for all of ours.
        since: of all, those that the server stamped then (aware) or later.
        sample: of these, so many, each with the same chance; all where None.
    """

    named: tuple[str, ...] = ()
    since: datetime | None = None
    sample: int | None = None


async def audits(settings: Settings, asked: Asked | Sequence[str]) -> AsyncIterator[Audit]:
    """Audits the named Compositions, or all of ours where none is named, a page at a time."""
    wanted = asked if isinstance(asked, Asked) else Asked(tuple(asked))
    async with auditing(settings) as (client, auditor):
        slots = asyncio.Semaphore(settings.concurrency)

        async def slotted(begin: Callable[[], Awaitable[Audit]]) -> Audit:
            async with slots:
                return await begin()

        if wanted.named:
            named = [partial(auditor.audit, composition) for composition in wanted.named]
            for result in await asyncio.gather(*map(slotted, named)):
                yield result
            return
        async for found in _found(client, settings.page_size, wanted):
            for result in await asyncio.gather(*map(slotted, await auditor.page(found))):
                yield result


async def _found(client: FhirClient, page_size: int, asked: Asked) -> AsyncIterator[list[JsonObject]]:
    """Pages of Compositions; of a sample, at the end of the listing and in its order."""
    if asked.sample is None:
        async for page in _listed(client, page_size, asked.since):
            yield page
        return
    kept: list[tuple[int, JsonObject]] = []
    seen = 0
    async for page in _listed(client, page_size, asked.since):
        for one in page:  # reservoir sampling (Vitter 1985, algorithm R): as much memory as the sample
            if len(kept) < asked.sample:
                kept.append((seen, one))
            elif (place := random.randrange(seen + 1)) < asked.sample:
                kept[place] = (seen, one)
            seen += 1
    kept.sort(key=lambda item: item[0])
    for start in range(0, len(kept), page_size):
        yield [one for _, one in kept[start : start + page_size]]


async def _listed(
    client: FhirClient, page_size: int, since: datetime | None
) -> AsyncIterator[list[JsonObject]]:
    tagged = ("_tag", ",".join(f"{system}|{tag}" for system, tag in _OURS))
    count = ("_count", str(page_size))
    begin = None if since is None else int(since.timestamp() * 1_000_000_000)
    late = [] if begin is None else [("_lastUpdated", f"ge{instant(begin)}")]
    async for page in search_by(
        client, "Composition", [[tagged, count, *late], [tagged, count], [count, *late], [count]], walk=True
    ):
        # Looked at, since a server may ignore a parameter.
        yield [one for one in page.resources if any(has_tag(one, tag) for tag in _OURS) and _late(one, begin)]


def _late(one: JsonObject, begin: int | None) -> bool:
    stamp = last_updated(one)
    return begin is None or stamp is None or stamp >= begin
