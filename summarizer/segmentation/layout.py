"""The lines of a note: what each one is, and which of them continue the one before."""

import re
from collections import Counter
from dataclasses import dataclass
from enum import Enum, auto
from itertools import pairwise

from summarizer.segmentation.boilerplate import DEAR, VALEDICTION, is_boilerplate, is_rule
from summarizer.segmentation.labels import LABEL, Role, known_heading, role
from summarizer.segmentation.section_titles import TITLE_KINDS, names_section, normalise


class LineKind(Enum):
    """What a line is taken for."""

    TEXT = auto()
    LABELLED = auto()
    ITEM = auto()
    HEADING = auto()
    ROW = auto()
    BOILERPLATE = auto()


@dataclass(slots=True)
class Line:
    """A line that holds more than white space.

    Attributes:
        start, end: of its text without outer white space.
        text: `document[start:end]`.
        indent: white space before it, in characters.
        after_blank: whether a blank line or a page break stands before it.
        marker: length of its list marker, 0 if none.
    """

    start: int
    end: int
    text: str
    indent: int
    after_blank: bool
    kind: LineKind = LineKind.TEXT
    marker: int = 0


MARKER = re.compile(
    r"(?:[•·●○▪■□‣►◦⁃∙❖✓➢]|[-–—]{1,2}(?=\s|[A-Za-z(\"])|\*(?=\s|[A-Za-z\"(])|\*\*(?=\s)|>(?=\s)|o(?=\s+[A-Z])"
    r"|\#\s?\d{1,2}[.:)]*(?=\s|[A-Za-z]|$)|\#(?=\s?[A-Za-z])|\(?\d{1,2}(?:\.\)|[.)])(?=\s|[A-Za-z(\"]|$)"
    r"|\(?[a-zA-Z][.)](?=\s)|\(?(?:[ivx]{2,5}|[IVX]{2,5})[.)](?=\s)|\[[ xX]?\](?=\s))"
)
_MARKDOWN = re.compile(r"#{1,6}\s+\S")
_BOLD = re.compile(r"(\*\*|__)[^*_]{1,80}\1:?$")
_AXIS = re.compile(r"AXIS\s+(?:IV|I{1,3}|V)\b[.:,]*", re.I)
_ROW = re.compile(r"\S\t\s*\S|\S {3,}\S.*\S {3,}\S|: .*\S {3,}[A-Z][A-Z /]{1,30}:|\|.*\|")
_RUN_IN = re.compile(r"[.:][ \t]*,|[a-z)]{2}[.?!]\s+[A-Z][a-z]")
_DATED_LABEL = re.compile(r"\d{1,2}/\d{1,4}(?:/\d{2,4})?,? [A-Z][^:.;]{2,60}:$")
_TERMINATED = re.compile(r"[.!?…][\"'”’)\]]*$")
_CONNECTOR = re.compile(
    r"(?:\b(?:the|a|an|of|with|without|and|or|to|in|on|at|by|for|from|as|was|were|is|are|has|had|have|"
    r"that|which|who|his|her|their|this|"
    r"these|no|not|be|been|but|than|due|per|via|into|over|under|approximately|than|between|status)|"
    r"[,(/&+]|[a-z]-)$",
    re.I,
)
_ABBREVIATED = re.compile(
    r"(?:\b(?:dr|drs|mr|mrs|ms|prof|vs|e\.g|i\.e|p\.o|i\.v|approx)|\b(?:dr|mr|mrs|ms)\.? [A-Z])\.$", re.I
)
_DATE_TITLE = re.compile(
    r"(?:\w{3,9},?\s+)?(?:\d{1,4}[/-]\d{1,2}[/-]\d{1,4}|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|"
    r"dec)[a-z]*\.?\s+\d{1,2},?\s+\d{4}"
    r"|\[\*\*[\d-]+\*\*\])?,?\s*(?:(?:at\s+)?\d{1,2}:?\d{2}(?::\d{2})?\s*(?:[ap]\.?m\.?|h|hrs|"
    r"hours)?)?\s*:?$",
    re.I,
)


_UPPER = re.compile(r"[A-Z]+")
_LOWER = re.compile(r"[a-z]+")
_PLAIN_TITLES = frozenset(
    """medications allergies instructions assessment plan impression findings exam examination results
    diagnosis diagnoses procedures
    immunizations problems vitals subjective objective indication indications technique comparison
    recommendations encounters payers
    labs laboratory history hpi pmh addendum conclusion""".split()
)


def read_lines(text: str) -> list[Line]:
    """The lines of a text that hold more than white space, each with its kind."""
    lines: list[Line] = []
    at = 0
    blank = True
    for raw in text.splitlines(keepends=True):
        body = raw.lstrip()
        if body:
            indent = len(raw) - len(body)
            body = body.rstrip()
            lines.append(Line(at + indent, at + indent + len(body), body, indent, blank))
            blank = raw[-1] == "\f"
        else:
            blank = True
        at += len(raw)
    return lines


