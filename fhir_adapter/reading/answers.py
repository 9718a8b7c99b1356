"""Whether what a server sent is the attachment that was asked for, or something else in its place.

Gateways answer with sign-in pages, caches with parts, servers with outcomes, all of them with status 200 too.
Nothing of that is a note: it is a fault that passes, so the note is asked for again later.
"""

import json
import re
from http import HTTPStatus

from fhir_adapter.errors import NoteError
from fhir_adapter.note import Attachment, Content
from fhir_adapter.reading.base64_data import hash_agrees
from fhir_adapter.reading.media import declared, family
from fhir_adapter.reasons import Reason
from fhir_adapter.rest.transport import RawResponse
from fhir_adapter.text.sniff import Kind, sniff

_OUTCOME = re.compile(rb'\s*\{[^{}\[\]]*"resourceType"\s*:\s*"OperationOutcome"')
# The root element of an error in XML: an OperationOutcome, SOAP's, object stores', RFC 7807's, OGC's.
_XML_ERROR = re.compile(
    rb"\s*(?:<\?xml[^>]{0,500}>\s*)?<(?:[\w.-]{1,40}:)?"
    rb"(?:OperationOutcome|Envelope|problem|\w{0,40}(?:error|fault|exception)\w{0,40})[\s/>]",
    re.IGNORECASE,
)
# No clinical note asks for a password, sends itself away or leads elsewhere by itself.
_SIGN_IN = re.compile(
    rb"""<input\b[^>]{0,500}\b(?:type\s*=\s*["']?password|name\s*=\s*["']?SAML(?:Request|Response))\b"""
    rb"""|<meta\b[^>]{0,500}\bhttp-equiv\s*=\s*["']?refresh\b"""
    rb"""|\bonload\s*=\s*["'][^"'>]{0,500}\bsubmit\s*\("""
    rb"""|<script\b[^>]{0,500}>[^<]{0,500}\blocation(?:\.(?:href|replace|assign))?\s{0,9}[=(]""",
    re.IGNORECASE,
)
# What a server calls its own page: a status, as 502 Bad Gateway, HTTP Status 404 or Error 503.
_TITLE = re.compile(rb"<title\b[^>]{0,200}>\s{0,99}([^<]{1,200})", re.IGNORECASE)
_STATUS = re.compile(
    r"(?:http|error|status|code|http status|http error|error code)[ :]{1,3}[45]\d\d\b"
    r"|[45]\d\d[ :]{0,2}[-\u2013|]",
    re.IGNORECASE,
)
_PHRASES = tuple((str(one.value), one.phrase.lower()) for one in HTTPStatus if one.value >= 400)
_PAGE = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]{0,500}>\s*)?<(?:!doctype\s+)?html\b", re.IGNORECASE)
_PICTURE = re.compile(rb"<(?:img|svg|object|embed|iframe|canvas)\b", re.IGNORECASE)
_HEAD = 1 << 16
# What a server or a gateway says when it speaks for itself.
_OWN_WORDS = frozenset({"html", "json", "xml"})
_BINARY_FORMATS = frozenset({"pdf", "docx", "rtf", "media"})
_NO_TEXT = frozenset({"image", "audio", "video", "font", "multipart"})
_FAMILIES = {
    Kind.PLAIN: "text",
    Kind.HTML: "html",
    Kind.RTF: "rtf",
    Kind.PDF: "pdf",
    Kind.DOCX: "docx",
    Kind.CDA: "document",
    Kind.FHIR_JSON: "document",
    Kind.FHIR_XML: "document",
}


def check_answer(answer: RawResponse, attachment: Attachment) -> None:
    """Checks raw bytes against what the attachment declares: status, media type, first bytes, size, hash.

    Raises:
        NoteError: WRONG_ANSWER, with what does not agree.
    """
    if answer.status != 200:
        raise NoteError(Reason.WRONG_ANSWER, f"HTTP {answer.status}")
    if attachment.hash is not None and hash_agrees(answer.data, attachment.hash):
        return
    _check_kind(answer.data, answer.content_type, attachment)
    check_size(answer.data, attachment)


def check_binary(data: bytes, content_type: str, attachment: Attachment) -> None:
    """Checks what a Binary resource holds, and says of itself, against what the attachment declares.

    Only a server of FHIR gives such a resource, so a stated size that agrees says more than its type.

    Raises:
        NoteError: WRONG_ANSWER, with what does not agree.
    """
    if attachment.hash is not None and hash_agrees(data, attachment.hash):
        return
    if not attachment.size or attachment.size not in _sizes(data):
        _check_kind(data, content_type, attachment)
    if attachment.hash is None:
        check_size(data, attachment)


