"""A note's attachments: which to prefer, and their bytes under limits of size, time and host."""

import asyncio
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

from fhir_adapter.errors import (
    FhirAdapterError,
    HttpStatusError,
    NoteError,
    NotFhirError,
    OutsideBaseError,
    read_fault,
)
from fhir_adapter.lenient import as_string, usable_id
from fhir_adapter.note import Attachment, Content, SourceNote
from fhir_adapter.reading.base64_data import check_hash, decode_base64
from fhir_adapter.reading.media import declared, rank
from fhir_adapter.reading.source_note import BINARY_ACCESS, externalized
from fhir_adapter.reasons import Reason
from fhir_adapter.rest.client import FHIR_JSON, FhirClient
from fhir_adapter.rest.scope import parsed
from fhir_adapter.rest.transport import RawResponse
from fhir_adapter.rest.wire import decode_json

_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+")
_XML_BINARY = re.compile(rb"\s*(?:<\?xml[^>]*>)?\s*<(?:\w+:)?Binary\b")
_NOT_ACCEPTABLE = 406
_ENVELOPE = 1 << 16
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """What a note's bytes may cost.

    Attributes:
        max_bytes: of the decoded attachment.
        allowed_hosts: `host` or `host:port` that attachments may lie on besides the FHIR server.
        allow_private: such hosts may have loopback or private addresses (never link-local ones).
        timeout: seconds for the whole of one attachment, retries included.
    """

    max_bytes: int = 32 << 20
    allowed_hosts: frozenset[str] = frozenset()
    allow_private: bool = False
    timeout: float = 120.0


def candidates(note: SourceNote) -> tuple[Attachment, ...]:
    """Those attachments that hold or point at anything, best first.

    Contents of one document are the same document in several formats (R4, 10.3.3): plain text before HTML,
    C-CDA, DOCX, RTF, PDF and the rest, by the declared type; among equals the order of the resource.
    For a DiagnosticReport all presented forms come before the conclusion, and that before the narrative.
    """
    usable = [a for a in note.attachments if a.data is not None or a.text is not None or a.url]
    return tuple(sorted(usable, key=_preference))


def _preference(attachment: Attachment) -> tuple[int, bool, int]:
    if attachment.path.endswith(".conclusion"):
        return 1, False, 0
    if attachment.path.endswith(".text.div"):
        return 2, False, 0
    empty = not attachment.url and attachment.data is not None and not attachment.data.strip()
    return 0, empty, rank(attachment.content_type)


async def fetch(attachment: Attachment, client: FhirClient, limits: FetchLimits) -> Content:
    """The bytes of one attachment.

    Raises:
        NoteError: NO_ATTACHMENT, TOO_LARGE, BAD_BASE64, HASH_MISMATCH, FOREIGN_HOST, NOT_FOUND,
            FORBIDDEN, TIMEOUT or SERVER_ERROR, with a technical detail.
    """
    if attachment.text is not None:
        data, label = _SURROGATE.sub("\ufffd", attachment.text).encode("utf-8"), None
        _check_size(len(data), limits)
    elif attachment.data is not None and (attachment.data.strip() or not attachment.url):
        data, label = decode_base64(attachment.data, limits.max_bytes), None
    elif attachment.url is None:
        raise NoteError(Reason.NO_ATTACHMENT, "neither data nor url")
    elif attachment.url.strip()[:5].lower() == "data:":
        data, label = _data_url(attachment.url.strip(), limits.max_bytes)
    else:
        if attachment.size is not None:
            _check_size(attachment.size, limits)
        data, label = await _remote(attachment, client, limits)
    if attachment.hash is not None:
        check_hash(data, attachment.hash)
    media_type, charset = declared(attachment.content_type)
    found_type, found_charset = declared(label)
    if charset is None and (not media_type or media_type == found_type) and found_charset != "utf-8":
        # Frameworks add charset=utf-8 to any text unasked; UTF-8 is tried first anyway.
        charset = found_charset
    return Content(attachment.path, data, media_type or found_type, charset)


async def _remote(
    attachment: Attachment, client: FhirClient, limits: FetchLimits
) -> tuple[bytes, str | None]:
    """Bytes and the type that the server says they have."""
    try:
        async with asyncio.timeout(limits.timeout):
            return await _get(attachment, client, limits)
    except TimeoutError:
        raise NoteError(Reason.TIMEOUT, "no complete answer in time") from None
    except FhirAdapterError as error:
        raise read_fault(error) from None


