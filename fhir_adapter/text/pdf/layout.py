"""A page in reading order: ruled tables row by row, columns one after the other, all else from the top.

Text in columns and a table without lines look alike: gaps that run down the page. Columns are columns when
their lines are prose; two are also when they are blocks that do not answer each other line by line. Whatever
else has gaps is read row by row, cells parted by ` | `.
"""

from bisect import bisect_left
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from fhir_adapter.text.lines import Line, LineKind
from fhir_adapter.text.pdf.empty_cells import with_empty_cells
from fhir_adapter.text.pdf.lines import Segment, TextLine, text_lines
from fhir_adapter.text.pdf.page import PageContent
from fhir_adapter.text.pdf.shapes import Shapes
from fhir_adapter.text.pdf.tables import take_tables
from fhir_adapter.text.pdf.wrapped_cells import whole_rows

_MIN_GUTTER = 9.0
_MIN_LINES = 3
_PROSE = 25
_MAX_DEPTH = 4
_MAX_TRIES = 300


@dataclass(frozen=True, slots=True)
class PageLine:
    """A line of the page's text, where it stands, and whether a blank line stands before it.

    Attributes:
        x1: its right end; 0 for lines of tables and at an angle.
        right: the right end of the longest line of its column.
        first: the width of its first word.
    """

    text: str
    y: float
    blank: bool = False
    kind: LineKind = LineKind.TEXT
    x1: float = 0.0
    right: float = 0.0
    first: float = 0.0

    def full_for(self, following: "PageLine") -> bool:
        """Whether it had no room left for the first word of the line that follows."""
        if not self.x1 or not following.x1:
            return False
        return max(self.right, following.right) - self.x1 < following.first


def page_lines(content: PageContent, shapes: Shapes) -> list[PageLine]:
    """The lines of a page in reading order; what stands at an angle comes last."""
    tables, words = take_tables(content, shapes)
    lines = text_lines(words)
    result: list[PageLine] = []
    at = 0
    for table in tables:
        upto = at
        while upto < len(lines) and lines[upto].y <= table.top + 2:
            upto += 1
        result += _flow(lines[at:upto], 0)
        at = upto
        result += _table(table.lines())
    result += _flow(lines[at:], 0)
    for at, text in enumerate(content.sideways):
        result.append(PageLine(text, content.height / 2, blank=at == 0))
    return result


def _table(rows: list[tuple[float, Line]]) -> list[PageLine]:
    return [PageLine(line.text, y, at == 0, line.kind) for at, (y, line) in enumerate(rows)]


def _flow(lines: list[TextLine], depth: int) -> list[PageLine]:
    """Lines from the top, with zones of several columns taken apart."""
    result: list[PageLine] = []
    lines = whole_rows(lines)
    pitch = _pitch(lines)
    right = max((line.x1 for line in lines), default=0.0)
    rows = with_empty_cells(lines)
    before: TextLine | None = None
    at = tries = 0
    while at < len(lines):
        parted = depth < _MAX_DEPTH and tries < _MAX_TRIES and len(lines[at].segments) > 1
        columns, end = _columns(lines, at) if parted else ([], at)
        tries += parted
        if columns:
            for column in columns:
                inner = _flow(column, depth + 1)
                result += [replace(line, blank=line.blank or not i) for i, line in enumerate(inner)]
            before = None
            at = end
            continue
        line = lines[at]
        blank = before is None or line.y - (before.bottom or before.y) > pitch(max(line.size, before.size))
        result.append(
            PageLine(rows.get(at, line.text), line.y, blank, x1=line.x1, right=right, first=line.first_width)
        )
        before = line
        at += 1
    return result


class _Pitch:
    """The distance of baselines above which a paragraph ends."""

    def __init__(self, typical: float) -> None:
        self._typical = typical

    def __call__(self, size: float) -> float:
        return max(1.35 * self._typical, 1.25 * size) if self._typical else 1.75 * size


