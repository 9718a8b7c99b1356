"""Lines of text out of a document's blocks: what every structured format is rendered with.

A `Flow` takes text, breaks, blocks and list markers in document order and keeps `Line`s; `table_row` turns
the cells of a row into one line (or several, where a table is only page layout); `join` makes the text and
the offsets of its headings. White space inside a line is collapsed as a browser does it, unless it is said to
be preformatted.
"""

import re
from dataclasses import dataclass

from fhir_adapter.note import Heading

_INVISIBLE = re.compile("[\u00ad\u200b\ufeff]")
_SPACE = re.compile("[ \t\n\r\f\u00a0]+")
_SUPERSCRIPT = re.compile("[0-9+\u2212-]")
_INDENT = 2
_MAX_INDENT = 8 * _INDENT
_CELL_LINES = 8
_CELL_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the text to be.

    Attributes:
        text: without its line break; "" is an empty line.
        heading: the format declares it to be a heading.
        code: LOINC code of the section it heads, where stated.
        fixed: never merged into a table row (headings, preformatted lines, rows of an inner table).
        lead: code points of indent and marker in front of the text proper.
    """

    text: str
    heading: bool = False
    code: str | None = None
    fixed: bool = False
    lead: int = 0

    def behind(self, margin: str) -> "Line":
        """The same line with `margin` in front."""
        return Line(margin + self.text, self.heading, self.code, self.fixed, len(margin) + self.lead)


class Flow:
    """Collects the lines of one run of blocks: a document, or one cell of a table."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.indent = 0
        self._parts: list[str] = []
        self._space = False
        self._marker = ""
        self._heading = False
        self._code: str | None = None
        self._fixed = False
        self._raised = False

    def text(self, characters: str) -> None:
        """Adds inline text; runs of white space (no-break spaces too) count as one space."""
        characters = _SPACE.sub(" ", characters)
        if not characters.isascii():
            characters = _INVISIBLE.sub("", characters)
        if not characters or (characters == " " and not self._parts):
            return
        if characters[0] == " ":
            self._space = True
        body = characters.strip(" ")
        if not body:
            return
        if self._space and self._parts:
            self._parts.append(" ")
        elif self._raised and self._parts and _SUPERSCRIPT.match(body) and self._parts[-1][-1:].isalnum():
            self._parts.append("^")
        self._raised = False
        self._parts.append(body)
        self._space = characters[-1] == " "

    def raised(self) -> None:
        """The next text is a superscript: digits get a caret, so that 10⁹ is not read as 109."""
        self._raised = True

    def preformatted(self, characters: str) -> None:
        """Adds text whose spaces and line breaks stand."""
        self._fixed = True
        first, *others = characters.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        if first:
            self._parts.append(first)
        for line in others:
            self.break_line()
            self._fixed = True
            if line:
                self._parts.append(line)

    def break_line(self) -> None:
        """Ends the line, even an empty one."""
        if self._parts:
            self.block()
        else:
            self.gap()

    def block(self) -> None:
        """Ends the line if anything is on it."""
        self._space = self._raised = False
        if not self._parts:
            self._fixed = False
            return
        text = "".join(self._parts).rstrip()
        self._parts.clear()
        if not text.strip():
            self.gap()
            return
        margin, _ = self._margins()
        fixed = self._fixed or self._heading
        self.lines.append(Line(margin + text, self._heading, self._code, fixed, len(margin)))
        self._fixed = False

    def gap(self) -> None:
        """Ends the line and leaves one empty line, however often it is called."""
        self.block()
        if self.lines and self.lines[-1].text:
            self.lines.append(Line(""))

    def marker(self, marker: str) -> None:
        """Puts a list marker in front of the next line that has text."""
        self.block()
        self._marker = marker

    def no_marker(self) -> None:
        """Forgets a marker that no text followed."""
        self._marker = ""

    def start_heading(self, code: str | None = None) -> None:
        """What follows, up to `end_heading`, is a heading."""
        self.gap()
        self._heading, self._code = True, code

    def end_heading(self) -> None:
        """Ends the heading's line."""
        self.block()
        self._heading, self._code = False, None

    def extend(self, lines: list[Line]) -> None:
        """Adds finished lines under the present indent."""
        self.block()
        if lines and not lines[0].text and self.lines and not self.lines[-1].text:
            lines = lines[1:]
        if lines and (self.indent or self._marker):
            first, margin = self._margins()
            lines = [
                line.behind(margin if at else first) if line.text else line for at, line in enumerate(lines)
            ]
        self.lines += lines

    def _margins(self) -> tuple[str, str]:
        """What stands in front of the next line (its marker is used up by this), and of those after it."""
        margin = " " * min(self.indent * _INDENT, _MAX_INDENT)
        if not self._marker:
            return margin, margin
        outer = " " * min(max(self.indent - 1, 0) * _INDENT, _MAX_INDENT)
        first, self._marker = outer + self._marker, ""
        return first, margin

    def finish(self) -> list[Line]:
        """Ends the last line and gives all of them, without empty ones at either end."""
        self.block()
        while self.lines and not self.lines[-1].text:
            self.lines.pop()
        return self.lines


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a row: its lines, whether it heads a column or row, and the columns it spans."""

    lines: list[Line]
    header: bool = False
    columns: int = 1


def table_row(cells: list[Cell], aligned: bool) -> list[Line]:
    """The lines of one table row: cells joined by ` | `, empty ones kept so that columns stay countable.

    A row in which a cell holds a whole piece of a page (headings, an inner table, many lines) is page layout:
    its cells follow each other as blocks.

    Args:
        cells: in order; a cell without lines is empty.
        aligned: the table has header cells, so a lone value keeps its place in the row.
    """
    filled = [cell for cell in cells if cell.lines]
    if not filled:
        return []
    if any(_is_layout(cell) for cell in filled):
        return [line for cell in filled for line in cell.lines]
    if len(filled) == 1 and (not aligned or cells[0].lines):
        return list(filled[0].lines)
    columns: list[str] = []
    for cell in cells:
        columns.append(_on_one_line(cell))
        columns.extend("" for _ in range(cell.columns - 1))
    while columns and not columns[-1]:
        columns.pop()
    row = columns[0] + "".join(f" | {column}" if column else " |" for column in columns[1:])
    return [Line(row.strip(), fixed=True)]


def _is_layout(cell: Cell) -> bool:
    lines = cell.lines
    if len(lines) == 1:
        return lines[0].heading
    return (
        len(lines) > _CELL_LINES
        or any(line.fixed for line in lines)
        or sum(len(line.text) for line in lines) > _CELL_CHARACTERS
    )


def _on_one_line(cell: Cell) -> str:
    """Joins the lines of a cell so that two values never run into one."""
    text = ""
    for line in cell.lines:
        piece = line.text.strip()
        if piece:
            glue = "" if not text else " " if cell.header or text[-1] in ".,;:!?" else "; "
            text += glue + piece
    return text


def join(lines: list[Line]) -> tuple[str, tuple[Heading, ...]]:
    """The text, lines parted by a line feed, and its headings with their offsets in code points."""
    headings: list[Heading] = []
    position = 0
    for line in lines:
        if line.heading and line.text.strip():
            lead = line.lead + len(line.text[line.lead :]) - len(line.text[line.lead :].lstrip())
            headings.append(Heading(position + lead, position + len(line.text), line.code))
        position += len(line.text) + 1
    return "\n".join(line.text for line in lines), tuple(headings)
