"""From a source to the text of its best attachment."""

import re
from dataclasses import replace

from fhir_adapter.errors import NoteError
from fhir_adapter.note import Attachment, Content, NoteText, Reading, SourceNote
from fhir_adapter.reading.attachment import FetchLimits, candidates, fetch
from fhir_adapter.reading.media import family
from fhir_adapter.reasons import Reason
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.text import Extractor

_WORD = re.compile(r"\w+")
_ALIKE = 0.5  # of the words of one format in another, which may lack a letterhead or a table


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
            reading = await _read(note, attachment, client, extractor, limits)
            return await with_others_named(reading, client, extractor, limits)
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
    return Reading(protected, attachment, remarked(text, content))


async def with_others_named(
    reading: Reading, client: FhirClient, extractor: Extractor, limits: FetchLimits
) -> Reading:
    """The reading with a remark where the note holds other documents too.

    Contents of a document are formats of it (R4, 10.3.3), but two of one format, or two whose words differ,
    are two documents. What lies elsewhere is fetched only where its format or its title says that it may be
    another.
    """
    words, others, apart = _shingles(reading.text.text), 1, 0
    for other in candidates(reading.note):
        if other == reading.attachment or other.path.endswith(".text.div"):
            continue
        others += 1
        if other.data is None and other.text is None and not _may_differ(other, reading.attachment):
            continue
        try:
            text = (await _read(reading.note, other, client, extractor, limits)).text.text
        except NoteError:
            continue
        found = _shingles(text)
        apart += len(found & words) < len(found) * _ALIKE
    if not apart:
        return reading
    notice = "; ".join(filter(None, (reading.text.notice, f"{others - apart} of {others} documents read")))
    return replace(reading, text=replace(reading.text, notice=notice))


def _may_differ(one: Attachment, other: Attachment) -> bool:
    same_format = family(one.content_type) == family(other.content_type)
    return same_format or (bool(one.title and other.title) and one.title != other.title)


def _shingles(text: str) -> set[tuple[str, ...]]:
    """The text's words, folded, three at a time."""
    words = _WORD.findall(text.casefold())
    return set(zip(words, words[1:], words[2:], strict=False)) or {tuple(words)}


def remarked(text: NoteText, content: Content) -> NoteText:
    """The text with the remarks on how its bytes were had."""
    notice = "; ".join(filter(None, (content.notice, text.notice)))
    return replace(text, notice=notice, verbatim=text.verbatim and content.as_attached)
