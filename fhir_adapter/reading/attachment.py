"""A note's attachments: which to prefer, and their bytes under limits of size, time and host."""

import asyncio
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

from fhir_adapter.errors import (
    FhirAdapterError,
    HttpStatusError,
    LoginError,
    NoteError,
    OutsideBaseError,
    read_fault,
)
from fhir_adapter.lenient import JsonObject, as_dict, as_string, relative, usable_id, version_of
from fhir_adapter.note import Attachment, Content, SourceNote
from fhir_adapter.reading.answers import check_answer, check_binary
from fhir_adapter.reading.base64_data import check_hash, decode_base64, unwrapped
from fhir_adapter.reading.binary import binary_resource
from fhir_adapter.reading.media import declared, rank
from fhir_adapter.reading.source_note import BINARY_ACCESS, externalized, security_of
from fhir_adapter.reasons import Reason
from fhir_adapter.rest.client import FHIR_JSON, FhirClient
from fhir_adapter.rest.scope import parsed
from fhir_adapter.rest.transport import RawResponse

_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+")
_BINARY_ADDRESS = re.compile(r"(?:^|/)Binary/[^/]+(?:/_history/[^/]+)?/?$")
_NOT_ACCEPTABLE = 406
_NOT_MODIFIED = 304
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


@dataclass(frozen=True, slots=True)
class _Bytes:
    """Bytes as they came.

    Attributes:
        label: the media type that their carrier says they have, or None.
        security: labels of the Binary that held them.
        version: as of `Content`.
    """

    data: bytes
    label: str | None = None
    security: tuple[Any, ...] = ()
    version: str | None = None


async def fetch(attachment: Attachment, client: FhirClient, limits: FetchLimits) -> Content:
    """The bytes of one attachment.

    Raises:
        NoteError: NO_ATTACHMENT, TOO_LARGE, BAD_BASE64, HASH_MISMATCH, MALFORMED, FOREIGN_HOST, NOT_FOUND,
            FORBIDDEN, WRONG_ANSWER, TIMEOUT or SERVER_ERROR, with a technical detail.
    """
    got = await _got(attachment, client, limits)
    if attachment.hash is not None:
        check_hash(got.data, attachment.hash)
    media_type, charset = declared(attachment.content_type)
    found_type, found_charset = declared(got.label)
    if charset is None and (not media_type or media_type == found_type) and found_charset != "utf-8":
        # Frameworks add charset=utf-8 to any text unasked; UTF-8 is tried first anyway.
        charset = found_charset
    inner = None if attachment.text is not None else unwrapped(got.data)
    return Content(
        path=attachment.path,
        data=got.data if inner is None else inner,
        media_type=media_type or found_type,
        charset=charset,
        security=got.security,
        notice="" if inner is None else "its data was encoded twice",
        as_attached=inner is None,
        version=got.version,
    )


async def unchanged(attachment: Attachment, client: FhirClient, version: str, max_bytes: int) -> bool:
    """Whether an address on the server still leads to the version that an earlier `fetch` got there.

    The server is asked for it only if it is another one; one that sends it all the same may say that it is
    the same. Where it cannot be told, it is taken for another.

    Raises:
        LoginError: as the client raises it.
    """
    url = (attachment.url or "").strip().partition("#")[0]
    try:
        accept = _accepts(attachment, url)[0]
        answer = await client.fetch(url, accept=accept, max_bytes=max_bytes, unless=version)
    except LoginError:
        raise
    except FhirAdapterError:
        return False
    return answer.status == _NOT_MODIFIED or (answer.status == 200 and _version(answer) == version)


def _version(answer: RawResponse) -> str:
    """Which version an answer is, as the server names it; "" where it does not."""
    binary = binary_resource(answer) if not answer.etag else None
    return answer.etag or (version_of(binary) if binary else "")


async def _got(attachment: Attachment, client: FhirClient, limits: FetchLimits) -> _Bytes:
    if attachment.text is not None:
        data = _SURROGATE.sub("\ufffd", attachment.text).encode("utf-8")
        _check_size(len(data), limits)
        return _Bytes(data)
    if attachment.data is not None and (attachment.data.strip() or not attachment.url):
        data = decode_base64(attachment.data, limits.max_bytes)
        _check_whole(data, attachment)
        return _Bytes(data)
    if attachment.url is None:
        raise NoteError(Reason.NO_ATTACHMENT, "neither data nor url")
    if attachment.url.strip()[:5].lower() == "data:":
        return _Bytes(*_data_url(attachment.url.strip(), limits.max_bytes))
    if attachment.size is not None:
        _check_size(attachment.size, limits)
    return await _remote(attachment, client, limits)


