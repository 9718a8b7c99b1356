"""Inline data: strict base64, and the hash stated beside it."""

import base64
import binascii
import hashlib

from fhir_adapter.errors import NoteError
from fhir_adapter.reasons import Reason

_WHITE_SPACE = b" \t\r\n\f\v"
_LEAST_WRAPPED = 32  # characters; shorter than any note in base64
_DOCUMENTS = (b"%PDF-", b"{\\rtf", b"PK\x03\x04", b"\x1f\x8b")


def decode_base64(data: str, max_bytes: int) -> bytes:
    """The bytes of FHIR `base64Binary`: RFC 4648 alphabet, white space allowed, padding required.

    Missing padding is an error on purpose: it is how a note that was cut short shows, and half a note
    must not be summarised as if it were whole.

    Raises:
        NoteError: BAD_BASE64; TOO_LARGE where the bytes would be more than `max_bytes`.
    """
    try:
        packed = data.encode("ascii").translate(None, _WHITE_SPACE)
    except UnicodeEncodeError:
        raise NoteError(Reason.BAD_BASE64, "characters outside the alphabet") from None
    size = len(packed) * 3 // 4 - packed[-2:].count(b"=")
    if size > max_bytes:
        raise NoteError(Reason.TOO_LARGE, f"{size} bytes")
    if len(packed) % 4:
        raise NoteError(Reason.BAD_BASE64, f"{len(packed)} characters, not a multiple of 4")
    try:
        return base64.b64decode(packed, validate=True)
    except binascii.Error:
        raise NoteError(Reason.BAD_BASE64, "characters outside the alphabet") from None


def unwrapped(data: bytes) -> bytes | None:
    """What data holds that is base64 once more; None where it is no base64, as no note is.

    A note has blanks between its words; base64 has none but line ends. What comes out must be text, or begin
    as a document does, so that a long word is not taken for base64.
    """
    lines = data.strip().split()
    packed = b"".join(lines)
    if len(packed) < _LEAST_WRAPPED or len(packed) % 4 or len(lines) > 1 + len(packed) // 40:
        return None
    try:
        inner = base64.b64decode(packed, validate=True)
    except binascii.Error:
        return None
    if inner.startswith(_DOCUMENTS):
        return inner
    try:
        text = inner.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return inner if all(c.isprintable() or c.isspace() for c in text) else None


def check_hash(data: bytes, stated: str) -> None:
    """Compares with `Attachment.hash`: SHA-1 in base64 (R4, 2.24.0.11).

    Senders also write it in hexadecimal, as base64 of that, or as SHA-256; all of these are accepted.

    Raises:
        NoteError: HASH_MISMATCH.
    """
    if not hash_agrees(data, stated):
        raise NoteError(Reason.HASH_MISMATCH, f"{len(data)} bytes")


def hash_agrees(data: bytes, stated: str) -> bool:
    """Whether the hash is that of the data, in one of the forms that `check_hash` accepts."""
    stated = "".join(stated.split())
    for algorithm in ("sha1", "sha256"):
        digest = hashlib.new(algorithm, data, usedforsecurity=False).digest()
        hexadecimal = digest.hex()
        forms = (base64.b64encode(digest), base64.b64encode(hexadecimal.encode("ascii")))
        if stated.lower() == hexadecimal or stated in {form.decode("ascii") for form in forms}:
            return True
    return False
