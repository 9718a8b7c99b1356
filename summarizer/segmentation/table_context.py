"""What must be shown with a row of plain text: its caption, the names of its columns, the name of the row."""

from dataclasses import dataclass, field

from summarizer.segmentation import tables
from summarizer.segmentation.lines import Line
from summarizer.segmentation.tables import NEAR
from summarizer.types import ContextKind, ContextSpan


@dataclass(slots=True)
class TableContext:
    """The table in hand.

    Attributes:
        open: a row of it stands right above.
        columns: its caption and the row that names its columns.
    """

    open: bool = False
    columns: list[ContextSpan] = field(default_factory=list)
    _barred: bool = False
    _named: Line | None = None
    _heads: Line | None = None

    def begin(self, columns: list[ContextSpan], first: Line) -> None:
        """A table begins with the row `first`."""
        self.open, self.columns, self._named = True, columns, None
        self._barred = first.text[0] == "|"
        named = any(piece.kind is ContextKind.COLUMN and piece.start == first.start for piece in columns)
        self._heads = first if named else None

    def end(self) -> None:
        """What follows is no row of the table."""
        if not self.open:
            return
        self.open, self.columns, self._named = False, [], None

    def row(self, line: Line) -> tuple[ContextSpan, ...]:
        """The name of the row above, for a row whose first cell is empty: the statement goes on there."""
        if any(piece.start == line.start for piece in self.columns):
            return ()
        if not self._goes_on(line):
            self._named = line
            return ()
        above = None if self._named is None else tables.row_name(self._named, barred=self._barred)
        if self._named is None or above is None:
            return ()
        start = self._named.start
        return (ContextSpan(start + above[0], start + above[1], ContextKind.ROW),)

    def rest_of_cells(self, line: Line) -> list[tuple[int, int, tuple[ContextSpan, ...]]]:
        """The words of a line that are the rest of cells of the row above; each with its cell and its head.

        Empty where one of them is none, and where bars part cells.
        """
        row = self._named
        if (
            row is None
            or line.after_blank
            or not line.text[0].isalnum()
            or tables.has_bars(line.text + row.text)
        ):
            return []
        rest = []
        over = tables.places(row)
        for start, end in tables.places(line):
            column = line.indent + start
            at = next((k for k, cell in enumerate(over) if abs(row.indent + cell[0] - column) < NEAR), None)
            if at is None or (at + 1 < len(over) and line.indent + end >= row.indent + over[at + 1][0]):
                return []
            cell = ContextSpan(row.start + over[at][0], row.start + over[at][1], ContextKind.ROW)
            if not tables.goes_on(line.text[start:end], row.text[over[at][0] : over[at][1]]):
                return []
            rest.append((line.start + start, line.start + end, (*self._head_over(column), cell)))
        return rest

    def _head_over(self, column: int) -> list[ContextSpan]:
        """The caption, and the head of the column; the whole row of heads where none stands there."""
        if self._heads is None:
            return self.columns
        for start, end in tables.places(self._heads):
            if abs(self._heads.indent + start - column) < NEAR:
                head = ContextSpan(self._heads.start + start, self._heads.start + end, ContextKind.COLUMN)
                return [*(piece for piece in self.columns if piece.kind is ContextKind.CAPTION), head]
        return self.columns

    def _goes_on(self, line: Line) -> bool:
        """Whether a row has no name of its own: its first cell is empty, or it begins under the second."""
        if tables.has_bars(line.text):
            return tables.row_name(line, barred=self._barred) is None
        above = self._named
        if above is None or line.indent <= above.indent + 3:
            return False
        return any(abs(above.indent + start - line.indent) < 3 for start in tables.gaps(above.text)[:1])
