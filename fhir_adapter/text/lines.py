"""The lines of a text in the making, and how the cells of a row become lines: one model for all formats."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

from fhir_adapter.text.notation import head, visible

# Lines of one cell and characters of a row above which a row is a page: where columns have names, and else.
_DATA_LIMITS = (30, 2_000)
_PAGE_LIMITS = (6, 400)
_CAPTION_CHARACTERS = 120
_SENTENCE_END = (".", ":", ";", "!", "?", ",")

# Control characters but tab, byte-order marks and noncharacters say nothing; XML cannot hold most of them.
_DROPPED = re.compile("[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_WIDE = re.compile(r"\s{2}|\t")
_EMPTY_CELL = re.compile(r"\|(?:  \|)+")


def clean(text: str) -> str:
    """`text` without control characters; surrogate pairs become one code point, lone ones U+FFFD."""
    if not text.isascii():
        text = _PAIR.sub(_join_pair, text)
        text = _SURROGATES.sub("\ufffd", text)
    return _DROPPED.sub("", text)


def collapse(text: str) -> str:
    """`text` with every run of white space (no-break spaces too) as one space, none at the ends."""
    return clean(" ".join(text.split()))


class LineKind(Enum):
    """What a line is, as the format declares it."""

    TEXT = auto()
    HEADING = auto()
    ROW = auto()
    COLUMNS = auto()
    CAPTION = auto()


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the text to be, without its line end. Signs of `notation` may stand in it.

    Attributes:
        text: "" asks for a blank line.
        kind: a `row` has several cells; `columns` is a row that names the columns.
        soft: ended by a line break, not by the end of a block.
        spaced: a blank line stands before it.
        fixed: a preformatted line; where blanks in it set words apart, never part of a table row.
        bold: all of it is set in bold.
        lead: code points of indent and marker in front of the text proper.
        code: LOINC code of the section it heads, where stated.
        caption: its style is that of captions; it is one if a table follows.
        level: of a heading, from 1; one stands over those of a higher number up to the next of its own or a
            lower one. 0 where the format says nothing of that.
    """

    text: str
    kind: LineKind = LineKind.TEXT
    soft: bool = False
    spaced: bool = False
    fixed: bool = False
    bold: bool = False
    lead: int = 0
    code: str | None = None
    caption: bool = False
    level: int = 0

    @property
    def is_row(self) -> bool:
        """A row of a table, one that names columns included."""
        return self.kind in (LineKind.ROW, LineKind.COLUMNS)

    def behind(self, margin: str) -> "Line":
        """The same line with `margin` in front."""
        return replace(self, text=margin + self.text, lead=len(margin) + self.lead)


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a row: its lines, whether it names a column or row, and the columns it spans."""

    lines: Sequence[Line]
    header: bool = False
    columns: int = 1

    @property
    def bold(self) -> bool:
        """All of its text is bold."""
        return bool(self.lines) and all(line.bold for line in self.lines if line.text)


def row_lines(
    cells: Sequence[Cell],
    aligned: bool = True,
    names_columns: bool = False,
    under_heads: bool = False,
    named: bool = False,
) -> list[Line]:
    """The lines of a table row, given its cells in order: one, unless the row is a page.

    Cells are joined by ` | `; empty ones keep their place, but at the end. Line breaks inside a cell become a
    space, blocks inside it are joined by `; `. A row with a single cell of several lines, with many lines or
    long ones, with a heading, a preformatted line or a table in one of them is a page: its lines stand below
    each other.

    Args:
        cells: in order; a cell without lines is empty.
        aligned: the place of a lone value in the row says something.
        names_columns: the format says that this row names the columns.
        under_heads: the columns of its table have names, so that even a tall row is no page.
        named: rows above it are named by their first cells, so that one alone is a row without values.
    """
    filled = [cell for cell in cells if cell.lines]
    if not filled:
        return []
    if _is_page(filled, under_heads):
        return _page_lines(filled)
    if len(filled) == 1 and (cells[0].lines or not aligned):
        only = filled[0]
        kind = _kind_alone(only, len(cells), names_columns, under_heads)
        if kind is LineKind.CAPTION and named and only.header and only.columns == 1:
            kind = LineKind.ROW
        return [replace(line, kind=kind) for line in only.lines]
    columns: list[str] = []
    names_row = _names_row(cells, filled)
    for cell in cells:
        words = one_line(cell)
        columns.append(head(words) if names_row and cell is cells[0] else words)
        columns.extend("" for _ in range(cell.columns - 1))
    row = join_cells(columns)
    if not row:
        return []
    if len(filled) == 1:
        return [Line(row, LineKind.COLUMNS if names_columns else LineKind.ROW)]
    heads = names_columns or all(cell.header for cell in filled)
    return [Line(row, LineKind.COLUMNS if heads else LineKind.ROW)]


def table_rows(rows: Sequence[list[Line]], bold: Sequence[bool]) -> list[Line]:
    """The lines of a table whose format says of no row that it names the columns: bold does, in the first.

    Args:
        rows: the lines of each row.
        bold: of each row, whether all of its cells are bold.
    """
    kinds = [[line.kind for line in row] for row in rows]
    plain = [at for at, row in enumerate(kinds) if row == [LineKind.ROW]]
    declared = any(LineKind.COLUMNS in row for row in kinds)
    named = not declared and bool(plain) and bold[plain[0]] and not all(bold[at] for at in plain)
    return [
        replace(line, kind=LineKind.COLUMNS) if named and at == plain[0] else line
        for at, row in enumerate(rows)
        for line in row
    ]


def join_cells(cells: list[str]) -> str:
    """One table row on one line; empty cells at the end are left out, those before keep their place."""
    last = max((i for i, cell in enumerate(cells) if cell), default=-1)
    row = " | ".join(cells[: last + 1]).lstrip(" ")
    return _EMPTY_CELL.sub(lambda found: "|" + " |" * (found.group().count("|") - 1), row)


def is_named(cells: Sequence[Cell]) -> bool:
    """Whether a row's first cell is declared to name it, and others of it are not."""
    filled = [cell for cell in cells if cell.lines]
    return len(filled) > 1 and filled[0] is cells[0] and cells[0].header and _names_row(cells, filled)


