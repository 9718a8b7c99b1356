"""What a block of lines looks like, as far as those beside it want to know."""

import re

from summarizer.segmentation.labels import LABEL, REMARKS
from summarizer.segmentation.lines import LABELLED, ROW, TEXT, Line
from summarizer.segmentation.section_titles import normalise
from summarizer.segmentation.tables import aligned

_SIDE = re.compile(r"(?:r|l|rt|lt|right|left|od|os|ou|re|le|both)\s?[:=]", re.I)
TITLE_WORDS = 5
_LITTLE_WORDS = frozenset({"of", "and", "for", "at", "in", "on", "the", "to", "with", "/", "&", "-"})


def capitalised(text: str) -> bool:
    """Whether each word of two to five begins with a capital, as in a title (`Physical Therapy`)."""
    found = text.split()
    names = [word for word in found if word not in _LITTLE_WORDS]
    return 1 < len(found) <= TITLE_WORDS and all(word[0].isupper() and word.isalpha() for word in names)


def is_labelled(block: list[Line] | None) -> bool:
    """Whether a block is a label with its text."""
    return block is not None and block[0].kind is LABELLED and is_filled(block, None)


def is_filled(block: list[Line] | None, indent: int | None) -> bool:
    """Whether a block begins with a label and its value; at this indent, and with no blank line above it."""
    line = block[0] if block else None
    if line is None or (indent is not None and (line.after_blank or line.indent != indent)):
        return False
    text = line.text[line.marker :].lstrip()
    label = LABEL.match(text)
    return label is not None and label.end() < len(text)


def are_sides(above: str, below: str) -> bool:
    """Whether a line names what the lines below it give side by side (`Motor power` / `R: 5/5`)."""
    return _SIDE.match(below) is not None and _SIDE.match(above) is None


def style(line: Line) -> str:
    """How a list counts: by numbers, letters or a sign."""
    if line.ordinal and line.text[:1].isdigit():
        return "1"
    if line.ordinal and line.text.lstrip("(")[:1].isalpha():
        return "A" if line.text.lstrip("(")[0].isupper() else "a"
    return line.text[: line.marker] or "box"


def remarks_on(line: Line, before: list[Line] | None, following: list[Line] | None) -> bool:
    """Whether a line is a remark on the row above it: it stands in from that, or the table goes on below."""
    above = before[0] if before else None
    if line.after_blank or above is None or above.kind is not ROW or not _may_remark(line):
        return False
    if line.indent > above.indent + 1:
        return True
    below = following[0] if following else None
    if below is None or below.kind is not ROW or below.after_blank:
        return False
    return aligned(above, below)


def _may_remark(line: Line) -> bool:
    """Whether a line can say something of a row: it is text, or its label says that it does."""
    if line.kind is LABELLED:
        label = LABEL.match(line.text)
        return label is not None and normalise(label["words"]) in REMARKS
    return line.kind is TEXT
