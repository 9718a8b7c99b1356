"""C-CDA and any other CDA R2 document: what a stylesheet would show of its body.

The recipe `cda|3`:

- the document's title, or the name of its code, is the first line. The rest of the header (patient, authors,
  custodian) is left out: it is the same in every document of a patient and no part of the note.
- every section in document order, nested ones too: its title (or the name of its code) as a heading, its
  narrative, a blank line between blocks. How the narrative becomes lines is `narrative.py`.
- a section without narrative lists the `originalText` of its entries, references into narratives resolved.
  Coded entries beside a narrative add nothing, as on a stylesheet's page.
- an unstructured body is returned as the file that it embeds.
- a piece cut out of a document (a section, a narrative block, a list of one) is read as what it is.

Elements are known by their local names, so that a vendor's prefixes and a missing namespace do not matter.
Sources: HL7 CDA R2 section 4.3 (body and narrative block), C-CDA R2.1 section 1.1.23 (Unstructured Document).
"""

import base64
import binascii
import re
import zlib
from dataclasses import dataclass, replace

from lxml import etree

from fhir_adapter.errors import NoteError
from fhir_adapter.note import NoteText
from fhir_adapter.reasons import Reason
from fhir_adapter.text.builder import TextBuilder
from fhir_adapter.text.cda.narrative import Narrative
from fhir_adapter.text.lines import collapse
from fhir_adapter.text.notation import without_signs
from fhir_adapter.text.recipe import recipe, wrapped
from fhir_adapter.text.sniff import NARRATIVE_ROOTS
from fhir_adapter.text.xmltree import attribute, local_name, parse_xml

