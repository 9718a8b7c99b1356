r"""Plain text: the recipe `plain|2`, which decodes and changes nothing else.

The text is the decoded attachment, without its byte-order mark. No white space is stripped, no line ends are
folded, no Unicode normalization is applied, control characters stay. How the encoding is found, first match
wins:

1. A byte-order mark (UTF-8, UTF-16, UTF-32). Damaged sequences after it become U+FFFD, with a notice.
2. The pattern of zero bytes that UTF-16 or UTF-32 without a mark leaves in Latin text, whatever was declared.
3. The declared charset, if it is known here and every byte fits. As in the WHATWG Encoding Standard,
   `iso-8859-1` and
   `us-ascii` mean windows-1252. Against that standard, bytes that are valid UTF-8 with at least one sequence
   of several bytes are UTF-8 even where a single-byte charset is declared: such a label is nearly always a
   default that nobody chose, and the text it would give is never what was meant. The notice says so.
4. UTF-8, if every byte fits.
5. UTF-8 with U+FFFD for damaged sequences, if sound sequences of several bytes outnumber the damaged ones (a
   note cut
   in mid-character, a stray byte).
6. windows-1252 with its five unassigned bytes as C1 controls (as WHATWG has it), if the bytes look like text:
   few
   control characters, and not mainly bytes above 0x7F.

Anything else raises `bad-encoding`. Python's strict decoders never give a lone surrogate, nor does U+FFFD
replacement. Where the encoding was guessed (5, 6), the notice says so.

A text that proves to have been cut out of an HL7 version 2 message with its escape sequences (`\.br\`) is
read with them: the recipe `hl7+plain|2`, whose text is not the attachment itself.
"""

import codecs
import re
from dataclasses import dataclass

from fhir_adapter.errors import NoteError
from fhir_adapter.note import NoteText
from fhir_adapter.reasons import Reason
from fhir_adapter.text.charsets import EBCDIC, MULTI_BYTE, encoding_of
from fhir_adapter.text.hl7 import has_escapes, unescaped
from fhir_adapter.text.recipe import recipe, wrapped

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it starts with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WINDOWS_1252 = "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(256))
_GUESSED = "windows-1252"
_ASCII = bytes(range(0x80))
_NOT_CONTROLS = bytes(set(range(0x20, 0x7F)) | set(range(0x80, 0x100)) | set(b"\t\n\v\f\r\x1b"))
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text, the encoding it was in, and a remark where that is not what the label said."""

    text: str
    encoding: str
    notice: str = ""


def plain_text(data: bytes, charset: str | None = None, media_type: str = "text/plain") -> NoteText:
    """Decodes a plain-text note.

    Args:
        data: the attachment's bytes.
        charset: the declared charset, or None.
        media_type: `text/plain`, or the declared one of another plain format (`text/markdown`).

    Raises:
        NoteError: BAD_ENCODING where the bytes are not text.
    """
    decoded = decode(data, charset)
    if has_escapes(decoded.text):
        name = wrapped("hl7", recipe("plain", "2"))
        return NoteText(unescaped(decoded.text), name, media_type, notice=decoded.notice)
    return NoteText(decoded.text, recipe("plain", "2"), media_type, notice=decoded.notice, verbatim=True)


def decode(data: bytes, charset: str | None = None) -> Decoded:
    """Decodes bytes by the rules at the head of this file, dropping a byte-order mark.

    Raises:
        NoteError: BAD_ENCODING where the bytes are not text.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _repaired(data[len(mark) :], encoding)
    wide = _wide(data)
    if wide:
        return _repaired(data, wide)
    declared, remark = _declared(charset)
    if declared is not None:
        text = _by_label(data, declared)
        if text is not None:
            return Decoded(text, declared)
        remark = f"declared charset {declared} does not fit"
    found = _utf8(data) or _windows_1252(data)
    if found is None:
        raise NoteError(Reason.BAD_ENCODING, f"{len(data)} bytes in no likely encoding")
    if not remark:
        guessed = found.encoding == _GUESSED and not found.notice
        return (
            Decoded(found.text, found.encoding, f"no charset stated; read as {_GUESSED}")
            if guessed
            else found
        )
    return Decoded(found.text, found.encoding, _notice(f"{remark}; read as {found.encoding}", found.notice))


