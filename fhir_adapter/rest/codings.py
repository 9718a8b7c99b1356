"""Undoes an answer's content coding piece by piece, so that a small answer cannot become a large one at once.

One coding at most (RFC 9110, section 8.4, allows a stack, of which each level multiplies by a thousand), and
gzip or deflate alone, which is what is asked for. The event loop turns between two pieces.
"""

import asyncio
import zlib
from collections.abc import AsyncIterator

import httpx

_PIECE = 1 << 20  # bytes that are unpacked at once
_AUTO = 47  # zlib: gzip or zlib, as the header of the data says
_RAW = -15  # zlib: deflate without a header, as some servers send it


async def pieces(response: httpx.Response) -> AsyncIterator[bytes]:
    """The body as it was meant, in pieces of at most a megabyte.

    Raises:
        httpx.DecodingError: several codings, one that was not asked for, or damaged or cut data.
        httpx.TransportError: as httpx raises it.
    """
    if response.is_stream_consumed:  # by a transport that brings whole answers, with their coding undone
        yield response.content
        return
    stated = response.headers.get("content-encoding", "").lower().split(",")
    codings = [each.strip() for each in stated if each.strip() not in ("", "identity")]
    if not codings:
        async for chunk in response.aiter_raw():
            yield chunk
        return
    if len(codings) > 1 or codings[0] not in ("gzip", "x-gzip", "deflate"):
        raise httpx.DecodingError("a content coding that was not asked for", request=response.request)
    unpacking = _Unpacking(raw_too=codings[0] == "deflate")
    try:
        async for chunk in response.aiter_raw():
            rest = chunk
            while rest and not unpacking.ended:
                piece, rest = unpacking.next(rest)
                if piece:
                    yield piece
                await asyncio.sleep(0)
        if unpacking.begun and not unpacking.ended:
            raise httpx.DecodingError("cut data", request=response.request)
    except zlib.error:
        raise httpx.DecodingError("damaged data", request=response.request) from None


class _Unpacking:
    """One coding in the undoing.

    Args:
        raw_too: whether data without the header of its coding is taken.
    """

    def __init__(self, *, raw_too: bool) -> None:
        self._inflate = zlib.decompressobj(_AUTO)
        self._raw_too = raw_too
        self.begun = False

    @property
    def ended(self) -> bool:
        """Whether the data said that this was all."""
        return self._inflate.eof

    def next(self, data: bytes) -> tuple[bytes, bytes]:
        """The next piece, and what of the data is left for those after it."""
        try:
            piece = self._inflate.decompress(data, _PIECE)
        except zlib.error:
            if self.begun or not self._raw_too:
                raise
            self._inflate = zlib.decompressobj(_RAW)
            piece = self._inflate.decompress(data, _PIECE)
        self.begun = True
        return piece, self._inflate.unconsumed_tail
