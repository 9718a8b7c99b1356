"""The lines of an RTF body, header, footer, footnote or text box, with the table that is being filled."""

import re
from dataclasses import dataclass, field, replace

from fhir_adapter.text.lines import Line, TextBuilder, clean, row_lines

_BULLET = re.compile(r"[^\w(]*|o")


@dataclass(slots=True)
class RtfFlow:
    """Lines so far, the parts of the current one, and the rows under construction.

    `cells` and `cell` hold, by depth of nested tables, the finished cells of a row and the lines of a cell.
    `table` is that depth, 0 outside tables.
    """

    lines: list[Line] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    cells: dict[int, list[list[Line]]] = field(default_factory=dict)
    cell: dict[int, list[Line]] = field(default_factory=dict)

    def end_line(self, table: int, soft: bool) -> None:
        """Ends the current line, inside a cell or outside."""
        line = Line(clean("".join(self.parts)).rstrip(), soft)
        self.parts = []
        if table:
            self.cell.setdefault(table, []).append(line)
        else:
            self._end_tables()
            self.lines.append(line)

    def end_cell(self, table: int) -> None:
        """Ends the current cell."""
        self.end_line(table, soft=False)
        lines = [replace(line, text=line.text.strip()) for line in self.cell.pop(table) if line.text.strip()]
        self.cells.setdefault(table, []).append(lines)

    def end_row(self, table: int) -> None:
        """Ends the current row; a nested one becomes a line of the cell around it."""
        if "".join(self.parts).strip() or any(line.text.strip() for line in self.cell.get(table, [])):
            self.end_cell(table)
        self.parts = []
        self.cell.pop(table, None)
        rows = row_lines(self.cells.pop(table, []))
        if table > 1:
            self.cell.setdefault(table - 1, []).extend(rows)
        else:
            self.lines += rows

    def insert(self, lines: list[Line], table: int) -> None:
        """Whole lines before the current one."""
        target = self.cell.setdefault(table, []) if table else self.lines
        target += lines

    def finish(self) -> list[Line]:
        """All lines, with whatever was left open."""
        if self.parts:
            self.end_line(max([*self.cell, *self.cells], default=0), soft=False)
        self._end_tables()
        return self.lines

    def _end_tables(self) -> None:
        """Rows that nothing closed."""
        for table in sorted({*self.cells, *self.cell}, reverse=True):
            if table in self.cells:
                self.end_row(table)
            elif table in self.cell:
                self.lines += self.cell.pop(table)


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
                flow.parts.append("- " if _BULLET.fullmatch(marker) else f"{marker} ")
        elif words and words not in self._seen:
            self._seen.add(words)
            if kind == "footer":
                self._footers.append(lines)
            else:
                flow.lines += [Line(""), *lines, Line("")]

    def write(self, builder: TextBuilder) -> None:
        """Footnotes and footers, after the body."""
        for number, note in enumerate(self.footnotes, 1):
            builder.line(f"[{number}] " + " ".join(line.text.strip() for line in note).strip())
        for footer in self._footers:
            builder.blank()
            for line in footer:
                builder.line(line.text)
