"""What the bytes of an attachment are, whatever the label says.

Labels in the field are wrong often enough (`text/plain` on gzip, `plain/text`, `PDF`) that they only decide
between readings which the bytes leave open: whether text is HTML, and what to call bytes of no known kind.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from fhir_adapter.errors import NoteError
from fhir_adapter.text.plain import decode


class Kind(StrEnum):
    """A format that has a reader here; the value names its recipe."""

    PLAIN = "plain"
    HTML = "html"
    RTF = "rtf"
    PDF = "pdf"
    DOCX = "docx"
    CDA = "cda"
    FHIR_JSON = "fhir-json"
    FHIR_XML = "fhir-xml"
    GZIP = "gzip"
    ZIP = "zip"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Sniffed:
    """The format of some bytes and the media type that goes with it."""

    kind: Kind
    media_type: str


_HEAD = 4096
_MARKUP_HEAD = 1 << 18  # comments and style sheets may stand before a root element
_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
    (8, b"WEBP", "image/webp"),
    (128, b"DICM", "application/dicom"),
    (8, b"WAVE", "audio/wav"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"OggS", "audio/ogg"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),  # old Word, Outlook messages
    (0, b"BZh", "application/x-bzip2"),
    (0, b"\xfd7zXZ\0", "application/x-xz"),
    (0, b"\x28\xb5\x2f\xfd", "application/zstd"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (0, b"\x7fELF", "application/x-executable"),
)
_HTML_LABELS = ("html", "xhtml")
_ROOT = re.compile(r"<(?:[\w.-]+:)?([A-Za-z_][\w.-]*)([^>]{0,20000})")
_HTML_DOCTYPE = re.compile(r"<!doctype\s+html\b", re.I)
_HTML_ROOT = re.compile(
    r"(?:html|head|body|div|p|table|span|center|font|h[1-6]|ul|ol|section|article|meta|pre)\Z", re.I
)
# Text without any of these under the label of HTML is plain: as HTML it would lose its lines.
_MARK_OF_HTML = re.compile(rb"<[A-Za-z/!?]|&(?:[A-Za-z]{2,8}|#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6});")
NARRATIVE_ROOTS = frozenset(
    ("text", "item", "list", "paragraph", "content", "section", "component", "structuredbody", "caption")
)
"""Elements, in lower case, that a piece cut out of a C-CDA document begins with."""
_NARRATIVE = re.compile(
    r"<(?:[\w.-]{1,20}:)?(?:paragraph|content|list|item|renderMultiMedia|table|tr|td|br)[\s/>]"
)
_HL7_NAMESPACE = "urn:hl7-org:v3"
_FHIR_NAMESPACE = "http://hl7.org/fhir"
_XHTML_NAMESPACE = "http://www.w3.org/1999/xhtml"


def sniff(data: bytes, label: str = "", charset: str | None = None) -> Sniffed:
    """The format of an attachment's bytes.

    Args:
        data: the bytes.
        label: the declared media type in lower case; "" where there is none.
        charset: the declared charset.
    """
    if data.startswith(b"\x1f\x8b"):
        return Sniffed(Kind.GZIP, "application/gzip")
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip(data)
    lead = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n\0")
    if lead.startswith(b"%PDF-") or (b"%PDF-" in data[:1024] and "pdf" in label):
        return Sniffed(Kind.PDF, "application/pdf")
    if lead.startswith(b"{\\rtf"):
        return Sniffed(Kind.RTF, "application/rtf")
    for offset, magic, media_type in _MAGIC:
        if data.startswith(magic, offset) and not (magic.isalnum() and _reads(data, charset)):
            return Sniffed(Kind.NONE, media_type)
    return _textual(data, label, charset)


def _reads(data: bytes, charset: str | None) -> bool:
    """True where a magic made of letters may as well begin a word of a note."""
    return b"\0" not in data[:_HEAD] and _head(data, charset) is not None


def _head(data: bytes, charset: str | None, size: int = _HEAD) -> str | None:
    """The first characters, or None where the bytes are no text."""
    try:
        return decode(data[:size], charset).text
    except NoteError:
        return None


def _zip(data: bytes) -> Sniffed:
    """A Word document or another archive, by the names in its directory."""
    if b"word/document" in data and b"[Content_Types].xml" in data:
        return Sniffed(Kind.DOCX, "application/vnd.openxmlformats-officedocument.wordprocessingml.document")
    return Sniffed(Kind.ZIP, "application/zip")


def _textual(data: bytes, label: str, charset: str | None) -> Sniffed:
    head = _head(data, charset)
    if head is None:
        binary = not label.startswith("text/") and label != "plain/text"
        # Bytes that say they are text and are not get their own reason from the plain-text reader.
        return Sniffed(Kind.NONE, "application/octet-stream") if binary else Sniffed(Kind.PLAIN, "text/plain")
    start = head.lstrip("\ufeff \t\r\n\0")
    if start.startswith("{") and b"resourceType" in data.replace(b"\0", b""):
        return Sniffed(Kind.FHIR_JSON, "application/fhir+json")
    html_label = any(name in label for name in _HTML_LABELS)
    if start.startswith("<"):
        longer = _head(data, charset, _MARKUP_HEAD) or head
        found = _markup(longer.lstrip("\ufeff \t\r\n\0"), data, html_label or "xml" in label)
        if found:
            return found
    if html_label and _MARK_OF_HTML.search(data.replace(b"\0", b"")):
        return Sniffed(Kind.HTML, "text/html")
    if label.endswith(("json", "xml")) and start[:1] in ("{", "[", "<"):
        return Sniffed(Kind.NONE, "application/json" if start[0] in "{[" else "application/xml")
    keeps_label = label.startswith("text/") and "xml" not in label and not html_label
    return Sniffed(Kind.PLAIN, label if keeps_label else "text/plain")


def _markup(start: str, data: bytes, labelled: bool) -> Sniffed | None:
    """What a text that begins with `<` is, by its root element; None where it is no markup after all."""
    xml = start.startswith("<?xml")
    at, doctype = _root_at(start)
    rest = start[at:]
    root = _ROOT.match(rest)
    if _HTML_DOCTYPE.match(doctype):
        return Sniffed(Kind.HTML, "application/xhtml+xml" if _XHTML_NAMESPACE in rest[:1000] else "text/html")
    if root is None:
        return Sniffed(Kind.NONE, "application/xml") if xml else None
    name, attributes = root[1], root[2]
    if name == "ClinicalDocument":
        return Sniffed(Kind.CDA, "application/cda+xml")
    if _FHIR_NAMESPACE in attributes:
        return Sniffed(Kind.FHIR_XML, "application/fhir+xml")
    if _is_narrative(name, attributes, rest):
        return Sniffed(Kind.CDA, "text/x-hl7-text+xml")
    if _XHTML_NAMESPACE in attributes:
        return Sniffed(Kind.HTML, "application/xhtml+xml")
    if name.lower() in ("html", "head", "body"):
        return Sniffed(Kind.HTML, "text/html")
    if _HTML_ROOT.match(name) and (labelled or _ends_in_tag(data)):
        return Sniffed(Kind.HTML, "text/html")
    return Sniffed(Kind.NONE, "application/xml") if xml else None


def _is_narrative(name: str, attributes: str, text: str) -> bool:
    """A piece cut out of a C-CDA document: by its namespace, or by what only narratives have."""
    if name.lower() not in NARRATIVE_ROOTS:
        return False
    if _HL7_NAMESPACE in attributes or "styleCode=" in attributes or name == "paragraph":
        return True
    return _NARRATIVE.search(text, 1) is not None


def _root_at(text: str) -> tuple[int, str]:
    """Where the root element begins, past instructions, comments and the document type; and the latter.

    By searches alone: a pattern that repeats over comments can take exponential time.
    """
    at, doctype = 0, ""
    while at < len(text):
        if text[at].isspace():
            at += 1
        elif text.startswith("<?", at):
            at = _behind("?>", text, at)
        elif text.startswith("<!--", at):
            at = _behind("-->", text, at)
        elif text.startswith("<!", at):
            doctype = text[at : at + 200]
            end = _behind(">", text, at)
            at = _behind(">", text, _behind("]", text, at)) if "[" in text[at:end] else end
        else:
            break
    return at, doctype


def _behind(mark: str, text: str, at: int) -> int:
    """The position after the next `mark`; the end of the text where there is none."""
    found = text.find(mark, at)
    return found + len(mark) if found >= 0 else len(text)


def _ends_in_tag(data: bytes) -> bool:
    """True where the bytes end in an end tag: a fragment of HTML, not a note that quotes a tag."""
    return bool(re.search(rb"</[A-Za-z][A-Za-z0-9:]*\s*>\s*\Z", data[-200:].replace(b"\0", b"")))
