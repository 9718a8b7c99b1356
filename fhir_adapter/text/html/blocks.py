"""Lists and tables of an HTML document while they are being read."""

import re
from dataclasses import dataclass, field

from fhir_adapter.text.html.flow import Cell, Flow, Line, table_row
from fhir_adapter.text.html.tokens import Tag

MAX_SPAN = 20


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
    """A table being read; each row is written into `flow`, which the table stands in, when it ends."""

    flow: Flow
    cells: list[Cell] = field(default_factory=list)
    cell: Tag | None = None
    aligned: bool = False
    spans: dict[int, int] = field(default_factory=dict)

    def start_cell(self, tag: Tag) -> None:
        """Opens a cell, behind those that reach down from rows above."""
        self.cell = tag
        self.aligned |= tag.name == "th"
        column = sum(cell.columns for cell in self.cells)
        while self.spans.get(column):
            self.cells.append(Cell([]))
            column += 1
        rows = _span(tag, "rowspan")
        if rows > 1 and column < MAX_SPAN:
            self.spans[column] = rows  # the row it starts in counts, as every row end takes one off

    def end_cell(self, lines: list[Line]) -> None:
        """Closes the open cell with the lines that it came to hold."""
        if self.cell is not None:
            header = self.cell.name == "th"
            self.cells.append(Cell(lines, header, _span(self.cell, "colspan")))
            self.cell = None

    def end_row(self) -> None:
        """Writes the row, if it has any cell."""
        if self.cells:
            self.flow.extend(table_row(self.cells, self.aligned))
            self.cells = []
            self.spans = {column: rows - 1 for column, rows in self.spans.items() if rows > 1}


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
