"""The lines of a note, and what can be seen on each without its neighbours."""

from dataclasses import dataclass
from enum import Enum, auto
from string import ascii_lowercase, ascii_uppercase


class LineKind(Enum):
    """What a line is taken for."""

    TEXT = auto()
    LABELLED = auto()
    ITEM = auto()
    HEADING = auto()
    ROW = auto()
    BOILERPLATE = auto()


TEXT, LABELLED, ITEM, HEADING, ROW, BOILERPLATE = LineKind
"""The kinds by their own names: Python 3.11 looks each up ten times as fast so."""


@dataclass(slots=True)
class Line:
    """A line that holds more than white space.

    Attributes:
        start, end: of its text without outer white space.
        text: `document[start:end]`.
        indent: white space before it, in characters.
        right: the column behind its last character.
        after_blank: whether a blank line or a page break stands before it.
        marker: length of its list marker, 0 if none.
        ordinal: what the marker counts (`c.` is 3), 0 if it counts nothing.
        dashed: length of its label with the dash behind it, 0 if it is not of that form.
        state: it is a mere state of the thing on the line above.
        titled: rules of signs stand around its words, or right under it: it titles what is below.
    """

    start: int
    end: int
    text: str
    indent: int
    right: int
    after_blank: bool
    kind: LineKind = LineKind.TEXT
    marker: int = 0
    ordinal: int = 0
    dashed: int = 0
    titled: bool = False
    state: bool = False


def read_lines(text: str, offset: int = 0) -> list[Line]:
    """The lines of a text that hold more than white space; `offset` is added to where they stand."""
    lines: list[Line] = []
    at = offset
    blank = True
    for raw in text.splitlines(keepends=True):
        body = raw.lstrip()
        if body:
            indent = len(raw) - len(body)
            body = body.rstrip()
            right = indent + len(body)
            lines.append(Line(at + indent, at + right, body, indent, right, blank))
            blank = raw[-1] == "\f"
        else:
            blank = True
        at += len(raw)
    return lines


def mostly_capitals(text: str) -> bool:
    """Whether a text is written in capitals."""
    sample = text[:2000].encode("ascii", "ignore")
    upper = len(sample) - len(sample.translate(None, ascii_uppercase.encode()))
    return upper > 3 * (len(sample) - len(sample.translate(None, ascii_lowercase.encode())))
