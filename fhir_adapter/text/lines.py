"""The lines that an extractor writes: tidy by construction, so that offsets of headings are right at once."""

import re
from dataclasses import dataclass

from fhir_adapter.errors import NoteError
from fhir_adapter.note import Heading, NoteText
from fhir_adapter.reasons import Reason

MAX_CHARACTERS = 20_000_000
"""More text than this from one file is no note."""

_PAGE_LINES = 6
_PAGE_CHARACTERS = 400
_SENTENCE_END = (".", ":", ";", "!", "?", ",")

# Control characters but tab, byte-order marks and noncharacters say nothing; XML cannot hold most of them.
_DROPPED = re.compile("[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
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


def join_cells(cells: list[str]) -> str:
    """One table row on one line; empty cells at the end are left out, those before keep their place."""
    last = max((i for i, cell in enumerate(cells) if cell), default=-1)
    row = " | ".join(cells[: last + 1]).lstrip(" ")
    return _EMPTY_CELL.sub(lambda found: "|" + " |" * (found.group().count("|") - 1), row)


@dataclass(frozen=True, slots=True)
class Line:
    """A line on its way to the text.

    Attributes:
        soft: ended by a line break, not by the end of a block.
        spaced: a blank line stands before it.
        row: it is the row of a table.
    """

    text: str
    soft: bool = False
    spaced: bool = False
    row: bool = False


def row_lines(cells: list[list[Line]]) -> list[Line]:
    """The lines of a table row, given the lines of its cells by column: one, unless the row is a page.

    Line breaks inside a cell become a space, blocks inside it are joined by `; `. A row with a single cell of
    several lines, with long ones or with a table in one of them is a page: its lines stand below each other.
    """
    filled = [cell for cell in cells if cell]
    several = any(len(cell) > 1 for cell in filled)
    if several:
        size = sum(len(line.text) for cell in filled for line in cell)
        tall = max(len(cell) for cell in filled) > _PAGE_LINES or size > _PAGE_CHARACTERS
        nested = any(sum(line.row for line in cell) > 1 for cell in filled)
        if len(filled) == 1 or tall or nested:
            return _page_lines(filled)
    row = join_cells([_one_line(cell) for cell in cells])
    return [Line(row, row=True)] if row else []


def _page_lines(cells: list[list[Line]]) -> list[Line]:
    """Cells one below the other; those of one line stay side by side."""
    lines: list[Line] = []
    short: list[str] = []
    for cell in cells:
        if len(cell) == 1:
            short.append(cell[0].text)
            continue
        if short:
            lines.append(Line(join_cells(short)))
            short = []
        lines += cell
    if short:
        lines.append(Line(join_cells(short)))
    return lines


def _one_line(cell: list[Line]) -> str:
    parts: list[str] = []
    for at, line in enumerate(cell):
        parts.append(line.text)
        if at + 1 < len(cell):
            parts.append(" " if line.soft or line.text.endswith(_SENTENCE_END) else "; ")
    return "".join(parts)


class TextBuilder:
    """Collects lines; no trailing white space, never two blank lines in a row, none first or last."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._headings: list[Heading] = []
        self._length = 0
        self._blank = False
        self._under_heading = False

    def __len__(self) -> int:
        """Code points so far."""
        return self._length

    def line(self, text: str) -> None:
        """Appends one line (already clean, no line end inside); an empty one asks for a blank line."""
        text = text.rstrip()
        if not text:
            self.blank()
            return
        self._under_heading = False
        if self._blank and self._lines:
            self._append("")
        self._blank = False
        self._append(text)

    def blank(self) -> None:
        """A blank line before whatever comes next, unless a heading has just been written."""
        self._blank = not self._under_heading

    def heading(self, text: str, code: str | None = None) -> None:
        """A line that the format declares to be a heading; what comes next stands right under it."""
        text = text.strip()
        self._blank = True
        self.line(text)
        if text:
            self._under_heading = True
            self._headings.append(Heading(self._length - len(text) - 1, self._length - 1, code))

    def build(self, normalization: str, media_type: str, notice: str = "") -> NoteText:
        """The text.

        Raises:
            NoteError: `empty-text` where no line holds anything.
        """
        if not self._lines:
            raise NoteError(Reason.EMPTY_TEXT, media_type)
        return NoteText(
            text="\n".join(self._lines),
            normalization=normalization,
            media_type=media_type,
            headings=tuple(self._headings),
            notice=notice,
        )

    def _append(self, text: str) -> None:
        self._lines.append(text)
        self._length += len(text) + 1
        if self._length > MAX_CHARACTERS:
            raise NoteError(Reason.TOO_LARGE, f"more than {MAX_CHARACTERS} characters of text")


def _join_pair(match: re.Match[str]) -> str:
    pair = match.group()
    return chr(0x10000 + ((ord(pair[0]) - 0xD800) << 10) + (ord(pair[1]) - 0xDC00))
