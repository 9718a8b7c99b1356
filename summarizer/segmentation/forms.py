"""What a block of lines looks like, as far as those beside it want to know."""

import re

from summarizer.segmentation.heads import ANNOUNCES
from summarizer.segmentation.labels import LABEL, REMARKS
from summarizer.segmentation.line_ends import (
    begins_lower,
    begins_with_drug,
    begins_with_small_drug,
    has_dose,
    is_open,
    is_terminated,
)
from summarizer.segmentation.lines import HEADING, ITEM, LABELLED, ROW, TEXT, Line
from summarizer.segmentation.section_titles import normalise, section_kind
from summarizer.segmentation.statuses import ends_in_state
from summarizer.segmentation.tables import aligned
from summarizer.segmentation.vocabulary import words
from summarizer.types import SectionKind

_SIDE = re.compile(r"(?:r|l|rt|lt|right|left|od|os|ou|re|le|both)\s?[:=]", re.I)
_FIGURED = re.compile(
    r"(?!(?:Stage|Grade|Class|Type|Level|Age|Room|Bed|Day|Week|Dose|No)\b)"
    r"[A-Z][A-Za-z-]+(?: [a-z][a-z-]+){0,2} (?!(?:19|20)\d\d$)\d+(?:[./]\d+)?(?: ?[%a-zA-Zµ/]{1,8})?"
)
_EXAMS = words("section_titles", "exams")
TITLE_WORDS = 5
_SOME_WORDS = 2
_SHORT = 60
_PART_WORDS = 3
_NEAR = 2
_COMMENT = ("Comment:", "Comments:", "COMMENT:", "COMMENTS:")
_OPENERS = frozenset("([{\"'“„«|")
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


def is_prose(block: list[Line]) -> bool:
    """Whether a block is running text: some words and a stop."""
    first, last = block[0].text, block[-1].text
    return block[0].kind is TEXT and is_terminated(last) and len(first.split()) >= _SOME_WORDS


def leaves_table(block: list[Line]) -> bool:
    """Whether what stands above a table has nothing to do with a block below it."""
    first = block[0]
    if first.kind is ITEM:
        return False
    return first.after_blank or (first.kind is TEXT and is_terminated(block[-1].text[-8:]))


def is_bare_list(text: str) -> bool:
    """Whether a paragraph is a list without marks: some short lines, none of them a statement."""
    lines = text.split("\n")
    return len(lines) > 1 and all(
        0 < len(line.strip()) < _SHORT and not is_terminated(line) and line.rstrip()[-1] not in ",;:"
        for line in lines
    )


def gives_value(line: str) -> bool:
    """Whether a line is a name and its figure (`Lead 14`)."""
    return _FIGURED.fullmatch(line) is not None


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


def parts_rows(line: Line, before: list[Line] | None, following: list[Line] | None) -> bool:
    """Whether a line of a word or two parts the rows of a table (`Fundus`), or is a row without values.

    So is one that begins with the sign that the row above it begins with (`° RNP 0.6`).
    """
    words = line.text.split()
    within = line.kind is HEADING and _is_part_of_exam(line.text)
    if not (line.kind is TEXT or within) or line.after_blank:
        return False
    if line.kind is TEXT and _is_signed_alike(line, before):
        return True
    if (
        len(words) > _PART_WORDS
        or not words[0][0].isupper()
        or not all(map(str.isalpha, words))
        or words[0].endswith("ed")
    ):
        return False
    rows = [block[0] for block in (before, following) if block and block[0].kind is ROW]
    if len(rows) < 2 or rows[1].after_blank:
        return False
    return all(abs(line.indent - row.indent) < 2 for row in rows)


def _is_signed_alike(line: Line, before: list[Line] | None) -> bool:
    """Whether a line begins where the one above it in a table does, with the same sign that opens nothing."""
    above, sign = before[0] if before else None, line.text[0]
    if above is None or sign.isalnum() or sign in _OPENERS or above.text[0] != sign:
        return False
    return abs(line.indent - above.indent) < _NEAR and not is_terminated(line.text[-8:])


def names_below(line: Line, below: Line) -> bool:
    """Whether a line names what stands in from it: by its words (`STOP taking these`), or over a drug."""
    own = line.text
    if below.indent < line.indent + 2 or not own[0].isupper() or is_terminated(own[-8:]) or own[-1] in ",;:":
        return False
    if line.kind is not TEXT or len(own) > _SHORT:
        return False
    if ANNOUNCES.search(own):
        return True
    return len(own.split()) <= _PART_WORDS and has_dose(below.text) and not has_dose(own)


def are_apart(before: Line, line: Line, first: Line) -> bool:
    """Whether two lines are of two drugs, or the second stands out from the field above it.

    `first` is the first line of the block that `before` is the last of.
    """
    if line.indent + 1 < before.indent and before.kind is LABELLED and not begins_lower(line.text):
        return True
    listed = before is first or first.text[-1] == ":"
    if listed and begins_with_small_drug(line.text) and begins_with_small_drug(before.text):
        return ends_in_state(before.text) or not is_open(before.text[-60:])
    return _are_drugs(before, line)


def is_comment_on(line: Line, before: Line) -> bool:
    """Whether a line comments on the field from which it stands in (`Alcohol: Yes` / `Comment: beer`)."""
    if line.kind is not LABELLED or before.kind is not LABELLED or line.indent < before.indent + 2:
        return False
    return line.text.startswith(_COMMENT) and before.text[-1] != ":" and not is_terminated(before.text[-8:])


def _are_drugs(before: Line, line: Line) -> bool:
    """Whether each of two lines is of a drug and its dose, and is no clause of one sentence."""
    if ends_in_state(before.text) and has_dose(line.text):
        return True
    return begins_with_drug(line.text) and begins_with_drug(before.text) and not is_open(before.text[-60:])


def _is_part_of_exam(title: str) -> bool:
    """Whether a title names a part of an exam (`Slit lamp`), and not an exam as a whole (`Eye exam`)."""
    name = normalise(title)
    return section_kind(title) is SectionKind.EXAM and _EXAMS.isdisjoint(name.split())


def _may_remark(line: Line) -> bool:
    """Whether a line can say something of a row: it is text, or its label says that it does."""
    if line.kind is LABELLED:
        label = LABEL.match(line.text)
        return label is not None and normalise(label["words"]) in REMARKS
    return line.kind is TEXT