def _check_whole(data: bytes, attachment: Attachment) -> None:
    """Data much shorter than the size beside it was cut short; senders who count otherwise come near it."""
    if attachment.size and len(data) * 2 < attachment.size and attachment.hash is None:
        raise NoteError(Reason.MALFORMED, f"{len(data)} bytes of {attachment.size}")


async def _remote(attachment: Attachment, client: FhirClient, limits: FetchLimits) -> _Bytes:
    try:
        async with asyncio.timeout(limits.timeout):
            return await _get(attachment, client, limits)
    except TimeoutError:
        raise NoteError(Reason.TIMEOUT, "no complete answer in time") from None
    except LoginError:
        raise  # no fault of this note
    except FhirAdapterError as error:
        raise read_fault(error) from None


async def _get(attachment: Attachment, client: FhirClient, limits: FetchLimits) -> _Bytes:
    url = (attachment.url or "").strip()
    # A part of a document has no address of its own here: the whole is read.
    url = url if url.startswith("#") else url.partition("#")[0]
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
        accept=_accepts(attachment, "")[0],
        max_bytes=limits.max_bytes,
        allowed_hosts=limits.allowed_hosts,
        allow_private=limits.allow_private,
    )
    check_answer(answer, attachment)
    return _Bytes(answer.data, answer.content_type, version="")


async def _from_server(url: str, attachment: Attachment, client: FhirClient, limits: FetchLimits) -> _Bytes:
    """Asks in another way where an answer is a refusal of the type, or a Binary without its data."""
    # Room for the same bytes in base64 inside a Binary resource; the decoded size is checked on its own.
    room = limits.max_bytes * 4 // 3 + _ENVELOPE
    accepts = _accepts(attachment, url)
    for number, accept in enumerate(accepts, start=1):
        try:
            answer = await client.fetch(url, accept=accept, max_bytes=room)
        except HttpStatusError as error:
            if error.status != _NOT_ACCEPTABLE or number == len(accepts):
                raise
            continue
        got = await _opened(answer, attachment, client, limits)
        if got is not None:
            return got
    raise NoteError(Reason.WRONG_ANSWER, "a Binary without data")


async def _opened(
    answer: RawResponse, attachment: Attachment, client: FhirClient, limits: FetchLimits
) -> _Bytes | None:
    """The bytes, also out of a Binary resource in JSON or XML; None where that does not hold them."""
    binary = binary_resource(answer) if answer.status == 200 else None
    if binary is None:
        check_answer(answer, attachment)
        _check_size(len(answer.data), limits)
        return _Bytes(answer.data, answer.content_type, version=_version(answer))
    security, version = (*security_of(binary), *await _proxy_labels(binary, client)), _version(answer)
    label = as_string(binary.get("contentType"))
    if externalized(binary) and (ident := usable_id(binary.get("id"))):
        path = f"Binary/{ident}/{BINARY_ACCESS}"
        outside = await client.fetch(path, accept="*/*", max_bytes=limits.max_bytes)
        check_answer(outside, attachment)
        return _Bytes(outside.data, label or outside.content_type, security, version)
    # `data` since R4, `content` before.
    packed = as_string(binary.get("data", binary.get("content")))
    if packed is None:
        return None
    data = decode_base64(packed, limits.max_bytes)
    check_binary(data, label or "", attachment)
    return _Bytes(data, label, security, version)


async def _proxy_labels(binary: JsonObject, client: FhirClient) -> tuple[Any, ...]:
    """Labels of the resource by whose rules a Binary is protected (R4, `Binary.securityContext`).

    Raises:
        HttpStatusError: it is there and may not, or cannot, be read: without its labels nothing is shown.
    """
    stated = as_string(as_dict(binary.get("securityContext")).get("reference"))
    named = "/".join(relative(stated, client.base_url).split("/")[:2])
    resource = await client.read_if_there(named) if named else None
    return security_of(resource) if resource else ()


def _accepts(attachment: Attachment, url: str) -> tuple[str, ...]:
    """Accept headers to try: the Binary resource, the declared type as it is, and anything.

    A Binary comes as a resource first, since only that shows its labels, and its `contentType` with the
    charset: HAPI cuts the parameter off when it hands out the raw bytes.
    """
    media_type, _ = declared(attachment.content_type)
    raw = f"{media_type}, */*;q=0.5" if _MEDIA_TYPE.fullmatch(media_type) else "*/*"
    if not _BINARY_ADDRESS.search(url.partition("?")[0]):
        return (raw, FHIR_JSON, "*/*") if raw != "*/*" else ("*/*", FHIR_JSON, "*/*")
    return (f"{FHIR_JSON}, {raw if raw != '*/*' else '*/*;q=0.5'}", raw, "*/*")


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
