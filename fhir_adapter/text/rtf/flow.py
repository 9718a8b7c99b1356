"""The lines of an RTF body, header, footer, footnote or text box, with the table that is being filled."""

import re
from dataclasses import dataclass, field, replace

from fhir_adapter.text.builder import TextBuilder
from fhir_adapter.text.lines import Cell, Line, clean, row_lines, table_rows
from fhir_adapter.text.runs import Runs

_BULLET = re.compile(r"[^\w(]*|o")


@dataclass(slots=True)
class RtfFlow:
    """Lines so far, the runs of the current one, and the rows under construction.

    `cells` and `cell` hold, by depth of nested tables, the finished cells of a row and the lines of a cell.
    `table` is that depth, 0 outside tables; `heads` are the depths at which the present row names columns.
    """

    lines: list[Line] = field(default_factory=list)
    runs: Runs = field(default_factory=Runs)
    cells: dict[int, list[Cell]] = field(default_factory=dict)
    cell: dict[int, list[Line]] = field(default_factory=dict)
    heads: set[int] = field(default_factory=set)
    _rows: list[list[Line]] = field(default_factory=list)
    _bold: list[bool] = field(default_factory=list)

    def end_line(self, table: int, soft: bool) -> None:
        """Ends the current line, inside a cell or outside."""
        text, bold = self.runs.take()
        line = Line(clean(text).rstrip(), soft=soft, bold=bold)
        if table:
            self.cell.setdefault(table, []).append(line)
        else:
            self._end_tables()
            self.lines.append(line)

    def end_cell(self, table: int) -> None:
        """Ends the current cell."""
        self.end_line(table, soft=False)
        lines = [replace(line, text=line.text.strip()) for line in self.cell.pop(table) if line.text.strip()]
        self.cells.setdefault(table, []).append(Cell(lines))

    def end_row(self, table: int) -> None:
        """Ends the current row; a nested one becomes a line of the cell around it."""
        if self.runs.worded or any(line.text.strip() for line in self.cell.get(table, [])):
            self.end_cell(table)
        self.runs.take()
        self.cell.pop(table, None)
        cells = self.cells.pop(table, [])
        rows = row_lines(cells, names_columns=table in self.heads)
        self.heads.discard(table)
        if table > 1:
            self.cell.setdefault(table - 1, []).extend(rows)
        else:
            self._rows.append(rows)
            self._bold.append(all(cell.bold for cell in cells if cell.lines))

    def blank(self) -> None:
        """A blank line; between the rows of a table it does not end the table."""
        if self._rows:
            self._rows.append([Line("")])
            self._bold.append(False)
        else:
            self.lines.append(Line(""))

    def insert(self, lines: list[Line], table: int) -> None:
        """Whole lines before the current one."""
        if not table:
            self._end_tables()
        target = self.cell.setdefault(table, []) if table else self.lines
        target += lines

    def finish(self) -> list[Line]:
        """All lines, with whatever was left open."""
        if self.runs:
            self.end_line(max([*self.cell, *self.cells], default=0), soft=False)
        self._end_tables()
        return self.lines

    def _end_tables(self) -> None:
        """The rows of a table that has ended, and rows that nothing closed."""
        for table in sorted({*self.cells, *self.cell}, reverse=True):
            if table in self.cells:
                self.end_row(table)
            elif table in self.cell:
                self._write_rows()
                self.lines += self.cell.pop(table)
        self._write_rows()

    def _write_rows(self) -> None:
        rows, bold = self._rows, self._bold
        self._rows, self._bold = [], []
        self.lines += table_rows(rows, bold)


class RtfMargins:
    """What stands apart from the body: headers and footers (each text once), footnotes, boxes, markers."""

    def __init__(self) -> None:
        self.footnotes: list[list[Line]] = []
        self._footers: list[list[Line]] = []
        self._seen: set[tuple[str, ...]] = set()

    def add(self, kind: str, lines: list[Line], flow: RtfFlow, table: int) -> None:
        """Takes finished lines of a kind of `rtf_words.APART`; some belong into the flow around them."""
        words = tuple(line.text.strip() for line in lines if line.text.strip())
        if kind == "footnote":
            self.footnotes.append(lines)
        elif kind == "box":
            flow.insert(lines, table)
        elif kind == "marker":
            marker = " ".join(" ".join(words).split())
            if marker:
                flow.runs.add("- " if _BULLET.fullmatch(marker) else f"{marker} ")
        elif words and words not in self._seen:
            self._seen.add(words)
            if kind == "footer":
                self._footers.append(lines)
            else:
                flow.insert([Line(""), *lines, Line("")], 0)

    def write(self, builder: TextBuilder) -> None:
        """Footnotes and footers, after the body."""
        for number, note in enumerate(self.footnotes, 1):
            builder.line(f"[{number}] " + " ".join(line.text.strip() for line in note).strip())
        for footer in self._footers:
            builder.blank()
            builder.add(footer)