MEDIA_TYPE = "application/cda+xml"
FRAGMENT_TYPE = "text/x-hl7-text+xml"
_LOINC = "2.16.840.1.113883.6.1"
_MAX_EMBEDDED = 50_000_000
_BASE64_NOISE = re.compile(r"[\s\ufeff]+")
_ID = re.compile(r"#?\s*(.{1,300})", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Embedded:
    """The file inside an unstructured body; whoever dispatches on media types reads it further.

    Attributes:
        data: the decoded bytes.
        media_type: as declared, lower case, without parameters; "" where none is declared.
        charset: known where the text stood in the XML itself.
        notice: what had to be repaired in the document around it.
    """

    data: bytes
    media_type: str
    charset: str | None = None
    notice: str = ""

    def wrap(self, inner: NoteText) -> NoteText:
        """`inner`, read from `data`, with the recipe that says it lay in a CDA: `cda+rtf|3`."""
        notice = "; ".join(part for part in (self.notice, inner.notice) if part)
        return replace(
            inner, normalization=wrapped("cda", inner.normalization), notice=notice, verbatim=False
        )


def cda_text(data: bytes) -> NoteText | Embedded:
    """The text of a CDA document, or the file embedded in its unstructured body.

    Raises:
        NoteError: `malformed` (no CDA, damaged beyond repair, a document type, nested too deep),
            `no-attachment` (the body only names another file), `bad-base64`, `empty-text`, `too-large`.
    """
    root, notice = parse_xml(data)
    document = next((e for e in root.iter(etree.Element) if local_name(e) == "clinicaldocument"), None)
    if document is None and local_name(root) not in NARRATIVE_ROOTS:
        raise NoteError(Reason.MALFORMED, "no ClinicalDocument element")
    if document is None:
        return _Document(root).fragment(notice)
    body = next((e for e in document.iter(etree.Element) if local_name(e) == "nonxmlbody"), None)
    if body is not None:
        return _embedded(body, notice)
    return _Document(document).text(notice)


class _Document:
    """Walks the sections in document order."""

    def __init__(self, document: etree._Element) -> None:
        self._document = document
        self._builder = TextBuilder()
        self._ids: dict[str, etree._Element] = {}
        self._without_narrative = 0
        self._has_text = False
        for element in document.iter(etree.Element):
            key = attribute(element, "ID")
            if key:
                self._ids.setdefault(key, element)

    def text(self, notice: str) -> NoteText:
        title = _child(self._document, "title")
        name = _child(self._document, "code")
        self._heading(title, name)
        for section in self._document.iter(etree.Element):
            if local_name(section) == "section":
                self._section(section)
        if not self._has_text:
            if notice:
                raise NoteError(Reason.MALFORMED, f"no section left: {notice}")
            raise NoteError(Reason.EMPTY_TEXT, "no section holds text")
        if self._without_narrative:
            more = f"{self._without_narrative} sections with coded entries alone"
            notice = f"{notice}; {more}" if notice else more
        return self._builder.build(recipe("cda", "3"), MEDIA_TYPE, notice)

    def fragment(self, notice: str) -> NoteText:
        """A piece cut out of a document: its sections, or a narrative block or a part of one."""
        sections = [each for each in self._document.iter(etree.Element) if local_name(each) == "section"]
        for section in sections:
            self._section(section)
        if not sections:
            block = etree.Element("text")
            block.append(self._document)
            Narrative(self._ids).write(block, self._builder)
        return self._builder.build(recipe("cda", "3"), FRAGMENT_TYPE, notice)

    def _heading(self, title: etree._Element | None, code: etree._Element | None, level: int = 0) -> None:
        words = collapse(" ".join(_strings(title))) if title is not None else ""
        if not words and code is not None:
            words = collapse(attribute(code, "displayName"))
        self._builder.blank()
        self._builder.heading(words, _loinc(code), level)

    def _section(self, section: etree._Element) -> None:
        level = 1 + sum(local_name(above) == "section" for above in section.iterancestors())
        self._heading(_child(section, "title"), _child(section, "code"), level)
        before = len(self._builder)
        block = _child(section, "text")
        if block is not None:
            Narrative(self._ids).write(block, self._builder)
        if len(self._builder) == before:
            self._entries(section)
        self._has_text = self._has_text or len(self._builder) > before
        self._builder.blank()

    def _entries(self, section: etree._Element) -> None:
        """A section without narrative: the words that its entries were coded from, each once."""
        entries = [child for child in section if local_name(child) == "entry"]
        seen: set[str] = set()
        for entry in entries:
            for original in entry.iter(etree.Element):
                words = self._original_text(original) if local_name(original) == "originaltext" else ""
                if words and words not in seen:
                    seen.add(words)
                    self._builder.line(words)
        if entries and not seen:
            self._without_narrative += 1

    def _original_text(self, original: etree._Element) -> str:
        words = collapse(" ".join(_strings(original)))
        if words:
            return words
        reference = _child(original, "reference")
        found = _ID.fullmatch(attribute(reference, "value").strip()) if reference is not None else None
        target = self._ids.get(found[1]) if found else None
        return collapse(" ".join(_strings(target))) if target is not None else ""


def _strings(element: etree._Element) -> list[str]:
    return [without_signs(str(piece)) for piece in element.itertext()]


def _child(element: etree._Element, name: str) -> etree._Element | None:
    return next((child for child in element if local_name(child) == name), None)


def _loinc(code: etree._Element | None) -> str | None:
    """The LOINC code of a section or document, from the code or one of its translations."""
    if code is None:
        return None
    for candidate in [code, *(child for child in code if local_name(child) == "translation")]:
        value = attribute(candidate, "code")
        if value and attribute(candidate, "codeSystem") == _LOINC:
            return value
    return None


def _embedded(body: etree._Element, notice: str) -> Embedded:
    text = _child(body, "text")
    if text is None:
        raise NoteError(Reason.EMPTY_TEXT, "unstructured body without text")
    media_type = attribute(text, "mediaType").partition(";")[0].strip().lower()
    content = "".join(_strings(text))
    if not content.strip():
        reference = _child(text, "reference")
        if reference is not None and attribute(reference, "value"):
            raise NoteError(Reason.NO_ATTACHMENT, "the body only names another file")
        raise NoteError(Reason.EMPTY_TEXT, "unstructured body without text")
    if attribute(text, "representation").upper() != "B64":
        return Embedded(content.encode("utf-8"), media_type or "text/plain", "utf-8", notice)
    try:
        data = base64.b64decode(_BASE64_NOISE.sub("", content), validate=True)
    except (binascii.Error, ValueError):
        raise NoteError(Reason.BAD_BASE64, "in the unstructured body") from None
    compression = attribute(text, "compression").upper()
    return Embedded(_inflate(data, compression) if compression else data, media_type, None, notice)


def _inflate(data: bytes, compression: str) -> bytes:
    """CDA's CompressionAlgorithm: DF (deflate, RFC 1951), ZL (zlib, RFC 1950), GZ (gzip, RFC 1952)."""
    windows = {"DF": (-15, 15), "ZL": (15, -15), "GZ": (31,)}.get(compression)
    if windows is None:
        raise NoteError(Reason.UNSUPPORTED_TYPE, "compression of the unstructured body")
    for window in windows:
        reader = zlib.decompressobj(window)
        try:
            plain = reader.decompress(data, _MAX_EMBEDDED)
        except zlib.error:
            continue
        if reader.unconsumed_tail:
            raise NoteError(Reason.TOO_LARGE, f"more than {_MAX_EMBEDDED} bytes unpacked")
        if reader.eof:
            return plain
    raise NoteError(Reason.MALFORMED, f"the unstructured body is no {compression} data")