async def _get(attachment: Attachment, client: FhirClient, limits: FetchLimits) -> tuple[bytes, str | None]:
    url = (attachment.url or "").strip()
    if client.resolve(url) is not None:
        try:
            return await _from_server(url, attachment, client, limits)
        except OutsideBaseError as elsewhere:
            # A server may keep large files in object storage and redirect there.
            url = elsewhere.url
    target = parsed(url)
    scheme = url.partition(":")[0].lower() if target is None else target.scheme
    if scheme == "urn" or url.startswith("#"):
        raise NoteError(Reason.NOT_FOUND, "a name, not an address")
    if target is None or target.scheme not in ("http", "https"):
        raise NoteError(Reason.FOREIGN_HOST, "an address that is not http or https")
    answer = await client.foreign.fetch(
        url,
        accept=_accepts(attachment)[-1],
        max_bytes=limits.max_bytes,
        allowed_hosts=limits.allowed_hosts,
        allow_private=limits.allow_private,
    )
    return answer.data, answer.content_type


async def _from_server(
    url: str, attachment: Attachment, client: FhirClient, limits: FetchLimits
) -> tuple[bytes, str | None]:
    """Asks in another way where an answer is a refusal of the type, or a Binary without its data."""
    # Room for the same bytes in base64 inside a Binary resource; the decoded size is checked on its own.
    room = limits.max_bytes * 4 // 3 + _ENVELOPE
    accepts = _accepts(attachment)
    for number, accept in enumerate(accepts, start=1):
        try:
            answer = await client.fetch(url, accept=accept, max_bytes=room)
        except HttpStatusError as error:
            if error.status != _NOT_ACCEPTABLE or number == len(accepts):
                raise
            continue
        found = await _opened(answer, client, limits)
        if found is not None:
            return found
    raise NoteError(Reason.NO_ATTACHMENT, "a Binary without data")


async def _opened(
    answer: RawResponse, client: FhirClient, limits: FetchLimits
) -> tuple[bytes, str | None] | None:
    """The bytes and their label, also out of a Binary resource; None where that does not hold them."""
    if _xml_binary(answer):
        return None
    binary = _binary(answer)
    if binary is None:
        _check_size(len(answer.data), limits)
        return answer.data, answer.content_type
    label = as_string(binary.get("contentType"))
    if externalized(binary) and (ident := usable_id(binary.get("id"))):
        path = f"Binary/{ident}/{BINARY_ACCESS}"
        outside = await client.fetch(path, accept="*/*", max_bytes=limits.max_bytes)
        return outside.data, label or outside.content_type
    # `data` since R4, `content` before.
    data = as_string(binary.get("data", binary.get("content")))
    return None if data is None else (decode_base64(data, limits.max_bytes), label)


def _accepts(attachment: Attachment) -> tuple[str, ...]:
    """Accept headers to try: the declared type as it is, the Binary resource, and anything.

    Of plain text without a charset the Binary resource comes first, since its `contentType` may state one:
    HAPI cuts the parameter off when it hands out the raw bytes.
    """
    media_type, charset = declared(attachment.content_type)
    if not _MEDIA_TYPE.fullmatch(media_type):
        return ("*/*", FHIR_JSON, "*/*")
    raw = f"{media_type}, */*;q=0.5"
    if media_type == "text/plain" and charset is None and not attachment.externalized:
        return (f"{FHIR_JSON}, {raw}", raw)
    return (raw, FHIR_JSON, "*/*")


def _binary(answer: RawResponse) -> dict[str, Any] | None:
    """The Binary resource in JSON that the answer is, or None where it is the bytes themselves."""
    if "json" not in declared(answer.content_type)[0]:
        return None
    try:
        resource = decode_json(answer.data, "Binary")
    except NotFhirError:
        return None
    return resource if resource["resourceType"] == "Binary" else None


def _xml_binary(answer: RawResponse) -> bool:
    """The answer is a Binary resource in XML, which is asked for again in JSON."""
    fhir_xml = declared(answer.content_type)[0] == "application/fhir+xml"
    return fhir_xml and _XML_BINARY.match(answer.data) is not None


def _data_url(url: str, max_bytes: int) -> tuple[bytes, str | None]:
    """RFC 2397: `data:[type][;base64],payload`."""
    head, comma, payload = url[5:].partition(",")
    if not comma:
        raise NoteError(Reason.MALFORMED, "a data URL without data")
    label, _, coding = head.rpartition(";")
    if coding.strip().lower() == "base64":
        return decode_base64(unquote_to_bytes(payload).decode("latin-1"), max_bytes), label
    data = unquote_to_bytes(payload)
    if len(data) > max_bytes:
        raise NoteError(Reason.TOO_LARGE, f"{len(data)} bytes")
    return data, head


def _check_size(size: int, limits: FetchLimits) -> None:
    if size > limits.max_bytes:
        raise NoteError(Reason.TOO_LARGE, f"{size} bytes")
