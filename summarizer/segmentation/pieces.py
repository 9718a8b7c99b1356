"""Pieces of context in the order of their text."""

from collections.abc import Iterable

from summarizer.types import ContextKind, ContextSpan

_HEADING = ContextKind.HEADING


def in_order(pieces: Iterable[ContextSpan], start: int, end: int) -> tuple[ContextSpan, ...]:
    """Pieces in the order of the text, no words twice, none that overlaps `start` to `end`."""
    return sorted_pieces(
        piece for piece in pieces if piece.start < piece.end and (piece.end <= start or piece.start >= end)
    )


def sorted_pieces(pieces: Iterable[ContextSpan]) -> tuple[ContextSpan, ...]:
    """Pieces in the order of the text; what is a caption and a heading at once is the heading."""
    found: dict[tuple[int, int], ContextSpan] = {}
    for piece in pieces:
        place = piece.start, piece.end
        if place not in found or piece.kind is _HEADING:
            found[place] = piece
    return tuple(found[place] for place in sorted(found))
