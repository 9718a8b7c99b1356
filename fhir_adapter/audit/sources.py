"""Reads again what a Composition says it was made from: the version of the source, and its text."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from fhir_adapter import canonical
from fhir_adapter.audit.claims import Claims
from fhir_adapter.audit.findings import Finding, Found
from fhir_adapter.audit.shape import less_protected
from fhir_adapter.audit.standing import Versions, is_replaced, outlives, says_over
from fhir_adapter.errors import NoteError
from fhir_adapter.lenient import JsonObject, as_dict, coded, version_of
from fhir_adapter.note import Attachment, NoteText, Reading, SourceNote
from fhir_adapter.reading.attachment import FetchLimits, fetch
from fhir_adapter.reading.documents import Document, joined
from fhir_adapter.reading.note_text import remarked
from fhir_adapter.reading.source_note import read_source
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.text import Extractor, language
from fhir_adapter.text.recipe import is_earlier, recipe_name
from fhir_adapter.writing.summary import element_path

_UNREAD = re.compile(r"\d+ of \d+ documents read", re.ASCII)
_EXTRACTED_PATH = "DocumentReference.content[0].attachment.data"


@dataclass(slots=True)
class SourceRead(Versions):
    """A source as the server has it.

    Attributes:
        reading: the stated version with its text, or None where the text cannot be had.
        found: what is wrong with it.
    """

    reading: Reading | None = None
    found: list[Found] = field(default_factory=list)


class Sources:
    """Reads the sources of one server, and the texts kept beside them."""

    def __init__(self, client: FhirClient, extractor: Extractor, limits: FetchLimits) -> None:
        self._client, self._extractor, self._limits = client, extractor, limits

    async def read(self, claims: Claims, known: Mapping[str, JsonObject] | None = None) -> SourceRead:
        """The source's newest and stated version, and the text of the latter extracted again.

        Args:
            claims: what the Composition states.
            known: resources that were read just now, by `Type/id`.
        """
        current = (known or {}).get(claims.source)
        if current is None or version_of(current) != claims.version:
            current = await self._client.read_if_there(claims.source)
        read = SourceRead(current=current)
        version = str(as_dict((read.current or {}).get("meta")).get("versionId", ""))
        if read.current is None and not outlives(claims):
            read.found.append((Finding.SOURCE_GONE, "deleted, or never there"))
        elif read.current and version != claims.version and not says_over(claims):
            read.replaced = await is_replaced(self._client, claims)
            read.changed = not read.replaced
            if read.changed:
                read.found.append((Finding.SOURCE_CHANGED, f"now version {version}"))
        read.stated = read.current
        if read.current is None or version != claims.version:
            read.stated = await self._client.read_if_there(claims.source, claims.version)
        if read.stated is None:
            read.found.append((Finding.SOURCE_GONE, "the stated version"))
            return read
        try:
            read.reading = await self._read_again(read_source(read.stated), claims.path)
        except NoteError as error:
            read.found.append((Finding.SOURCE_UNREADABLE, error.reason.value))
            return read
        if read.reading is None:
            read.found.append((Finding.SOURCE_UNREADABLE, "the element is not there"))
        return read

    async def newest(self, claims: Claims, read: SourceRead) -> NoteText | None:
        """The text of a source's newest version, at the stated path; None where it cannot be had."""
        if read.current is None:
            return None
        try:
            reading = await self._read_again(read_source(read.current), claims.path)
        except NoteError:
            return None
        return reading.text if reading else None

    async def _read_again(self, note: SourceNote, path: str) -> Reading | None:
        """The documents at a path, which is a union where there are several; None where one is missing."""
        places = {element_path(attachment): attachment for attachment in note.attachments}
        named = [places.get(place) for place in path.split(" | ")]
        read = [await self._document(one) for one in named if one is not None]
        if len(read) < len(named):
            return None
        documents, versions = [document for document, _ in read], tuple(version for _, version in read)
        first, *rest = documents
        text = joined(documents) if rest else first.text
        return Reading(note, first.attachment, text, tuple(one.attachment for one in rest), versions)

    async def _document(self, attachment: Attachment) -> tuple[Document, str | None]:
        """With its version, as of `Content`."""
        content = await fetch(attachment, self._client, self._limits)
        text = remarked(await self._extractor.extract(content), content)
        return Document(attachment, text), content.version

    async def place(
        self,
        claims: Claims,
        reference: str,
        path: str,
        reading: Reading,
        known: Mapping[str, JsonObject] | None = None,
    ) -> list[Found]:
        """Offsets may point into the source, or into an extracted text that equals what we extract."""
        if reading.text.verbatim:
            here = (reference, path) == (claims.source, claims.path)
            return [] if here else [(Finding.WRONG_PLACE, "")]
        resource = (known or {}).get(reference)
        if resource is None and reference:
            resource = await self._client.read_if_there(reference)
        kept = None if resource is None or path != _EXTRACTED_PATH else _extracted_text(resource)
        if resource is None or kept is None:
            return [(Finding.WRONG_PLACE, "")]
        same = [] if kept == reading.text.text else [(Finding.EXTRACTED_TEXT_DIFFERS, "")]
        return same + less_protected(resource, reading.note)


def same_text(claims: Claims, text: NoteText, form: int) -> list[Found]:
    """Whether the text read again is the one that the Composition describes.

    An earlier version of the recipe is as good where it gave the same text; its remarks may have been others.

    Args:
        claims: of the Composition.
        text: read again.
        form: of what the maker writes; in form 1 it said nothing of the reading.
    """
    found: list[Found] = []
    same = claims.sha256 == text.sha256 and claims.length == len(text.text)
    stated, present = claims.normalization, text.normalization
    if stated != present and not (same and is_earlier(stated, present)):
        found.append((Finding.EXTRACTOR_DIFFERS, _other_recipe(stated, present)))
    if not same:
        found.append((Finding.TEXT_DIFFERS, f"length {len(text.text)}, stated {claims.length}"))
    if same and stated == present and form > 1 and not _same_notices(claims.notice, text):
        found.append((Finding.NOTICE_DIFFERS, ""))
    return found


def _same_notices(stated: str, text: NoteText) -> bool:
    """Whether the remarks on a reading are stated; not those of documents that could not be read.

    That a note is in another language was not remarked before version 0.7: it may be missing.
    """
    said = stated.split("; ") if stated else []
    found = [one for one in text.notices if one != language.NOTICE or one in said]
    return [one for one in said if not _UNREAD.fullmatch(one)] == found


def _other_recipe(stated: str, present: str) -> str:
    before, now = recipe_name(stated), recipe_name(present)
    return f"written by {before}, which this version no longer reads; read now by {now}" if before else now


def _extracted_text(resource: JsonObject) -> str | None:
    if canonical.EXTRACTED_TEXT_TAG not in coded(as_dict(resource.get("meta")).get("tag")):
        return None
    try:
        data = resource["content"][0]["attachment"]["data"]
        return base64.b64decode(data, validate=True).decode("utf-8")
    except (KeyError, IndexError, TypeError, ValueError, binascii.Error):
        return None
