"""Wrappers around a note: gzip, and a ZIP archive of one file. Never more output than allowed."""

import io
import zipfile
import zlib

from fhir_adapter.errors import NoteError
from fhir_adapter.reasons import Reason

_CHUNK = 1 << 20


def gunzip(data: bytes, at_most: int) -> bytes:
    """Unpacks gzip data of one or several members; zero bytes after the last one are padding.

    Args:
        data: the gzip file.
        at_most: bytes of output allowed.

    Raises:
        NoteError: TOO_LARGE over `at_most`; MALFORMED for damaged or cut data, never a part of the note.
    """
    pieces: list[bytes] = []
    size, rest = 0, data
    while rest.strip(b"\0"):
        member = zlib.decompressobj(wbits=31)
        try:
            while not member.eof:
                piece = member.decompress(rest, _CHUNK)
                rest = member.unconsumed_tail
                if not piece and not member.eof and not rest:
                    raise NoteError(Reason.MALFORMED, "gzip data is cut short")
                size += len(piece)
                if size > at_most:
                    raise NoteError(Reason.TOO_LARGE, f"gzip data of over {at_most} bytes unpacked")
                pieces.append(piece)
        except zlib.error:
            raise NoteError(Reason.MALFORMED, "gzip data is damaged") from None
        rest = member.unused_data
    return b"".join(pieces)


def unzip_one(data: bytes, at_most: int) -> bytes:
    """The only file of a ZIP archive.

    Raises:
        NoteError: UNSUPPORTED_TYPE for an archive of several files or none; ENCRYPTED; TOO_LARGE; MALFORMED.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            # A name may be empty, of which zipfile cannot tell whether it is a folder's.
            files = [each for each in archive.infolist() if not each.filename.endswith("/")]
            if len(files) != 1:
                raise NoteError(Reason.UNSUPPORTED_TYPE, f"ZIP archive of {len(files)} files")
            if files[0].flag_bits & 0x1:
                raise NoteError(Reason.ENCRYPTED, "ZIP archive")
            with archive.open(files[0]) as file:
                content = file.read(at_most + 1)
    except (NoteError, MemoryError):
        raise
    except Exception as error:  # zlib, lzma, struct and zipfile have no common base for theirs
        words = f"ZIP archive is damaged or packed in an unknown way ({type(error).__name__})"
        raise NoteError(Reason.MALFORMED, words) from None
    if len(content) > at_most:
        raise NoteError(Reason.TOO_LARGE, f"ZIP archive of over {at_most} bytes unpacked")
    return content
