"""Notes that a search shows as they were before: an index may be behind what was read of them already."""

from collections.abc import Mapping, Sequence
from contextlib import suppress

from fhir_adapter.errors import FhirAdapterError
from fhir_adapter.note import SourceNote
from fhir_adapter.reading.source import Source
from jobs.ledger.rows import NoteRow


async def as_they_stand(
    source: Source, notes: Sequence[SourceNote], known: Mapping[str, NoteRow]
) -> list[SourceNote]:
    """The notes, those read by their ids that are older here than what was handled.

    A server that was restored has older versions too: what stands there by id is what counts. Where it cannot
    be read, the note is taken as the search shows it.
    """
    found = []
    for note in notes:
        before = known.get(note.reference)
        if before and _is_older(note.version_id, before.version):
            with suppress(FhirAdapterError):
                note = await source.read(note.reference)
        found.append(note)
    return found


def _is_older(version: str, handled: str) -> bool:
    """Versions that are numbers are counted up by all servers that have such."""
    numbers = version.isascii() and version.isdecimal() and handled.isascii() and handled.isdecimal()
    return numbers and int(version) < int(handled)