def _check_kind(data: bytes, content_type: str, attachment: Attachment) -> None:
    """The bytes are no error and no sign-in, and of the family that is declared."""
    if _OUTCOME.match(data[:_HEAD]):
        raise NoteError(Reason.WRONG_ANSWER, "an OperationOutcome")
    if _XML_ERROR.match(data[:_HEAD]):
        raise NoteError(Reason.WRONG_ANSWER, "an error in XML")
    if _SIGN_IN.search(data[:_HEAD]):
        raise NoteError(Reason.WRONG_ANSWER, "a page that leads to a sign-in")
    if _is_error_page(data[:_HEAD]):
        raise NoteError(Reason.WRONG_ANSWER, "a page that tells an error")
    _check_family(data, content_type, attachment)


def _is_error_page(head: bytes) -> bool:
    """A page of HTML whose title is a status of HTTP, which no clinical note's is."""
    found = _TITLE.search(head) if _PAGE.match(head) else None
    if found is None:
        return False
    title = " ".join(found[1].decode("utf-8", "replace").split()).lower()
    told = any(title == phrase or title.startswith(f"{code} {phrase}") for code, phrase in _PHRASES)
    return told or _STATUS.match(title) is not None


def check_size(data: bytes, attachment: Attachment) -> None:
    """Compares with `Attachment.size`, where no hash says more; an empty answer counts only where stated.

    Raises:
        NoteError: WRONG_ANSWER.
    """
    if not data.strip() and attachment.size != 0:
        raise NoteError(Reason.WRONG_ANSWER, "an empty answer")
    if attachment.size and attachment.size not in _sizes(data):
        raise NoteError(Reason.WRONG_ANSWER, f"{len(data)} bytes where {attachment.size} are stated")


def check_words(content: Content, attachment: Attachment) -> None:
    """A page of a server's without a word or a picture in it is an empty answer: a program will fill it.

    Args:
        content: in which no text was found.
        attachment: of which it is the answer, where it has an address.

    Raises:
        NoteError: WRONG_ANSWER.
    """
    elsewhere = attachment.data is None and attachment.text is None
    stated = attachment.hash is not None or attachment.size == len(content.data)
    if elsewhere and not stated and _PAGE.match(content.data) and not _PICTURE.search(content.data):
        raise NoteError(Reason.WRONG_ANSWER, "a page without words")


def _sizes(data: bytes) -> set[int]:
    """What senders call the size of these bytes: also that of their base64, or counted in characters."""
    lines, ends = data.count(b"\n"), data.count(b"\r\n")
    characters = len(data.decode("utf-8", "replace"))
    plain = {len(data), len(data) - ends, len(data) + lines - ends, characters, characters - ends}
    return plain | {len(data.rstrip()), -(-len(data) // 3) * 4}


def _check_family(data: bytes, content_type: str, attachment: Attachment) -> None:
    """The bytes are of what was declared, or at least not of what a gateway says for itself."""
    wanted, labelled = family(attachment.content_type), family(content_type)
    media_type = declared(content_type)[0]
    if wanted and labelled != wanted and media_type.partition("/")[0] in _NO_TEXT:
        stated = (attachment.content_type or "").strip().lower()
        if not stated.startswith(media_type.partition("/")[0]):
            raise NoteError(Reason.WRONG_ANSWER, f"{media_type} where {wanted} was declared")
    found, certain = _found(data, media_type)
    if not wanted or not found or found == wanted or {found, wanted} == {"html", "xml"}:
        return
    own = found in _OWN_WORDS
    size_agrees = bool(attachment.size) and attachment.size in _sizes(data)
    mislabelled = wanted in _BINARY_FORMATS and (own or (found == "text" == labelled))
    if mislabelled or (own and (labelled == found or (certain and not size_agrees))):
        raise NoteError(Reason.WRONG_ANSWER, f"{media_type or found} where {wanted} was declared")


def _found(data: bytes, media_type: str) -> tuple[str, bool]:
    """The family of the bytes, "" where none is known, and whether they are so whatever their label says."""
    kind = sniff(data, media_type).kind
    if kind is Kind.FHIR_JSON and "json" in media_type:
        return "json", True
    if kind in (Kind.PLAIN, Kind.NONE) and "json" in media_type and _json_values(data):
        return "json", True
    if kind in (Kind.PLAIN, Kind.NONE) and data.lstrip()[:1] in (b"{", b"["):
        whole = any(_json_values(data))  # with something in it
        return ("json", whole) if whole or "json" in media_type else (_FAMILIES.get(kind, ""), False)
    if kind in (Kind.PLAIN, Kind.NONE) and "xml" in media_type and data.lstrip()[:1] == b"<":
        return "xml", True
    return _FAMILIES.get(kind, ""), kind is Kind.HTML and _PAGE.match(data) is not None


def _json_values(data: bytes) -> list[object]:
    """The one value of JSON that the whole of it is, be it null or a text; else none."""
    try:
        return [json.loads(data)]
    except (ValueError, RecursionError):
        return []