def _pitch(lines: list[TextLine]) -> _Pitch:
    steps = [after.y - line.y for line, after in pairwise(lines)]
    close = [
        step for line, step in zip(lines, steps, strict=False) if 0.5 * line.size < step < 2.6 * line.size
    ]
    return _Pitch(median(close) if len(close) >= _MIN_LINES else 0.0)


def _columns(lines: list[TextLine], start: int) -> tuple[list[list[TextLine]], int]:
    """The columns of the zone that begins at `start` and where it ends; none if it is read row by row."""
    gutters, end = _zone(lines, start)
    if not gutters:
        return [], start
    columns = _part(lines[start:end], [(left + right) / 2 for left, right in gutters])
    if len(columns) < 2 or any(len(column) < _MIN_LINES for column in columns):
        return [], start
    prose = all(median(len(line.text) for line in column) >= _PROSE for column in columns)
    if prose or (len(columns) == 2 and _are_blocks(*columns)):
        return columns, end
    return [], start


def _zone(lines: list[TextLine], start: int) -> tuple[list[tuple[float, float]], int]:
    """Gutters that run down from line `start`, and the line after the last that they reach."""
    gutters = _gaps(lines[start].segments)
    end = last_parted = start + 1
    one_sided_after_gap = False
    while end < len(lines):
        line = lines[end]
        step = line.y - lines[end - 1].y
        narrowed = _narrowed(gutters, line.segments)
        if not narrowed or step > 4 * line.size:
            break
        parted = any(line.x0 < left and line.x1 > right for left, right in narrowed)
        one_sided_after_gap = not parted and (one_sided_after_gap or step > 1.8 * line.size)
        gutters = narrowed
        end += 1
        if parted or not one_sided_after_gap:
            last_parted = end
    return gutters, last_parted


def _gaps(segments: list[Segment]) -> list[tuple[float, float]]:
    gaps = [(one.x1, two.x0) for one, two in pairwise(segments)]
    return [(left, right) for left, right in gaps if right - left >= _MIN_GUTTER]


def _narrowed(gutters: list[tuple[float, float]], segments: list[Segment]) -> list[tuple[float, float]]:
    """What is left of each gutter beside the segments of one more line."""
    left_over: list[tuple[float, float]] = []
    for left, right in gutters:
        for segment in segments:
            if segment.x0 < right and segment.x1 > left:
                if segment.x0 <= left:
                    left = segment.x1
                else:
                    right = min(right, segment.x0)
        if right - left >= _MIN_GUTTER:
            left_over.append((left, right))
    return left_over


def _part(lines: list[TextLine], places: list[float]) -> list[list[TextLine]]:
    """The lines of each column between the gutters at `places`."""
    columns: list[list[TextLine]] = [[] for _ in range(len(places) + 1)]
    for line in lines:
        for number, column in enumerate(columns):
            left = places[number - 1] if number else float("-inf")
            right = places[number] if number < len(places) else float("inf")
            own = [segment for segment in line.segments if left <= (segment.x0 + segment.x1) / 2 < right]
            if own:
                column.append(TextLine(own, line.y, line.size, line.bold))
    return columns


def _are_blocks(left: list[TextLine], right: list[TextLine]) -> bool:
    """Whether two columns that are no prose are still two blocks of text, and not labels and their values.

    They are when many lines of both stand on baselines of their own, or of one and both hold `Label: value`.
    """
    if any(sum(len(line.segments) > 1 for line in column) > 0.3 * len(column) for column in (left, right)):
        return False
    if sum(line.text.endswith(":") for line in left) > 0.6 * len(left):
        return False
    alone = sorted((_alone(left, right), _alone(right, left)))
    labelled = all(sum(":" in line.text for line in column) >= 0.4 * len(column) for column in (left, right))
    return alone[0] >= 0.25 or (labelled and alone[1] >= 0.3)


def _alone(column: list[TextLine], other: list[TextLine]) -> float:
    """The share of lines that have no partner on their baseline."""
    places = sorted(line.segments[0].y for line in other)
    lonely = 0
    for line in column:
        place, near = line.segments[0].y, 0.08 * line.size
        at = bisect_left(places, place - near)
        lonely += at == len(places) or places[at] > place + near
    return lonely / len(column)
