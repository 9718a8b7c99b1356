"""Which notes were deleted: by the server's history, or, where it keeps none, by a look at a few known ones.

R4 leaves `[type]/_history` to the server, and many have none. There each pass asks for a few of the notes
with a summary, those looked at longest ago first, so that in time it comes round to all of them.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import structlog

from fhir_adapter.errors import FhirAdapterError, HttpStatusError
from fhir_adapter.reading.by_id import find_by_id
from jobs.ledger.walks import mark_seen, unseen_longest
from jobs.passes.faults import says_deleted
from jobs.passes.parts import Parts

log = structlog.get_logger("clinsum.poll")

LOOK = 48  # notes that a pass looks at: what one search asks for


async def deleted_notes(
    parts: Parts, slots: asyncio.Semaphore, resource_type: str, watermark: str | None
) -> Sequence[str]:
    """`Type/id` of what was deleted since the watermark; without a history, of some that ever was.

    Raises:
        FhirAdapterError: the server does not answer.
    """
    if await parts.source.names_deleted(resource_type):
        try:
            return await parts.source.deleted_since(resource_type, watermark) if watermark else []
        except HttpStatusError as error:
            if error.passing:
                raise
            log.warning("no-deletions", resource_type=resource_type, status=error.status)
    known = await asyncio.to_thread(unseen_longest, parts.ledger, resource_type, LOOK)
    if not known:
        return []
    found = await find_by_id(parts.client, resource_type, known, elements=("status",))
    # What a search does not give may be there all the same: not every server searches by _id.
    absent = [reference for reference in known if reference not in found]
    gone = await asyncio.gather(*(_is_gone(parts, slots, reference) for reference in absent))
    await asyncio.to_thread(mark_seen, parts.ledger, known, datetime.now(UTC))
    return [reference for reference, is_gone in zip(absent, gone, strict=True) if is_gone]


async def _is_gone(parts: Parts, slots: asyncio.Semaphore, reference: str) -> bool:
    async with slots:
        try:
            await parts.client.read(reference)
        except FhirAdapterError as error:
            return says_deleted(error)
    return False