def classify(lines: list[Line], text: str) -> None:
    """Set the kind and the marker length of every line."""
    capitals = _mostly_capitals(text)
    greeting = next((line.start for line in lines if line.text[0] in "DdTt" and DEAR.match(line.text)), -1)
    closing = False
    letters = Counter(line.text.partition(" ")[0][:3] for line in lines if line.text[:1].isalpha())
    for index, line in enumerate(lines):
        following = lines[index + 1] if index + 1 < len(lines) else None
        line.kind = _kind(line, following, capitals, index == 0)
        if line.kind is LineKind.ITEM:
            found = MARKER.match(line.text)
            line.marker = found.end() if found else 0
            if line.marker == 2 and line.text[0].isalpha() and not _is_lettered_item(line, letters):
                line.kind, line.marker = LineKind.TEXT, 0
                if LABEL.match(line.text):
                    line.kind = LineKind.LABELLED
        if line.end <= greeting and _is_letterhead(line):
            line.kind, line.marker = LineKind.BOILERPLATE, 0
        if closing and line.kind in (LineKind.TEXT, LineKind.LABELLED) and _is_letterhead(line):
            line.kind = LineKind.BOILERPLATE
        closing = line.kind is LineKind.BOILERPLATE and (closing or VALEDICTION.match(line.text) is not None)


def _is_letterhead(line: Line) -> bool:
    """Whether a line before the greeting of a letter is part of its date, address or reference."""
    label = LABEL.match(line.text)
    if label is not None and line.text[:3].lower() not in ("re:", "rg:"):
        return role(label["words"]) is Role.VALUE
    return len(line.text) < 70 and (not _TERMINATED.search(line.text) or len(line.text) < 40)


def _mostly_capitals(text: str) -> bool:
    """Whether a text is written in capitals."""
    sample = text[:4000]
    upper = sum(map(len, _UPPER.findall(sample)))
    return upper > 3 * sum(map(len, _LOWER.findall(sample)))


def _is_lettered_item(line: Line, letters: Counter[str]) -> bool:
    """Whether `a.` or `B.` begins an item: lower-case ones do, capitals in a series."""
    mark = line.text[:2]
    if mark[1] == ")" or mark[0].islower():
        return True
    if line.after_blank and line.start and mark[0] in "BCDEFG" and len(line.text.split()) > 3:
        return True
    near = [chr(ord(mark[0]) + step) + mark[1] for step in (-1, 1)]
    if mark[0] == "I":
        near.append("II" + mark[1])
    if mark[0] == "V":
        near += ["IV" + mark[1], "VI" + mark[1]]
    return any(letters[other] for other in near)


def _kind(line: Line, following: Line | None, capitals: bool, first: bool) -> LineKind:
    """What a line is by its own look."""
    body = line.text
    head = body[0]
    if (not head.isalnum() and is_rule(body)) or is_boilerplate(body):
        return LineKind.BOILERPLATE
    if _is_marked_up(body, following):
        return LineKind.HEADING
    if MARKER.match(body):
        return _kind_of_item(body)
    if ("\t" in body or "   " in body or head == "|") and _is_row(body):
        return LineKind.ROW
    if head in "Aa" and _AXIS.match(body):
        return LineKind.LABELLED
    if head.isalpha() or head in "*_":
        label = LABEL.match(body) if ":" in body[:120] else None
        if label and (head.isupper() or head in "*_" or known_heading(label["words"])):
            return LineKind.LABELLED
        if len(body) < 70 and _is_title(line, following, capitals, first):
            return LineKind.HEADING
    elif (head.isdigit() and body[-1] == ":" and _DATED_LABEL.match(body)) or (
        len(body) < 40
        and _DATE_TITLE.match(body)
        and any(map(str.isdigit, body))
        and ("/" in body or "-" in body or ":" in body)
    ):
        return LineKind.HEADING
    return LineKind.TEXT


def _is_row(body: str) -> bool:
    """Whether a line has the gaps of a table row and is not running text with wide spaces."""
    if not _ROW.search(body) or _labelled_heading(body):
        return False
    return len(body) < 160 or "|" in body or len(_RUN_IN.findall(body)) < 2


def _labelled_heading(body: str) -> bool:
    """Whether a line begins with a heading label."""
    found = LABEL.match(body)
    return found is not None and known_heading(found["words"])


def _is_marked_up(body: str, following: Line | None) -> bool:
    """Whether a line is a heading by Markdown."""
    if body[0] == "#":
        return _MARKDOWN.match(body) is not None and _titles_markdown(body, following)
    return body[0] in "*_" and _BOLD.match(body) is not None


def _titles_markdown(body: str, following: Line | None) -> bool:
    """Whether `# words` is a heading and not a problem with its text."""
    words = body.lstrip("# ")
    if normalise(words) in TITLE_KINDS or body.startswith("##"):
        return True
    return (
        len(words.split()) <= 8
        and words[-1:] not in ".,;"
        and ":" not in words
        and (following is None or following.after_blank or not following.text.startswith("#"))
    )


