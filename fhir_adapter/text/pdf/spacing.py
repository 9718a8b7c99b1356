"""Blanks that a file does not hold and PDFium does not see: gaps wide beside those between letters."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from statistics import median

from fhir_adapter.text.pdf.page import Gap, Word

_BLANK = 0.1
"""Of the size. Fonts have blanks of a quarter; a line set tight has them at two fifths of that."""
_BESIDE = 2.5
"""How many times wider than the gaps between the letters of its line: spaced letters are one word."""


def with_blanks(words: Iterable[Word]) -> list[Word]:
    """Words, in PDFium's order, parted where a gap between their letters is a blank."""
    parted: list[Word] = []
    for line in _lines(words):
        usual = median([gap.right - gap.left for word in line for gap in word.gaps] or [0.0])
        for word in line:
            widest = max(_BLANK * word.size, _BESIDE * usual)
            parted += _parts(word, [gap for gap in word.gaps if gap.right - gap.left >= widest])
    return parted


def _lines(words: Iterable[Word]) -> Iterator[list[Word]]:
    """Words that follow each other on one baseline, in one size."""
    line: list[Word] = []
    for word in words:
        if line and (abs(word.y - line[-1].y) > 0.1 * word.size or word.size != line[-1].size):
            yield line
            line = []
        line.append(word)
    if line:
        yield line


def _parts(word: Word, blanks: list[Gap]) -> list[Word]:
    """A word cut at its blanks."""
    parts = []
    rest, at = word, 0
    for blank in blanks:
        parts.append(replace(rest, text=word.text[at : blank.at], x1=blank.left, gaps=[]))
        rest = replace(rest, text=word.text[blank.at :], x0=blank.right, guessed=True, gaps=[])
        at = blank.at
    return [*parts, rest]
