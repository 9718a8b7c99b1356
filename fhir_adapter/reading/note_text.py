"""From a source to the text of its best attachment."""

from dataclasses import replace

from fhir_adapter.errors import NoteError
from fhir_adapter.note import Attachment, Content, NoteText, Reading, SourceNote
from fhir_adapter.reading.attachment import FetchLimits, candidates, fetch
from fhir_adapter.reasons import Reason
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.text import Extractor


async def read_note(
    note: SourceNote, client: FhirClient, extractor: Extractor, limits: FetchLimits
) -> Reading:
    """Reads the first attachment, in the order of preference, that yields text.

    A passing fault (a timeout, a server error) of a better attachment is not answered with a worse one:
    the note is tried again later instead, so that its summary does not depend on the weather. One that is
    gone (404, a hash that differs) is.

    Raises:
        NoteError: why no attachment yields text; of several reasons, that of the preferred attachment, but a
            fault that passes before any other.
    """
    errors: list[NoteError] = []
    for attachment in candidates(note):
        try:
            return await _read(note, attachment, client, extractor, limits)
        except NoteError as error:
            if not error.reason.gone:
                raise
            errors.append(error)
    passing = next((error for error in errors if error.reason.transient), None)
    raise passing or (errors[0] if errors else NoteError(Reason.NO_ATTACHMENT))


async def _read(
    note: SourceNote, attachment: Attachment, client: FhirClient, extractor: Extractor, limits: FetchLimits
) -> Reading:
    content = await fetch(attachment, client, limits)
    text = await extractor.extract(content)
    if not text.text.strip():
        raise NoteError(Reason.EMPTY_TEXT)
    protected = replace(note, security=(*note.security, *content.security)) if content.security else note
    return Reading(protected, attachment, _remarked(text, content))


def _remarked(text: NoteText, content: Content) -> NoteText:
    notice = "; ".join(filter(None, (content.notice, text.notice)))
    return replace(text, notice=notice, verbatim=text.verbatim and content.as_attached)
