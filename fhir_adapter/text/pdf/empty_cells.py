"""Rows without ruled lines that have empty cells: which column each of their words stands under.

Columns are seen from rows that are full: at least three of as many cells, parted by gutters that run down
through all of them. A line among them with fewer cells is a row too, where each of its cells stands in one
column and lines up with the cells of that column; so is one right above or below them that has two cells or
more. Where a line stands above at least three that line up with its cells, it is the head of a table of
which a column may be empty all the way down; two are enough where they hold mere marks. Whatever does not
line up is left as it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from fhir_adapter.text.lines import join_cells
from fhir_adapter.text.pdf.lines import Segment, TextLine

_LEAST_COLUMNS = 3
_LEAST_ROWS = 3
_MIN_GUTTER = 6.0
_ALIGNED = 2.5
"""Points by which cells of one column may stand apart, at their left, right or middle."""
_MOST_LINES = 300
"""A page of more lines is left as it is: each line is compared with those below it."""
_LONGEST_MARK = 3
_MARK = 9.0
"""Points by which a sign before a name may stand out to the left."""
_STEP = 3.2
"""Of the size: lines further apart than this are no rows of one table."""


@dataclass(frozen=True, slots=True)
class _Columns:
    """The columns of a table: the gutters between them, and where the cells of each begin, end and centre."""

    gutters: tuple[tuple[float, float], ...]
    lefts: tuple[float, ...]
    rights: tuple[float, ...]
    middles: tuple[float, ...]

    def places(self, line: TextLine) -> list[int]:
        """The column of each cell of a line; none if one lies across a gutter or lines up with nothing."""
        found = [self._column(segment) for segment in line.segments]
        return found if found[0] >= 0 and all(one < two for one, two in pairwise(found)) else []

    def _column(self, segment: Segment) -> int:
        at = sum(segment.x0 >= (left + right) / 2 for left, right in self.gutters)
        if at < len(self.gutters) and segment.x1 > self.gutters[at][1]:
            return -1
        middle = (segment.x0 + segment.x1) / 2
        apart = (segment.x0 - self.lefts[at], segment.x1 - self.rights[at], middle - self.middles[at])
        return at if min(map(abs, apart)) <= _ALIGNED else -1


def with_empty_cells(lines: Sequence[TextLine]) -> dict[int, str]:
    """The text of each line that is a row with empty cells, by its number: `| 08:00 | 5 mg`."""
    found: dict[int, str] = {}
    if len(lines) > _MOST_LINES:
        return found
    heads = [_rows_under(lines, at) for at in range(len(lines))]
    at = 0
    while at < len(lines):
        rows = heads[at]
        if rows:
            found.update(
                {row: _in_columns(lines[row], places) for row, places in rows.items() if _has_gap(places)}
            )
            at = max(rows) + 1
            continue
        end = _run(lines, at)
        end = next((below for below in range(at + 1, end) if heads[below]), end)
        full = _full_rows(lines, at, end)
        if full:
            found.update(_partial_rows(lines, full, at, end))
            end = full[-1] + 1
        at = end
    return found


def _has_gap(places: Sequence[int]) -> bool:
    """Whether a row has an empty cell before its last one."""
    return list(places) != list(range(len(places)))


def _in_columns(line: TextLine, places: Sequence[int]) -> str:
    """A row with its empty cells."""
    cells = [""] * (places[-1] + 1)
    for place, segment in zip(places, line.segments, strict=True):
        cells[place] = segment.text
    return join_cells(cells)


def _rows_under(lines: Sequence[TextLine], head: int) -> dict[int, list[int]]:
    """The rows that line up with the cells of a line, each with its columns; none if it heads no table.

    None either where every row has a cell under each of the first ones: then nothing has to be told.
    """
    names = lines[head].segments
    if len(names) < _LEAST_COLUMNS:
        return {}
    rows: dict[int, list[int]] = {}
    missed = 0
    for at in range(head + 1, len(lines)):
        line = lines[at]
        if line.y - lines[at - 1].y > _STEP * line.size * (2 if not rows else 1):
            break
        if len(line.segments) == 1:
            if line.x1 > names[2].x0:
                break
            continue
        places = _under(names, line.segments)
        missed += not places
        if missed > 1 + len(rows) // 10:
            break
        if places:
            rows[at] = places
    gaps = sum(map(_has_gap, rows.values()))
    least = _LEAST_ROWS if missed else _LEAST_ROWS - _are_marks(lines, rows)
    return rows if len(rows) >= least and gaps and missed <= len(rows) // 10 else {}


def _are_marks(lines: Sequence[TextLine], rows: Mapping[int, Sequence[int]]) -> bool:
    """Whether all cells behind the first are no more than marks, as under `Yes` and `No` on a form."""
    return all(len(cell.text) <= _LONGEST_MARK for at in rows for cell in lines[at].segments[1:])


def _under(names: Sequence[Segment], cells: Sequence[Segment]) -> list[int]:
    """The column of each cell by the names above it, one more behind the last; none if one is askew."""
    places: list[int] = []
    for cell in cells:
        found = next((at for at, name in enumerate(names) if _aligned(name, cell)), -1)
        if not places and found < 0 and abs(cell.x0 - names[0].x0) <= _MARK:
            found = 0
        behind = cell.x0 >= names[-1].x1 or (len(places) > 0 and places[-1] == len(names) - 1)
        if found < 0 and behind:
            found = len(names)
        if found < 0 or (places and found <= places[-1]):
            return []
        places.append(found)
    return places


def _aligned(name: Segment, cell: Segment) -> bool:
    middle = (cell.x0 + cell.x1 - name.x0 - name.x1) / 2
    return min(abs(name.x0 - cell.x0), abs(name.x1 - cell.x1), abs(middle)) <= _ALIGNED


def _run(lines: Sequence[TextLine], start: int) -> int:
    """The end of the lines from `start` on that follow each other closely."""
    end = start + 1
    while end < len(lines) and lines[end].y - lines[end - 1].y <= _STEP * lines[end].size:
        end += 1
    return end


def _full_rows(lines: Sequence[TextLine], start: int, end: int) -> list[int]:
    """The rows of the first table of a run that have a cell in each of its columns."""
    for first in range(start, end):
        count = len(lines[first].segments)
        if count < _LEAST_COLUMNS:
            continue
        gutters = _gaps(lines[first])
        rows = [first]
        for at in range(first + 1, end):
            if len(lines[at].segments) > count:
                break
            if len(lines[at].segments) == count:
                shared = [
                    (max(a, c), min(b, d)) for (a, b), (c, d) in zip(gutters, _gaps(lines[at]), strict=True)
                ]
                if any(right - left < _MIN_GUTTER for left, right in shared):
                    break
                gutters, rows = shared, [*rows, at]
            elif any(_crosses(segment, gutters) for segment in lines[at].segments):
                break
        if len(rows) >= _LEAST_ROWS:
            return rows
    return []


def _gaps(line: TextLine) -> list[tuple[float, float]]:
    return [(one.x1, two.x0) for one, two in pairwise(line.segments)]


def _crosses(segment: Segment, gutters: Sequence[tuple[float, float]]) -> bool:
    return any(segment.x0 < left and segment.x1 > right for left, right in gutters)


def _partial_rows(lines: Sequence[TextLine], full: Sequence[int], start: int, end: int) -> dict[int, str]:
    """The text of the rows among full ones, and right beside them in their run, that have fewer cells."""
    columns = _columns([lines[at] for at in full])
    bold = all(lines[at].bold for at in full)
    found: dict[int, str] = {}

    def is_row(at: int) -> bool:
        """Notes the text of a line if it is such a row and has an empty cell; says whether it is one."""
        line = lines[at]
        places = columns.places(line) if bold or not line.bold or len(line.segments) > 1 else []
        if _has_gap(places):
            found[at] = _in_columns(line, places)
        return bool(places)

    for at in sorted(set(range(full[0], full[-1])) - set(full)):
        is_row(at)
    for beside in (range(full[0] - 1, start - 1, -1), range(full[-1] + 1, end)):
        for at in beside:
            if len(lines[at].segments) < 2 or not is_row(at):
                break
    return found


def _columns(rows: Sequence[TextLine]) -> _Columns:
    gaps = [_gaps(row) for row in rows]
    gutters = tuple(
        (max(left for left, _ in column), min(right for _, right in column))
        for column in zip(*gaps, strict=True)
    )
    cells = list(zip(*(row.segments for row in rows), strict=True))
    return _Columns(
        gutters,
        tuple(median(cell.x0 for cell in column) for column in cells),
        tuple(median(cell.x1 for cell in column) for column in cells),
        tuple(median((cell.x0 + cell.x1) / 2 for cell in column) for column in cells),
    )