def _names_row(cells: Sequence[Cell], filled: Sequence[Cell]) -> bool:
    """The first cell names the row: it is declared to, or alone is bold."""
    first, others = cells[0], [cell for cell in filled if cell is not cells[0]]
    if not first.lines or not others:
        return False
    if first.header:
        return not any(cell.header for cell in others)
    return first.bold and not any(cell.bold or cell.header for cell in others)


def _kind_alone(cell: Cell, columns: int, names_columns: bool, under_heads: bool) -> LineKind:
    """What a row is that holds nothing but its first cell: what is bold over several columns heads them."""
    spans = cell.columns > 1 or columns > 1
    short = len(cell.lines) == 1 and len(cell.lines[0].text) <= _CAPTION_CHARACTERS
    if spans and short and (cell.header or cell.bold or names_columns):
        return LineKind.CAPTION
    if names_columns and short:
        return LineKind.COLUMNS
    return LineKind.ROW if under_heads and short else LineKind.TEXT


def _is_page(filled: Sequence[Cell], under_heads: bool) -> bool:
    if any(line.kind is LineKind.HEADING or _is_laid_out(line) for cell in filled for line in cell.lines):
        return True
    tallest = max(sum(1 for line in cell.lines if line.text) for cell in filled)
    if tallest < 2 or len(filled) == 1:
        return tallest > 1
    if any(sum(line.is_row for line in cell.lines) > 1 for cell in filled):
        return True
    size = sum(len(line.text) for cell in filled for line in cell.lines)
    most_lines, most = _DATA_LIMITS if under_heads else _PAGE_LIMITS
    return tallest > most_lines or size > most


def _is_laid_out(line: Line) -> bool:
    """Whether blanks inside a preformatted line set its words apart."""
    return line.fixed and _WIDE.search(line.text.strip()) is not None


def _page_lines(cells: Sequence[Cell]) -> list[Line]:
    """Cells one below the other; those of one line stay side by side."""
    lines: list[Line] = []
    short: list[Line] = []

    def side_by_side() -> None:
        if len(short) == 1:
            lines.append(short[0])
        elif short:
            lines.append(Line(join_cells([line.text for line in short]), LineKind.ROW))
        short.clear()

    for cell in cells:
        only = cell.lines[0]
        if len(cell.lines) == 1 and only.kind is not LineKind.HEADING and not _is_laid_out(only):
            short.append(only)
            continue
        side_by_side()
        lines += cell.lines
    side_by_side()
    return lines


def one_line(cell: Cell) -> str:
    """The lines of a cell as one, so that two values never run into one."""
    text = ""
    soft = True
    for line in cell.lines:
        piece = line.text.strip()
        if not piece:
            continue
        if line.is_row:  # of a table in the cell: its bars would part the columns of the one outside
            piece = ", ".join(part for part in piece.strip("| ").split(" | ") if part.strip("| "))
        if text:
            flows = soft or cell.header or visible(text).endswith(_SENTENCE_END)
            text += " " if flows else "; "
        text += piece
        soft = line.soft
    return text


def _join_pair(match: re.Match[str]) -> str:
    pair = match.group()
    return chr(0x10000 + ((ord(pair[0]) - 0xD800) << 10) + (ord(pair[1]) - 0xDC00))
