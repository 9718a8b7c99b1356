"""From a source to the text of its documents."""

from dataclasses import replace

from fhir_adapter.errors import NoteError
from fhir_adapter.filed import is_own_text
from fhir_adapter.note import Attachment, Content, NoteText, Reading, SourceNote
from fhir_adapter.reading.answers import check_words
from fhir_adapter.reading.attachment import FetchLimits, candidates, fetch
from fhir_adapter.reading.documents import Document, different, joined, may_differ
from fhir_adapter.reading.media import family
from fhir_adapter.reasons import Reason
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.text import Extractor


async def read_note(
    note: SourceNote, client: FhirClient, extractor: Extractor, limits: FetchLimits
) -> Reading:
    """Reads the first attachment, in the order of preference, that yields text, and what it does not hold.

    A passing fault (a timeout, a server error) of a better attachment is not answered with a worse one, nor
    with a part of the note: it is tried again later instead, so that its summary does not depend on the
    weather. One that is gone (404, a hash that differs) is; where it may have been another document, a
    remark says so.

    Raises:
        NoteError: why no attachment yields text; of several reasons, that of the preferred attachment, but a
            fault that passes before any other.
    """
    reader = _Reader(note, client, extractor, limits)
    for attachment in candidates(note):
        await reader.read(attachment)
    return reader.reading()


class _Reader:
    """Reads one source, attachment by attachment, the preferred ones first."""

    def __init__(
        self, note: SourceNote, client: FhirClient, extractor: Extractor, limits: FetchLimits
    ) -> None:
        self._note, self._client, self._extractor, self._limits = note, client, extractor, limits
        self._read: list[Document] = []
        self._security: dict[str, tuple[object, ...]] = {}
        self._errors: list[tuple[Attachment, NoteError]] = []

    async def read(self, attachment: Attachment) -> None:
        """Reads an attachment, unless it is another format of what was read.

        What is in the resource itself is always looked into; what lies elsewhere is fetched only where its
        format or its title says that it may be another document.
        """
        if self._read:
            known = [document.attachment for document in self._read]
            inline = attachment.data is not None or attachment.text is not None
            wanted = inline or all(may_differ(attachment, one) for one in known)
            if attachment.path.endswith(".text.div") or _is_media(attachment) or not wanted:
                return
        try:
            content = await fetch(attachment, self._client, self._limits)
            text = await self._text(content, attachment)
        except NoteError as error:
            if not error.reason.gone:
                raise
            self._errors.append((attachment, error))
            return
        self._security[attachment.path] = content.security
        self._read.append(Document(attachment, remarked(text, content)))

    async def _text(self, content: Content, attachment: Attachment) -> NoteText:
        try:
            text = await self._extractor.extract(content)
            if is_own_text(text.text):
                raise NoteError(Reason.OWN_SUMMARY)
            if text.text.strip():
                return text
            raise NoteError(Reason.EMPTY_TEXT)
        except NoteError as error:
            if error.reason is Reason.EMPTY_TEXT:
                check_words(content, attachment)
            raise

    def reading(self) -> Reading:
        """What was read."""
        if not self._read:
            errors = [error for _, error in self._errors]
            passing = next((error for error in errors if error.reason.transient), None)
            raise passing or (errors[0] if errors else NoteError(Reason.NO_ATTACHMENT))
        kept = different(self._read)
        kept.sort(key=lambda document: self._note.attachments.index(document.attachment))
        text = kept[0].text if len(kept) == 1 else joined(kept)
        self._extractor.limits.check_characters(len(text.text))
        first, *rest = (document.attachment for document in kept)
        security = [label for one in (first, *rest) for label in self._security[one.path]]
        note = replace(self._note, security=(*self._note.security, *security)) if security else self._note
        return Reading(note, first, self._with_missing(text, kept), tuple(rest))

    def _with_missing(self, text: NoteText, kept: list[Document]) -> NoteText:
        """With a remark where documents could not be read that may say something of their own."""
        missing = sum(
            error.reason is not Reason.EMPTY_TEXT
            and not _is_media(attachment)
            and all(may_differ(attachment, one.attachment) for one in kept)
            for attachment, error in self._errors
        )
        if not missing:
            return text
        remark = f"{len(kept)} of {len(kept) + missing} documents read"
        return replace(text, notice="; ".join(filter(None, (text.notice, remark))))


def _is_media(attachment: Attachment) -> bool:
    """Pictures, sound: nothing that could be read beside a text."""
    return family(attachment.content_type) == "media"


def remarked(text: NoteText, content: Content) -> NoteText:
    """The text with the remarks on how its bytes were had."""
    notice = "; ".join(filter(None, (content.notice, text.notice)))
    return replace(text, notice=notice, verbatim=text.verbatim and content.as_attached)
