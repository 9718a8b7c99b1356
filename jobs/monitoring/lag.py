"""How far the passes are behind the server."""

import asyncio
import time
from contextlib import aclosing

from fhir_adapter.note import SourceNote
from fhir_adapter.reading.source import Page, Source
from fhir_adapter.stamps import nanoseconds
from jobs.ledger.ledger import Ledger

_PAGES = 3  # of the server's answers; what waits behind so many known notes is found by the next look


async def lag_seconds(source: Source, ledger: Ledger, resource_type: str) -> float:
    """For how long the oldest change that is not in the ledger has waited; 0.0 where none does.

    The watermark alone does not tell: on a quiet night it is hours old and nothing waits.

    Args:
        source: the walk over the server's notes.
        ledger: what was handled, in which version.
        resource_type: of the notes.

    Raises:
        FhirAdapterError, LedgerError: as the client and the ledger raise them.
    """
    watermark = await asyncio.to_thread(ledger.watermark, source.mark(resource_type))
    looked = 0
    async with aclosing(source.changed_since(resource_type, watermark)) as pages:
        async for page in pages:
            stamps = await asyncio.to_thread(_waiting, ledger, page)
            if stamps:
                return max(time.time() - min(stamps) / 1e9, 0.0)
            looked += 1
            if looked >= _PAGES:
                break
    return 0.0


def _waiting(ledger: Ledger, page: Page) -> list[int]:
    """The stamps of notes that the ledger lacks, or has of another version."""
    notes = [note for note in page.notes if isinstance(note, SourceNote) and not note.left_out]
    known = ledger.known([note.reference for note in notes])
    found = [
        nanoseconds(note.last_updated)
        for note in notes
        if note.reference not in known or known[note.reference].version != note.version_id
    ]
    return [stamp for stamp in found if stamp is not None]
