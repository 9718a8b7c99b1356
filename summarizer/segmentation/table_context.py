"""What must be shown with a row of plain text: its caption, the names of its columns, the name of the row."""

from dataclasses import dataclass, field

from summarizer.segmentation import tables
from summarizer.segmentation.lines import Line
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

    def begin(self, columns: list[ContextSpan], first: Line) -> None:
        """A table begins with the row `first`."""
        self.open, self.columns, self._named = True, columns, None
        self._barred = first.text[0] == "|"

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

    def _goes_on(self, line: Line) -> bool:
        """Whether a row has no name of its own: its first cell is empty, or it begins under the second."""
        if tables.has_bars(line.text):
            return tables.row_name(line, barred=self._barred) is None
        above = self._named
        if above is None or line.indent <= above.indent + 3:
            return False
        return any(abs(above.indent + start - line.indent) < 3 for start in tables.gaps(above.text)[:1])
