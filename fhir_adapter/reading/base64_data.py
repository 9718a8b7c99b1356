"""Inline data: strict base64, and the hash stated beside it."""

import base64
import binascii
import hashlib
import re

from fhir_adapter.errors import NoteError
from fhir_adapter.reasons import Reason

_WHITE_SPACE = b" \t\r\n\f\v"
_LEAST_WRAPPED = 32  # characters; shorter than any note in base64
_DOCUMENTS = (b"%PDF-", b"{\\rtf", b"PK\x03\x04", b"\x1f\x8b", b"\xff\xfe", b"\xfe\xff")
_MOST_WRAPPED = 4
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_DATA_URL = re.compile(rb"\s*data:[^,;\s]{0,100}(?:;[^,;\s]{1,100}){0,5};base64,", re.IGNORECASE)
_ENCODED = re.compile(rb"[A-Za-z0-9+/]+={0,2}")
_HEXADECIMAL = re.compile(rb"(?:[0-9A-Fa-f]{2})+")
_LETTERS = 0.9  # of the characters of a text in a one-byte encoding are ASCII at least


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
    """What data holds that is encoded once more, in base64, hexadecimal or a `data:` URL, and that again.

    A note has blanks between its words; what is encoded has none but line ends. What comes out must be text,
    or begin as a document does, so that a long word is not taken for base64.

    Returns:
        The innermost bytes; None where nothing is encoded, as in almost every note.

    Raises:
        NoteError: BAD_BASE64, where it is the base64 of a text and was cut short.
    """
    inner: bytes | None = None
    for _ in range(_MOST_WRAPPED):
        found = _unwrapped_once(data if inner is None else inner)
        if found is None:
            break
        inner = found
    return inner


def _unwrapped_once(data: bytes) -> bytes | None:
    head = _DATA_URL.match(data[:1024])
    lines = data[head.end() if head else 0 :].strip().split()
    packed = b"".join(lines)
    if len(packed) < _LEAST_WRAPPED or len(lines) > 1 + len(packed) // 40:
        return None
    if _HEXADECIMAL.fullmatch(packed):
        digits = bytes.fromhex(packed.decode("ascii"))
        if _is_note(digits):
            return digits
    packed = packed.translate(_URL_SAFE)
    if not _ENCODED.fullmatch(packed):
        return None
    inner = base64.b64decode(packed[: len(packed) // 4 * 4])
    if not _is_note(inner):
        return None
    if len(packed) % 4:
        raise NoteError(Reason.BAD_BASE64, "base64 in base64, cut short")
    return inner


def _is_note(data: bytes) -> bool:
    """Whether bytes begin as a document does, or are text in UTF-8 or an encoding of one byte a character."""
    if data.startswith(_DOCUMENTS):
        return True
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
        if sum(character.isascii() for character in text) < len(text) * _LETTERS:
            return False
    return all(character.isprintable() or character.isspace() for character in text)


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
