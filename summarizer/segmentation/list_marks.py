"""Numbers and letters of a list that runs on inside a line."""

import re

from summarizer.segmentation.labels import LABEL, Role, opens_section, role
from summarizer.segmentation.midline import counted_title, dashed_title, label_before

_INLINE_NUMBER = re.compile(
    r"(?:(?<=[\s:,;.)])|(?<![\s\S]))\(?(\d{1,2})[.)](?=[ \t]*[A-Z\"(?]|[ \t]+[a-z]|(?<=\))[a-z])"
)
_LOST_MARKER = re.compile(
    r",[ \t]*(?P<mark>(?:[A-Z]|[a-z]|[IVX]{2,5}|[ivx]{2,5})[.)](?=[ \t]+\S)|\d{1,2}[.)](?=[ \t]*$))"
)
_NOT_ITEM_AFTER = re.compile(
    r"\b(?:times|x|by|of|to|is|was|and|or|at|grade|type|stage|level|class|number|day|days|than|about|score|"
    r"for|a|between|gravida|para|age|axis|phase|step)\s*$",
    re.I,
)
_LAST_LABEL = re.compile(r"[A-Za-z][\w \t/-]{0,40}(?=:$)")
_LABEL_AND_VALUE = re.compile(r"[ \t]{0,80}[A-Z][\w \t/-]{0,40}:[ \t]{0,80}\d{1,2}\.")
"""`1. Sutures: 2.`: the number before belongs to a label as this one does."""
_OPENS_LINE = re.compile(r"(?:[.:;A-Z][ \t]*,|:|-)[ \t]*$")


def inline_markers(
    text: str, start: int, end: int, number: int, *, lost_newlines: bool
) -> tuple[list[tuple[int, int]], set[int]]:
    """The marks of a list that runs on inside a line: a series 1, 2, 3, ... and marks after a lost newline.

    The first number after a lead-in clause belongs to its sentence; the ends of such come second.
    """
    lost = _lost_marks(text, start, end) if lost_newlines else []
    first = str(number + 1)
    if text.find(first, start, end) < 0 and (not number or text.find("1", start, end) < 0):
        return lost, set()
    if (
        text.find(first + ".", start, end) < 0
        and text.find(first + ")", start, end) < 0
        and (not number or (text.find("1.", start, end) < 0 and text.find("1)", start, end) < 0))
    ):
        return lost, set()
    found = [(int(m[1]), m.start(), m.end()) for m in _INLINE_NUMBER.finditer(text, start, end)]
    chosen: list[tuple[int, int]] = []
    inside: set[int] = set()
    pending: tuple[int, int] | None = None
    lead_in = False
    expected = number + 1
    for value, begin, stop in found:
        if value == 1 and _opens_series(text, start, begin):
            lead_in = text[max(start, begin - 4) : begin].rstrip().endswith(":") and not _after_heading(
                text, start, begin, end
            )
            pending, expected = (begin, stop), 2
            opens = _OPENS_LINE.search(text, max(start, begin - 6), begin)
            if not lead_in and (opens or counted_title(text, start, end) == begin):
                chosen.append(pending)
                pending = None
        elif (
            value > 1
            and not _is_value(text, start, begin)
            and (value == expected or text[max(start, begin - 2) : begin] == ".,")
            and not _NOT_ITEM_AFTER.search(text, max(start, begin - 12), begin)
        ):
            if pending is not None:
                if lead_in:
                    inside.add(pending[1])
                else:
                    chosen.append(pending)
                pending = None
            chosen.append((begin, stop))
            expected = value + 1
    return sorted(chosen + lost), inside


def _lost_marks(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Letters and Roman numerals after a lost newline, and a number that ends the text there."""
    return [
        found.span("mark")
        for found in _LOST_MARKER.finditer(text, start, end)
        if found.start() > start and (text[found.start() - 1] in ".:;" or text[found.start() - 1].isupper())
    ]


def _opens_series(text: str, start: int, at: int) -> bool:
    """Whether a number at `at` can begin a list: after a label, a stop or nothing."""
    before = text[max(start, at - 4) : at].rstrip()
    if _is_value(text, start, at):
        return False
    if before.endswith("-"):
        title = dashed_title(text, start, at + 1)
        return title is not None and title.end() == at
    return not before or before[-1] in ":.,;" or counted_title(text, start, at + 90) == at


def _after_heading(text: str, start: int, at: int, end: int) -> bool:
    """Whether the label that ends before `at` is a heading and not a lead-in clause."""
    colon = text.rindex(":", start, at)
    if label_before(text, start, colon, end) is not None:
        return True
    opening = LABEL.match(text, start, end)
    return opening is not None and opening.end() >= colon and opens_section(opening["words"], "")


def _is_value(text: str, start: int, at: int) -> bool:
    """Whether a number with a stop is a value: of a label (`INR: 1.`) or behind a comma (`Platelets, 2.`)."""
    before = text[max(start, at - 60) : at]
    bare = before.rstrip()
    if bare.endswith(":"):
        if _LABEL_AND_VALUE.match(text, text.find(".", at) + 1):
            return True
        words = _LAST_LABEL.search(bare)
        kind = role(words[0]) if words is not None else Role.SECTION
        return kind is Role.VALUE or (kind is Role.UNKNOWN and words is not None and not words[0].isupper())
    if ")" in text[at : at + 3]:
        return False
    return bare.endswith(",") and before != bare and bare[-2:-1].isalnum()
