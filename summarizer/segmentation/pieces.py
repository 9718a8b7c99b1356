"""Pieces of context in the order of their text."""

from collections.abc import Iterable

from summarizer.types import ContextSpan


def in_order(pieces: Iterable[ContextSpan], start: int, end: int) -> tuple[ContextSpan, ...]:
    """Pieces in the order of the text, none twice, none that overlaps `start` to `end`."""
    outside = {
        piece for piece in pieces if piece.start < piece.end and (piece.end <= start or piece.start >= end)
    }
    return tuple(sorted(outside, key=place))


def place(piece: ContextSpan) -> tuple[int, int]:
    """Where a piece stands."""
    return piece.start, piece.end
