"""The width that a text was wrapped at, found from the lengths of its lines.

Whoever wraps at a width W breaks where the next word does not fit: `right <= W < right + 1 + len(word)`.
Each line end thus allows a few widths; the width that most of them allow is that of the text, if any is.
"""

import re
from itertools import pairwise

from summarizer.segmentation.line_ends import is_open, is_prose, is_terminated
from summarizer.segmentation.lines import Line

NARROWEST, WIDEST = 40, 160
_PROSE = 50
"""A shorter line of a text with few lines is not taken to be full."""
_INNER_STOP = re.compile(r"[a-zA-Z)][.;]\s+\S+\s+\S")
_FIELD = re.compile(r"[A-Z][\w /'’-]{0,30}:(?:\s|$)")
"""A line of a label: below another such it is the next field, whatever room that one left."""
_SLACK = 8
"""What a ragged margin leaves free: words are measured in points, or were edited after wrapping."""


def wrap_width(lines: list[Line]) -> int:
    """The width a text was wrapped at; 0 if it was not wrapped."""
    steps = [0] * (WIDEST + 2)
    breaks: list[tuple[int, int, Line, Line]] = []
    for before, line in pairwise(lines):
        right = before.right
        if line.after_blank or not NARROWEST <= right < WIDEST or before.text[-1] == ":":
            continue
        if _FIELD.match(line.text) and _FIELD.match(before.text):
            continue
        fits = min(right + _first_word(line), WIDEST)
        breaks.append((right, fits, before, line))
        steps[right] += 1
        steps[fits + 1] -= 1
    if not breaks:
        return 0
    longest = sorted(right for right, _, _, _ in breaks)
    best, width, running, longer = 0, 0, 0, len(longest)
    for column in range(NARROWEST, WIDEST + 1):
        running += steps[column]
        while longer and longest[-longer] <= column:
            longer -= 1
        if running - longer > best:
            best, width = running - longer, column
    if not width:
        return 0
    support = [before for right, fits, before, _ in breaks if right <= width <= fits]
    early = sum(
        fits < width - _SLACK and not is_terminated(before.text) and line.text[0].isalpha()
        for _, fits, before, line in breaks
    )
    if len(support) <= early:
        return 0
    if len(support) > 2:
        return width
    # One or two line ends could fall so by chance: what stands before them must be running text.
    return width if any(_is_cut(line) for line in support) else 0


def _is_cut(line: Line) -> bool:
    """Whether a line ends inside a statement: it is open, or running text or stopped text without a stop."""
    if is_terminated(line.text):
        return False
    return is_open(line.text[-60:]) or (
        line.right >= _PROSE and (is_prose(line.text) or _INNER_STOP.search(line.text) is not None)
    )


def is_full(before: Line, line: Line, width: int) -> bool:
    """Whether the first word of `line` did not fit behind `before`."""
    return before.right >= NARROWEST and before.right + _first_word(line) > width - _SLACK


def _first_word(line: Line) -> int:
    space = line.text.find(" ")
    return len(line.text) if space < 0 else space
