"""What a format declares of its tables and of words that are struck out."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from summarizer.segmentation.section_titles import names_section, normalise
from summarizer.segmentation.tables import cells, first_cell, names_columns
from summarizer.types import ContextKind, ContextSpan, Mark, MarkKind, Sentence

_LONGEST_WHOLE = 600
"""A longer row of paragraphs is cut at its blank lines; each piece is shown with the row's head."""
_MOST_HEADS = 8
"""More rows than these that name columns are no head of a table."""
_IN_TABLES = frozenset({MarkKind.ROW, MarkKind.COLUMNS, MarkKind.CAPTION, MarkKind.ROW_HEAD})


@dataclass(frozen=True, slots=True)
class DeclaredRow:
    """A row that the format declares.

    Attributes:
        start, end: without outer white space.
        pieces: the sentences it makes, one but for a long row of paragraphs.
        context: caption, column heads and the row's own head, or that of the row above where it has none.
    """

    start: int
    end: int
    pieces: tuple[tuple[int, int], ...]
    context: tuple[ContextSpan, ...]


def declared_rows(
    text: str, headings: Sequence[tuple[int, int, str | None]], marks: Sequence[Mark]
) -> list[DeclaredRow]:
    """The rows of the tables of a text, in order; none that holds a heading or another row."""
    rows: list[DeclaredRow] = []
    captions: list[ContextSpan] = []
    columns: list[ContextSpan] = []
    above: ContextSpan | None = None
    named = carried = False  # the row above names columns; so did a whole table, and this is the next
    last = 0
    ends = [heading[1] for heading in headings]
    table = [mark for mark in marks if mark.kind in _IN_TABLES]
    for index, mark in enumerate(table):
        between = text[last : mark.start]
        if between.strip():
            captions, columns, above = [], [], None
        elif "\n\n" in between:
            columns, above, carried = (columns if named else []), None, named
        last = max(last, mark.end)
        start, end = _trimmed(text, mark)
        if start >= end:
            continue
        if mark.kind is MarkKind.CAPTION:
            # In a table, its rows go on under it.
            columns = columns if rows and text[rows[-1].end : start] == "\n" else []
            captions, above = [ContextSpan(start, end, ContextKind.CAPTION)], None
        elif mark.kind is not MarkKind.ROW_HEAD and not (
            _holds_heading(start, end, headings, ends)
            or _holds_row(start, end, (table[i] for i in range(index + 1, len(table))))
        ):
            inside = [other for other in table[index + 1 : index + 9] if other.end <= mark.end]
            heads = _row_heads(text, inside)
            first = carried or not (columns or above)
            names = _names_columns(text, mark, inside, table[index + 1 : index + 2] if first else [])
            columns = [] if names and carried else columns
            if not rows or rows[-1].end <= start:
                if names:
                    above = None
                elif (cell := first_cell(text[start:end])) is not None:
                    above = ContextSpan(start + cell[0], start + cell[1], ContextKind.ROW)
                elif above is not None and not heads:
                    heads = [above]
                context = (*captions, *columns, *heads)
                rows.append(DeclaredRow(start, end, _pieces(text, start, end), context))
            named, carried = names, False
            if names:
                columns = [*columns, ContextSpan(start, end, ContextKind.COLUMN)][-_MOST_HEADS:]
    return rows


def heading_levels(
    text: str, headings: Sequence[tuple[int, int, str | None]], marks: Sequence[Mark]
) -> dict[int, int]:
    """How deep each heading stands by its start, from 1; empty where the format says of none.

    A heading over all others that names no section is the title of the note, and stands over nothing.
    """
    sections = [mark for mark in marks if mark.kind is MarkKind.SECTION]
    if not sections:
        return {}
    first, last = headings[0][0], headings[-1][0]
    levels: dict[int, int] = {}
    around: list[Mark] = []
    at = 0
    for start, end, code in headings:
        around = [mark for mark in around if mark.end > start]
        if around or start >= sections[0].start:
            levels[start] = len(around) + 1
        if at < len(sections) and sections[at].start == start:
            title = start == first and sections[at].end > last and code is None
            if title and not names_section(normalise(text[start:end])):
                levels[start] = 0
            else:
                around.append(sections[at])
            at += 1
    return levels


def _row_heads(text: str, inside: Sequence[Mark]) -> list[ContextSpan]:
    """What names a row, of the marks in it."""
    heads = [mark for mark in inside if mark.kind is MarkKind.ROW_HEAD]
    return [ContextSpan(*_trimmed(text, mark), ContextKind.ROW) for mark in heads]


def _names_columns(text: str, row: Mark, inside: Sequence[Mark], below: Sequence[Mark]) -> bool:
    """Whether a row names columns: the format says so, or its words do, above a row of as many cells.

    Args:
        text: the note.
        row: the row.
        inside: the marks in it.
        below: the marks behind it, where it is the first of its table.
    """
    if row.kind is MarkKind.COLUMNS or any(mark.kind is MarkKind.COLUMNS for mark in inside):
        return True
    if inside or not below or below[0].kind is not MarkKind.ROW or text[row.end : below[0].start] != "\n":
        return False
    over, under = (text[mark.start : mark.end].lstrip() for mark in (row, below[0]))
    first, second = cells(over), cells(under)
    if over.startswith("|") and not under.startswith("|") and len(first) > 1:
        return len(second) > len(first)  # a row that has no name of its own names columns
    return len(second) <= len(first) and names_columns(first, second)


def _trimmed(text: str, mark: Mark) -> tuple[int, int]:
    piece = text[mark.start : mark.end]
    start = mark.start + len(piece) - len(piece.lstrip())
    return start, start + len(piece.strip())


def _holds_heading(
    start: int, end: int, headings: Sequence[tuple[int, int, str | None]], ends: Sequence[int]
) -> bool:
    """Whether one of the headings, which are in order and disjoint, lies in a row."""
    first = bisect_right(ends, start)
    return first < len(headings) and headings[first][0] < end


def _holds_row(start: int, end: int, below: Iterable[Mark]) -> bool:
    """Whether a row holds another row: then it lays out a page and is no statement."""
    for mark in below:
        if mark.start >= end:
            return False
        if mark.kind is MarkKind.ROW and mark.end - mark.start < end - start - 1:
            return True
    return False


def _pieces(text: str, start: int, end: int) -> tuple[tuple[int, int], ...]:
    """The sentences that a row makes."""
    if end - start <= _LONGEST_WHOLE:
        return ((start, end),)
    pieces = []
    at = start
    for part in text[start:end].split("\n\n"):
        if part.strip():
            pieces.append((at, at + len(part)))
        at += len(part) + 2
    return tuple(pieces)


def strikes(
    text: str, marks: Sequence[Mark], sentences: Sequence[Sentence]
) -> Iterator[tuple[ContextSpan, ...]]:
    """For each sentence what says of its words that they are struck out and stands outside of it.

    Args:
        text: the note.
        marks: in the order of their starts.
        sentences: in order.
    """
    struck = [mark for mark in marks if mark.kind is MarkKind.STRIKE]
    at = 0
    around: list[Mark] = []
    for sentence in sentences:
        while at < len(struck) and struck[at].start < sentence.start:
            around.append(struck[at])
            at += 1
        around = [mark for mark in around if mark.end > sentence.start]
        yield tuple(
            ContextSpan(mark.start, mark.start + len(before), ContextKind.STRIKE)
            for mark in around
            if (before := text[mark.start : sentence.start].rstrip())
        )
