"""Whether what a server sent is the attachment that was asked for, or something else in its place.

Gateways answer with sign-in pages, caches with parts, servers with outcomes, all of them with status 200 too.
Nothing of that is a note: it is a fault that passes, so the note is asked for again later.
"""

import re

from fhir_adapter.errors import NoteError
from fhir_adapter.note import Attachment
from fhir_adapter.reading.base64_data import hash_agrees
from fhir_adapter.reading.media import declared, family
from fhir_adapter.reasons import Reason
from fhir_adapter.rest.transport import RawResponse
from fhir_adapter.text.sniff import Kind, sniff

_OUTCOME = re.compile(
    rb'\s*(?:<\?xml[^>]*>\s*)?<(?:\w+:)?OperationOutcome\b|\s*\{[^{}\[\]]*"resourceType"\s*:\s*"OperationOutcome"'
)
# No clinical note asks for a password.
_SIGN_IN = re.compile(rb"""<input\b[^>]{0,500}\btype\s*=\s*["']?password\b""", re.IGNORECASE)
_HEAD = 1 << 16
# What a server or a gateway says when it speaks for itself.
_OWN_WORDS = frozenset({"html", "json"})
_BINARY_FORMATS = frozenset({"pdf", "docx", "rtf", "media"})
_FAMILIES = {
    Kind.PLAIN: "text",
    Kind.HTML: "html",
    Kind.RTF: "rtf",
    Kind.PDF: "pdf",
    Kind.DOCX: "docx",
    Kind.CDA: "xml",
    Kind.FHIR_JSON: "json",
    Kind.FHIR_XML: "xml",
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
    if _OUTCOME.match(answer.data[:_HEAD]):
        raise NoteError(Reason.WRONG_ANSWER, "an OperationOutcome")
    if _SIGN_IN.search(answer.data[:_HEAD]):
        raise NoteError(Reason.WRONG_ANSWER, "a page to sign in")
    _check_family(answer, attachment)
    check_size(answer.data, attachment)


def check_size(data: bytes, attachment: Attachment) -> None:
    """Compares with `Attachment.size`, where no hash says more; an empty answer counts only where stated.

    Raises:
        NoteError: WRONG_ANSWER.
    """
    if not data.strip() and attachment.size != 0:
        raise NoteError(Reason.WRONG_ANSWER, "an empty answer")
    if attachment.size and attachment.size not in _sizes(data):
        raise NoteError(Reason.WRONG_ANSWER, f"{len(data)} bytes where {attachment.size} are stated")


def _sizes(data: bytes) -> set[int]:
    """What senders call the size of these bytes: also that of their base64, or counted in characters."""
    lines, ends = data.count(b"\n"), data.count(b"\r\n")
    characters = len(data.decode("utf-8", "replace"))
    plain = {len(data), len(data) - ends, len(data) + lines - ends, characters, characters - ends}
    return plain | {len(data.rstrip()), -(-len(data) // 3) * 4}


def _check_family(answer: RawResponse, attachment: Attachment) -> None:
    """The bytes are of what was declared, or at least not of what a gateway says for itself."""
    wanted, labelled = family(attachment.content_type), family(answer.content_type)
    media_type = declared(answer.content_type)[0]
    is_json = "json" in media_type and answer.data.lstrip()[:1] in (b"{", b"[")
    found = "json" if is_json else _FAMILIES.get(sniff(answer.data, media_type).kind, "")
    if not wanted or not found or found == wanted or {found, wanted} == {"html", "xml"}:
        return
    mislabelled = wanted in _BINARY_FORMATS and (found in _OWN_WORDS or (found == "text" == labelled))
    if mislabelled or (found in _OWN_WORDS and labelled == found):
        raise NoteError(Reason.WRONG_ANSWER, f"{media_type or found} where {wanted} was declared")
