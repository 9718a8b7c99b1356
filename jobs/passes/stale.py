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
    """The notes, those read by their ids that may be older here than what was handled.

    A server that was restored has older versions too: what stands there by id is what counts. Where it cannot
    be read, the note is taken as the search shows it.
    """
    found = []
    for note in notes:
        before = known.get(note.reference)
        if before and _may_be_older(note.version_id, before.version or ""):
            with suppress(FhirAdapterError):
                note = await source.read(note.reference)
        found.append(note)
    return found


def _may_be_older(version: str, handled: str) -> bool:
    """Versions that are numbers are counted up by all servers that have such; of others nobody can tell."""
    if not version or not handled or version == handled:
        return False
    numbers = all(one.isascii() and one.isdecimal() for one in (version, handled))
    return not numbers or int(version) < int(handled)
