"""Rows without ruled lines of which a cell goes on below or begins above: they become one line.

Such a piece stands alone on its line, in one column of the rows around it, and nearer to its row than any two
rows of the table are to each other. Where rows stand as near as that, nothing tells a piece from a row.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from fhir_adapter.text.pdf.lines import Segment, TextLine, join_wrapped

_LEAST_CELLS = 3
_LEAST_STEPS = 3
_NEARER = 0.85
"""Of the smallest step between rows: what is nearer is a piece of one."""
_APART = 3.2
"""Of the size: lines further apart than this are not of one table."""
_ALIGNED = 2.5
_MARK = 9.0
"""Points by which a sign before a name may stand out to the left."""
_MIN_GUTTER = 6.0
_AS_LARGE = 1.15


def whole_rows(lines: Sequence[TextLine]) -> list[TextLine]:
    """The lines of a page or column, the pieces of a row's cell brought together on that row's line."""
    whole: list[TextLine] = []
    start = 0
    while start < len(lines):
        end = start + 1
        while end < len(lines) and lines[end].y - lines[end - 1].y <= _APART * lines[end].size:
            end += 1
        whole += _joined(lines[start:end])
        start = end
    return whole


def _joined(lines: Sequence[TextLine]) -> list[TextLine]:
    """The lines of one run."""
    near = _NEARER * _row_step(lines)
    joined: list[TextLine] = []
    at = 0
    while at < len(lines):
        end = at + 1
        while end < len(lines) and lines[end].y - lines[end - 1].y < near:
            end += 1
        group = lines[at:end]
        around = [*lines[max(0, at - 1) : at], *lines[end : end + 1]]
        row = _row(group, around) if len(group) > 1 else None
        joined += group if row is None else [row]
        at = end
    return joined


def _row_step(lines: Sequence[TextLine]) -> float:
    """The smallest step from a row to the next; 0 where there are too few of them."""
    steps = [
        below.y - line.y
        for line, below in pairwise(lines)
        if min(len(line.segments), len(below.segments)) >= _LEAST_CELLS
    ]
    return min(steps) if len(steps) >= _LEAST_STEPS else 0.0


def _row(group: Sequence[TextLine], around: Sequence[TextLine]) -> TextLine | None:
    """The row that lines make together which stand near each other; None if they make none."""
    host = max(group, key=lambda line: len(line.segments))
    model = max([host, *around], key=lambda line: len(line.segments))
    if len(model.segments) < _LEAST_CELLS or (len(host.segments) == 1 and len(around) < 2):
        return None
    cells: dict[int, list[Segment]] = {}
    for line in group:
        if line.size > _AS_LARGE * host.size or (line is not host and len(line.segments) > 1):
            return None
        for segment in line.segments:
            place = _column(model.segments, segment)
            if place < 0:
                return None
            cells.setdefault(place, []).append(segment)
    segments = [_cell(cells[place]) for place in sorted(cells)]
    bold = all(line.bold for line in group)
    return replace(host, segments=segments, bold=bold, y=group[0].y, bottom=group[-1].y)


def _column(cells: Sequence[Segment], segment: Segment) -> int:
    """Which cell a segment stands under or above; -1 if none, or if it reaches into the next."""
    for at, cell in enumerate(cells):
        apart = segment.x0 - cell.x0
        middle = (segment.x0 + segment.x1 - cell.x0 - cell.x1) / 2
        lined = min(abs(apart), abs(segment.x1 - cell.x1), abs(middle)) <= _ALIGNED
        if lined or (at == 0 and abs(apart) <= _MARK):
            free = at + 1 == len(cells) or segment.x1 <= cells[at + 1].x0 - _MIN_GUTTER
            return at if free else -1
    return -1


def _cell(pieces: Sequence[Segment]) -> Segment:
    """The pieces of a cell, which are in their order, as one."""
    first = pieces[0]
    text = first.text
    for piece in pieces[1:]:
        text = join_wrapped(text, piece.text)
    return replace(
        first, text=text, x0=min(piece.x0 for piece in pieces), x1=max(piece.x1 for piece in pieces)
    )