def _kind_of_item(body: str) -> LineKind:
    """An item, unless the number belongs to a heading that stands alone."""
    found = MARKER.match(body)
    rest = body[found.end() :].strip() if found else body
    if found and body[0].isalnum() and len(rest) < 70:
        name = rest.rstrip(":")
        if rest.endswith(":") and (name.isupper() or known_heading(name)) and ":" not in name:
            return LineKind.HEADING
        if name.isupper() and len(name) > 3 and normalise(name) in TITLE_KINDS:
            return LineKind.HEADING
    return LineKind.ITEM


def _is_title(line: Line, following: Line | None, capitals: bool, first: bool) -> bool:
    """Whether a line without a colon is a heading."""
    body = line.text
    if body[-1] in ".,;?!" or ":" in body:
        return False
    name = normalise(body)
    if name in TITLE_KINDS and len(name) > 2 and body[0].isupper():
        return len(name.split()) > 1 or body.isupper() or line.after_blank or name in _PLAIN_TITLES
    if not body.isupper() or len(body.split()) > 9 or any(map(str.isdigit, body)):
        return False
    if names_section(name):
        return True
    if capitals or len(name.split()) < 2:
        return False
    if following is not None and _looks_wrapped(line, following):
        return False
    return first or (line.after_blank and following is not None)


def _looks_wrapped(line: Line, following: Line) -> bool:
    """Whether the next line goes on in lower case."""
    return not following.after_blank and following.text[0].islower()


def wrap_width(lines: list[Line]) -> int:
    """The width a text was wrapped at, by its lines that go on in lower case; 0 if it was not wrapped."""
    widest = 0
    for line, after in pairwise(lines):
        if after.text[0].islower() and not after.after_blank and not _TERMINATED.search(line.text[-4:]):
            width = line.indent + len(line.text)
            if widest < width <= 140 and width >= 40 and not MARKER.match(after.text):
                widest = width
    return widest


def _is_full(before: Line, line: Line, width: int) -> bool:
    """Whether the first word of `line` did not fit behind `before`."""
    length = before.indent + len(before.text)
    return 40 <= length <= 140 and length + 1 + len(line.text.split(None, 1)[0]) > (
        width - 8 if width else 64
    )


def rejoin(lines: list[Line], width: int) -> None:
    """Take back item and label lines that are only the next line of a wrapped sentence."""
    previous = 0
    for index, line in enumerate(lines):
        number = _item_number(line)
        before = lines[index - 1] if index else None
        if (
            before
            and not line.after_blank
            and before.kind in (LineKind.TEXT, LineKind.ITEM, LineKind.LABELLED)
        ):
            open_end = not _TERMINATED.search(before.text[-6:]) and before.text[-1] != ":"
            if (
                open_end
                and _is_full(before, line, width)
                and _is_stray(line, before, number, previous, lines[index + 1 : index + 13])
            ):
                line.kind, line.marker = LineKind.TEXT, 0
        if line.kind is LineKind.ITEM:
            previous = number
        elif line.kind is LineKind.HEADING:
            previous = 0


def _item_number(line: Line) -> int:
    """The number of an item, 0 if it has none."""
    digits = "".join(filter(str.isdecimal, line.text[: line.marker]))
    return int(digits) if digits else 0


def _is_stray(line: Line, before: Line, number: int, previous: int, later: list[Line]) -> bool:
    """Whether a line behind a full, open line was taken for an item or a label by mistake."""
    if line.kind is LineKind.LABELLED:
        return line.text[0].islower() or _CONNECTOR.search(before.text[-16:]) is not None
    if line.kind is not LineKind.ITEM or line.text[0] in "-–—•·●○▪■□‣►◦":
        return False
    if number == 1:
        return not any(_item_number(other) == 2 for other in later)
    return number != previous + 1 or number == 0


def continues(line: Line, before: Line, first: Line, width: int) -> bool:
    """Whether `line` goes on with the sentence or paragraph that `before` belongs to.

    Args:
        line: the line in question.
        before: the line above it, no blank line between.
        first: the first line of the block that `before` is in.
        width: the width the text was wrapped at, 0 if unknown.
    """
    if line.kind is not LineKind.TEXT or before.kind in (
        LineKind.ROW,
        LineKind.HEADING,
        LineKind.BOILERPLATE,
    ):
        return False
    tail = before.text
    full = _is_full(before, line, width)
    if tail[-1] == ":" and line.text[0].isupper() and not (full and width):
        return False
    if first.marker and line.indent > first.indent:
        return True
    if _ABBREVIATED.search(tail[-12:]):
        return True
    if _TERMINATED.search(tail[-6:]):
        return full
    if line.text[0].islower():
        return full or not (before.text[0].islower() and before is first and not first.marker)
    return (full and width > 0) or _CONNECTOR.search(tail[-16:]) is not None