def _notice(*remarks: str) -> str:
    return "; ".join(remark for remark in remarks if remark)


def _declared(charset: str | None) -> tuple[str | None, str]:
    """The encoding a label means, or None and the remark that it means none we know."""
    if not charset:
        return None, ""
    encoding = encoding_of(charset)
    return encoding, "" if encoding else "unknown charset declared"


def _by_label(data: bytes, encoding: str) -> str | None:
    """The text by the declared encoding; None where the bytes speak against it."""
    if encoding.startswith(("utf-16", "utf-32")):
        if b"\0" not in data and _strict(data, "utf-8") is not None:
            return None
        # A mark was looked for already; without one, little-endian as in the WHATWG Encoding Standard.
        encoding = encoding if encoding.endswith("e") else f"{encoding}-le"
        return _strict(data, encoding)
    if encoding in MULTI_BYTE:
        return _strict(data, encoding)
    if encoding in EBCDIC:
        text = _strict(data, encoding)
        return (
            None if text is None or _has_controls(text.encode("utf-8").replace(b"\xc2\x85", b"\n")) else text
        )
    if not data.isascii() and _strict(data, "utf-8") is not None:
        return None
    if encoding == "cp1252":
        return None if _has_controls(data) else codecs.charmap_decode(data, "strict", _WINDOWS_1252)[0]
    return None if _has_controls(data) else _strict(data, encoding)


def _strict(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _repaired(data: bytes, encoding: str) -> Decoded:
    """Decodes with U+FFFD for what is damaged, and counts it."""
    text = _strict(data, encoding)
    if text is not None:
        return Decoded(text, encoding)
    text = data.decode(encoding, "replace")
    return Decoded(text, encoding, f"{text.count(chr(0xFFFD))} damaged characters in {encoding}")


def _wide(data: bytes) -> str | None:
    """UTF-16 or UTF-32 without a mark, told by where the zero bytes of Latin letters stand."""
    sample = data.rstrip(b"\0")[:4096]
    units = len(sample) // 4
    if units and all(sample[at::4].count(0) >= units * 0.9 for at in (1, 2, 3)) and sample[::4].count(0) == 0:
        return "utf-32-le"
    if units and all(sample[at::4].count(0) >= units * 0.9 for at in (0, 1, 2)):
        return "utf-32-be"
    pairs = len(sample) // 2
    if pairs < 2:
        return None
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if odd >= pairs * 0.4 and even <= pairs * 0.05:
        return "utf-16-le"
    if even >= pairs * 0.4 and odd <= pairs * 0.05:
        return "utf-16-be"
    return None


def _utf8(data: bytes) -> Decoded | None:
    """UTF-8, sound or with less damage than sound sequences; None where it is not UTF-8."""
    text = _strict(data, "utf-8")
    if text is not None:
        # An even mix of letters and controls may be an odd note; mostly controls is no text.
        controls = _controls(data)
        return None if controls > 8 and controls > 0.3 * len(data) else Decoded(text, "utf-8")
    runs = _HIGH_RUN.findall(data)
    sound = sum(1 for run in runs if _strict(run, "utf-8") is not None)
    if sound <= len(runs) - sound or _has_controls(data):
        return None
    return _repaired(data, "utf-8")


def _windows_1252(data: bytes) -> Decoded | None:
    """Western text in a single-byte encoding; None for bytes that are mainly above 0x7F, or many controls."""
    high = len(data.translate(None, _ASCII))
    if _has_controls(data) or (high > 3 and high > 0.3 * len(data)):
        return None
    text, _ = codecs.charmap_decode(data, "strict", _WINDOWS_1252)
    return Decoded(text, _GUESSED)


def _has_controls(data: bytes) -> bool:
    """True for more control characters than text in a single-byte encoding has."""
    return _controls(data) > 0.05 * len(data)


def _controls(data: bytes) -> int:
    """Counts C0 controls other than white space and escape; padding with zero bytes at the end is none."""
    return len(data.rstrip(b"\0").translate(None, _NOT_CONTROLS))
