"""Newline-delimited JSON as a stream: one resource in memory, whatever the file's size.

A line is bounded. One that is longer, or is no resource, is told of by its number and passed over.
"""

import json
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from fhir_adapter.lenient import JsonObject

LONGEST_LINE = 128 << 20  # bytes; a resource with attachments inside of it stands on one line
_PIECE = 1 << 20  # bytes that are unpacked at once
_GZIP = b"\x1f\x8b"


class DamagedDataError(Exception):
    """Compressed data that is damaged or cut short; the message names no file."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line that is not empty.

    Attributes:
        number: from 1.
        resource: an object with a `resourceType`; None where there is none.
        too_long: it is over the limit, and was not kept.
    """

    number: int
    resource: JsonObject | None
    too_long: bool = False


async def read_lines(
    chunks: AsyncIterator[bytes], *, after: int = 0, longest: int = LONGEST_LINE
) -> AsyncIterator[Line]:
    """The lines of a stream, plain or gzip.

    Args:
        chunks: of bytes, as they come.
        after: so many lines were had before; they are passed over unread.
        longest: bytes of the longest line that is kept.

    Raises:
        DamagedDataError: the compressed data cannot be unpacked, or ends early.
    """
    number = 0
    async for line in _split(_plain(chunks), longest):
        number += 1
        if number <= after or line == b"":
            continue
        yield Line(number, None if line is None else _resource(line), too_long=line is None)


def _resource(line: bytes) -> JsonObject | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and isinstance(value.get("resourceType"), str) else None


async def _split(chunks: AsyncIterator[bytes], longest: int) -> AsyncIterator[bytes | None]:
    """Lines without their ends; None for one that is too long."""
    held = bytearray()
    over = False
    async for chunk in chunks:
        first, *rest = chunk.split(b"\n")
        for number, part in enumerate((first, *rest)):
            if number:
                yield None if over else bytes(held).strip()
                held.clear()
                over = False
            over = over or len(held) + len(part) > longest
            if over:
                held.clear()
            else:
                held += part
    if held or over:
        yield None if over else bytes(held).strip()


async def _plain(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The bytes, unpacked where the first two of them say gzip; members may follow each other."""
    start = b""
    async for chunk in chunks:
        start += chunk
        if len(start) >= len(_GZIP):
            break
    if not start.startswith(_GZIP):
        yield start
        async for chunk in chunks:
            yield chunk
        return
    inflate, data = zlib.decompressobj(31), start
    try:
        while True:
            while data:
                if inflate.eof:
                    inflate = zlib.decompressobj(31)
                piece = inflate.decompress(data, _PIECE)
                data = inflate.unused_data if inflate.eof else inflate.unconsumed_tail
                yield piece
            following = await anext(chunks, None)
            if following is None:
                break
            data = following
    except zlib.error:
        raise DamagedDataError("the compressed data is damaged") from None
    if not inflate.eof:
        raise DamagedDataError("the compressed data ends early")
