"""A note of any length as windows of whole sentences; nothing is dropped.

The layout is that of BERTSum (Liu and Lapata 2019, "Text Summarization with Pretrained Encoders"): [CLS]
before and [SEP] after every sentence. Longer documents get several windows that overlap for context, and a
sentence is read in the window where it stands furthest from an edge. A sentence longer than a window goes in
as several pieces.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest

MARKS = 2  # [CLS] and [SEP] around every sentence


@dataclass(frozen=True, slots=True)
class Piece:
    """Tokens `start` to `end` of one sentence: all of them, unless it is longer than a window."""

    sentence: int
    start: int
    end: int

    @property
    def cost(self) -> int:
        """Positions taken in a window."""
        return self.end - self.start + MARKS


@dataclass(frozen=True, slots=True)
class Window:
    """Consecutive pieces that go through the encoder together.

    Attributes:
        own: positions in `pieces` (first, last + 1) whose vectors are taken from this window; the others
            are context.
    """

    pieces: tuple[Piece, ...]
    own: tuple[int, int]


def split_evenly(length: int, limit: int) -> list[tuple[int, int]]:
    """Cuts `length` tokens into the fewest, most equal spans of at most `limit`; (0, 0) for none."""
    parts = max(1, -(-length // limit))
    edges = [length * i // parts for i in range(parts + 1)]
    return list(pairwise(edges))


def plan_windows(lengths: Sequence[int], limit: int, context: int) -> list[Window]:
    """Lays the sentences of one document out in windows.

    Args:
        lengths: tokens of each sentence, without special tokens.
        limit: positions of a window.
        context: at most so many positions of a window repeat the end of the one before (below `limit`).

    Returns:
        Windows in order; every piece of every sentence is owned by exactly one of them.
    """
    pieces = [
        Piece(sentence, start, end)
        for sentence, length in enumerate(lengths)
        for start, end in split_evenly(length, limit - MARKS)
    ]
    spans = _spans([piece.cost for piece in pieces], limit, context)
    windows = []
    first_owned = 0
    for (start, end), after in zip_longest(spans, spans[1:]):
        # The pieces two windows share are divided in the middle: the further from an edge, the more context.
        last_owned = end if after is None else max(first_owned + 1, (after[0] + end + 1) // 2)
        windows.append(Window(tuple(pieces[start:end]), (first_owned - start, last_owned - start)))
        first_owned = last_owned
    return windows


def _spans(costs: Sequence[int], limit: int, context: int) -> list[tuple[int, int]]:
    """Greedy spans of pieces whose costs fit `limit`; each ends further on than the one before."""
    spans: list[tuple[int, int]] = []
    start = end = used = 0
    while end < len(costs):
        while end < len(costs) and used + costs[end] <= limit:
            used += costs[end]
            end += 1
        spans.append((start, end))
        if end == len(costs):
            break
        start, used = end, 0
        # Step back over what serves as context, but leave room for the next piece: every window gains one.
        while start > 0 and used + costs[start - 1] <= min(context, limit - costs[end]):
            start -= 1
            used += costs[start]
    return spans
