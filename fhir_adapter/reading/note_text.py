"""From a source to the text of its best attachment."""

from fhir_adapter.errors import NoteError
from fhir_adapter.note import Reading, SourceNote
from fhir_adapter.reading.attachment import FetchLimits, candidates, fetch
from fhir_adapter.reasons import Reason
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.text import Extractor


async def read_note(
    note: SourceNote, client: FhirClient, extractor: Extractor, limits: FetchLimits
) -> Reading:
    """Reads the first attachment, in the order of preference, that yields text.

    A passing fault (a timeout, a server error) of a better attachment is not answered with a worse one:
    the note is tried again later instead, so that its summary does not depend on the weather.

    Raises:
        NoteError: why no attachment yields text; of several reasons, that of the preferred attachment.
    """
    first: NoteError | None = None
    for attachment in candidates(note):
        try:
            text = await extractor.extract(await fetch(attachment, client, limits))
            if not text.text.strip():
                raise NoteError(Reason.EMPTY_TEXT)
            return Reading(note, attachment, text)
        except NoteError as error:
            if error.reason.transient:
                raise
            first = first or error
    raise first or NoteError(Reason.NO_ATTACHMENT)
