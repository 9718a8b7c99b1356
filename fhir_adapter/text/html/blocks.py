"""Open elements, lists and tables of an HTML document while they are being read."""

import re
from dataclasses import dataclass, field

from fhir_adapter.text.html.flow import Flow
from fhir_adapter.text.html.tokens import Tag
from fhir_adapter.text.lines import Cell, Line, LineKind, is_named, one_line, row_lines
from fhir_adapter.text.notation import visible

MAX_SPAN = 20


@dataclass(slots=True)
class Open:
    """An open element and what its end undoes."""

    name: str
    defines: bool = False
    hidden: bool = False
    pre: bool = False
    struck: bool = False
    bold: bool | None = None
    font: str | None = None
    raised: bool | None = None


@dataclass(slots=True)
class Items:
    """Numbering of a list: `1`, `a`, `A`, `i`, `I`, "-" for bullets, "" for none."""

    style: str
    next: int = 1

    def marker(self, value: str | None) -> str:
        """The next item's marker; `value` is the number that it asks for itself."""
        if value is not None and value.strip().isascii() and value.strip().isdigit():
            self.next = int(value.strip()[:9])
        number, self.next = self.next, self.next + 1
        if self.style in ("-", ""):
            return f"{self.style} ".lstrip()
        return f"{numeral(number, self.style)}. "


@dataclass(slots=True)
class Table:
    """A table being read; each row is written into `flow`, which the table stands in, when it ends.

    Attributes:
        aligned: the table has header cells, so a lone value keeps its place in the row.
        first: the number of the line that a first row in bold became, while no row says of itself that it
            names the columns.
    """

    flow: Flow
    cells: list[Cell] = field(default_factory=list)
    cell: Tag | None = None
    aligned: bool = False
    spans: dict[int, int] = field(default_factory=dict)
    column: int = 0
    rows: int = 0
    first: int | None = None
    plain: bool = False
    headed: bool = False
    named: bool = False

    def start_cell(self, tag: Tag) -> None:
        """Opens a cell, behind those that reach down from rows above."""
        self.cell = tag
        self.aligned |= tag.name == "th"
        while self.spans.get(self.column):
            self.cells.append(Cell([]))
            self.column += 1
        rows = _span(tag, "rowspan")
        if rows > 1 and self.column < MAX_SPAN:
            self.spans[self.column] = rows  # the row it starts in counts, as every row end takes one off

    def end_cell(self, lines: list[Line]) -> None:
        """Closes the open cell with the lines that it came to hold."""
        if self.cell is not None:
            header = self.cell.name == "th" or self.cell.attributes.get("scope", "").lower() == "row"
            self.cells.append(Cell(lines, header, _span(self.cell, "colspan")))
            self.column += self.cells[-1].columns
            self.cell = None

    def end_row(self, names_columns: bool) -> None:
        """Writes the row, if it has any cell."""
        if not self.cells:
            return
        lines = row_lines(self.cells, self.aligned, names_columns, under_heads=self.headed, named=self.named)
        self.named |= is_named(self.cells)
        bold = all(cell.bold for cell in self.cells if cell.lines)
        if lines and not self.rows and bold and lines[0].kind is LineKind.ROW:
            self.flow.block()
            self.first = len(self.flow.lines)
        self.plain |= bool(lines) and not bold
        self.rows += bool(lines)
        if any(line.kind is LineKind.COLUMNS for line in lines):
            self.first, self.headed = None, True
        self.flow.extend(lines)
        self.cells, self.column = [], 0
        self.spans = {column: rows - 1 for column, rows in self.spans.items() if rows > 1}

    def end(self) -> None:
        """A first row in bold over others that are not names the columns."""
        if self.first is not None and self.plain:
            self.flow.set_kind(self.first, LineKind.COLUMNS)


@dataclass(slots=True)
class Definitions:
    """A list of terms with what is said of each, while it is being read.

    Attributes:
        flow: what the list stands in; each term is written into it with its details.
        inside: it stands in a cell of a table, whose cells are parted by bars already.
    """

    flow: Flow
    inside: bool = False
    terms: list[Line] = field(default_factory=list)
    details: list[list[Line]] = field(default_factory=list)

    def start(self, *, term: bool) -> None:
        """A term or one of its details begins."""
        if term:
            self.end_pair()

    def end(self, lines: list[Line], *, term: bool) -> None:
        """It ends with the lines that it came to hold."""
        if term:
            self.terms += lines
        elif lines:
            self.details.append(lines)

    def end_pair(self) -> None:
        """Writes the term in hand with its details."""
        if self.terms or self.details:
            self.flow.extend(self._pair())
            self.terms, self.details = [], []

    def _pair(self) -> list[Line]:
        """One line of both, or the term above its details."""
        every = [line for lines in self.details for line in lines]
        if not self.terms or not every:
            return self.terms + every
        cells = [Cell(self.terms, header=True), Cell(every)]
        lines = row_lines(cells)
        if len(lines) == 1 and not any(line.lead for line in every):
            return [_labelled(*cells)] if self.inside else lines
        if len(self.details) > 1 and all(line.kind is LineKind.TEXT and not line.fixed for line in every):
            return self.terms + [
                line.behind("  " if at else "- ") if line.text else line
                for lines in self.details
                for at, line in enumerate(lines)
            ]
        below = [Line("")] if every[-1].is_row else []  # what follows is no row of that table
        return self.terms + every + below


def _labelled(term: Cell, detail: Cell) -> Line:
    """A term as the label of its detail."""
    name, value = one_line(term), one_line(detail)
    return Line(f"{name} {value}" if visible(name).endswith((":", "?", "=")) else f"{name}: {value}")


def _span(tag: Tag, name: str) -> int:
    value = tag.attributes.get(name, "1").strip()
    return min(max(int(value[:4]), 1), MAX_SPAN) if value.isascii() and value.isdigit() else 1


def numeral(number: int, style: str) -> str:
    """A list number as HTML's `type` attribute asks: `1`, `a`, `A`, `i` or `I`."""
    if style in ("a", "A") and 0 < number <= 26:
        return chr(ord(style) + number - 1)
    if style in ("i", "I") and 0 < number < 40:
        roman = (
            "X" * (number // 10) + ("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX")[number % 10]
        )
        return roman if style == "I" else roman.lower()
    return str(number)


def list_items(tag: Tag, style: str) -> Items:
    """The numbering that a list element asks for, given its `style` attribute."""
    if re.search(r"list-style(?:-type)?\s*:\s*none", style, re.I):
        return Items("")
    if tag.name != "ol":
        return Items("-")
    items = Items(tag.attributes.get("type", "1"))
    start = tag.attributes.get("start", "1").strip()
    items.next = int(start[:9]) if start.isascii() and start.isdigit() else 1
    return items
