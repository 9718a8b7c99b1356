"""Audits of one, several or all Compositions of ours on a server."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

from fhir_adapter import canonical
from fhir_adapter.audit.verdict import Audit
from fhir_adapter.lenient import has_tag
from jobs.audits.parts import auditing
from jobs.settings import Settings


async def audits(settings: Settings, compositions: list[str]) -> AsyncIterator[Audit]:
    """Audits the named Compositions, or all of ours where none is named, a page at a time."""
    async with auditing(settings) as (client, auditor):
        slots = asyncio.Semaphore(settings.concurrency)

        async def slotted(begin: Callable[[], Awaitable[Audit]]) -> Audit:
            async with slots:
                return await begin()

        if compositions:
            named = [partial(auditor.audit, composition) for composition in compositions]
            for result in await asyncio.gather(*map(slotted, named)):
                yield result
            return
        ours = (canonical.SUMMARY_TAG, canonical.TIMELINE_TAG)
        tags = ",".join(f"{system}|{tag}" for system, tag in ours)
        query = [("_tag", tags), ("_count", str(settings.page_size))]
        async for page in client.search("Composition", query):
            # Looked at, since a server may ignore a parameter.
            found = [one for one in page.resources if any(has_tag(one, tag) for tag in ours)]
            for result in await asyncio.gather(*map(slotted, await auditor.page(found))):
                yield result
