"""Inline data: strict base64, and the hash stated beside it."""

import base64
import binascii
import hashlib

from fhir_adapter.errors import NoteError
from fhir_adapter.reasons import Reason

_WHITE_SPACE = b" \t\r\n\f\v"


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


def check_hash(data: bytes, stated: str) -> None:
    """Compares with `Attachment.hash`: SHA-1 in base64 (R4, 2.24.0.11).

    Senders also write it in hexadecimal, as base64 of that, or as SHA-256; all of these are accepted.

    Raises:
        NoteError: HASH_MISMATCH.
    """
    stated = "".join(stated.split())
    for algorithm in ("sha1", "sha256"):
        digest = hashlib.new(algorithm, data, usedforsecurity=False).digest()
        hexadecimal = digest.hex()
        forms = (base64.b64encode(digest), base64.b64encode(hexadecimal.encode("ascii")))
        if stated.lower() == hexadecimal or stated in {form.decode("ascii") for form in forms}:
            return
    raise NoteError(Reason.HASH_MISMATCH, f"{len(data)} bytes")
