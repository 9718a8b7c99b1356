"""What a page draws beside words: ruled lines, pictures, and outlines that may be boxes to tick."""

import ctypes
from dataclasses import dataclass, field
from itertools import pairwise

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from fhir_adapter.text.pdf.place import IDENTITY, Matrix, Turn, finite, product

_MAX_OBJECTS = 100_000
_MAX_SEGMENTS = 200_000
_MAX_MARKS = 20_000
_MAX_OUTLINES = 2_000
_MAX_FORM_DEPTH = 8
_THIN = 3.0
_SHORTEST_RULE = 6.0
_SMALLEST_BOX, _LARGEST_BOX = 5.0, 18.0
_DARK = 300
Area = tuple[float, float, float, float]
"""Left, upper, right and lower end."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A ruled line: `at` on the one axis, from `start` to `end` on the other."""

    at: float
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Outline:
    """A small square or circle that is drawn as an outline; `dark`: it is filled so that it looks ticked."""

    area: Area
    is_round: bool
    dark: bool


@dataclass(slots=True)
class Shapes:
    """The drawing of one page.

    Attributes:
        outlines: what may be a box to tick.
        marks: places of other small shapes, which may be ticks in a box.
        pictured: share of the page in pictures.
    """

    horizontals: list[Rule] = field(default_factory=list)
    verticals: list[Rule] = field(default_factory=list)
    outlines: list[Outline] = field(default_factory=list)
    marks: list[Area] = field(default_factory=list)
    pictured: float = 0.0

    def add_rule(self, x: float, y: float, wide: float, high: float) -> None:
        """A line, given its middle and its extent on both axes."""
        if wide >= _SHORTEST_RULE and wide > high:
            self.horizontals.append(Rule(y, x - wide / 2, x + wide / 2))
        elif high >= _SHORTEST_RULE and high > wide:
            self.verticals.append(Rule(x, y - high / 2, y + high / 2))

    def add_frame(self, area: Area) -> None:
        """The four sides of an outline that is no box to tick."""
        left, top, right, bottom = area
        for y in (top, bottom):
            self.add_rule((left + right) / 2, y, right - left, 0.0)
        for x in (left, right):
            self.add_rule(x, (top + bottom) / 2, 0.0, bottom - top)


@dataclass(slots=True)
class _Paint:
    """How a path is painted."""

    stroked: bool
    filled: bool
    dark: bool


@dataclass(slots=True)
class _Subpath:
    """A piece of a path: its points (those that steer curves too), and how many of its parts are curves."""

    points: list[tuple[float, float]] = field(default_factory=list)
    curves: int = 0
    straight: list[tuple[float, float]] = field(default_factory=list)


def read_shapes(page: pdfium.PdfPage, turn: Turn) -> Shapes:
    """Ruled lines, small shapes and pictures, in form objects too."""
    shapes = Shapes()
    objects: list[tuple[object, Matrix, int]] = [
        (raw.FPDFPage_GetObject(page.raw, at), IDENTITY, 0)
        for at in range(min(raw.FPDFPage_CountObjects(page.raw), _MAX_OBJECTS))
    ]
    seen = segments = 0
    page_area = max(turn.width * turn.height, 1.0)
    matrix = raw.FS_MATRIX()
    while objects and seen < _MAX_OBJECTS and segments < _MAX_SEGMENTS:
        handle, outer, depth = objects.pop()
        seen += 1
        kind = raw.FPDFPageObj_GetType(handle)
        if kind not in (raw.FPDF_PAGEOBJ_PATH, raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_FORM):
            continue
        raw.FPDFPageObj_GetMatrix(handle, matrix)
        own = (matrix.a, matrix.b, matrix.c, matrix.d, matrix.e, matrix.f)
        whole = product(own, outer)
        if kind == raw.FPDF_PAGEOBJ_PATH:
            segments += _read_path(handle, whole, turn, shapes)
        elif kind == raw.FPDF_PAGEOBJ_IMAGE:
            share = abs(whole[0] * whole[3] - whole[1] * whole[2]) / page_area
            shapes.pictured += min(finite(share), 1.0)
        elif depth < _MAX_FORM_DEPTH:
            inner = min(max(raw.FPDFFormObj_CountObjects(handle), 0), _MAX_OBJECTS - seen)
            objects += [(raw.FPDFFormObj_GetObject(handle, at), whole, depth + 1) for at in range(inner)]
    return shapes


def _read_path(handle: object, matrix: Matrix, turn: Turn, shapes: Shapes) -> int:
    """The subpaths of one path; returns the number of its segments."""
    paint = _paint(handle)
    count = min(max(int(raw.FPDFPath_CountSegments(handle)), 0), _MAX_SEGMENTS)
    x, y = ctypes.c_float(), ctypes.c_float()
    subpath = _Subpath()
    for at in range(count):
        segment = raw.FPDFPath_GetPathSegment(handle, at)
        kind = raw.FPDFPathSegment_GetType(segment)
        if kind == raw.FPDF_SEGMENT_MOVETO and subpath.points:
            _end_subpath(subpath, paint, shapes)
            subpath = _Subpath()
        raw.FPDFPathSegment_GetPoint(segment, x, y)
        a, b, c, d, e, f = matrix
        point = turn.point(a * x.value + c * y.value + e, b * x.value + d * y.value + f)
        subpath.points.append(point)
        if kind == raw.FPDF_SEGMENT_BEZIERTO:
            _add_lines(subpath.straight, paint, shapes)
            subpath.curves += 1
            subpath.straight = [point]
        else:
            subpath.straight.append(point)
        if raw.FPDFPathSegment_GetClose(segment):
            subpath.straight.append(subpath.straight[0] if subpath.curves else subpath.points[0])
    _end_subpath(subpath, paint, shapes)
    return count


def _paint(handle: object) -> _Paint:
    mode, stroked = ctypes.c_int(), ctypes.c_int()
    raw.FPDFPath_GetDrawMode(handle, mode, stroked)
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    filled = mode.value != 0
    dark = False
    if filled and raw.FPDFPageObj_GetFillColor(handle, red, green, blue, alpha):
        dark = red.value + green.value + blue.value < _DARK and alpha.value > 0
    return _Paint(bool(stroked.value), filled, dark)


def _end_subpath(subpath: _Subpath, paint: _Paint, shapes: Shapes) -> None:
    """Small squares and circles are kept for later, other small shapes as possible ticks, lines as rules."""
    points = subpath.points
    if len(points) < 2:
        return
    area = _area(points)
    wide, high = area[2] - area[0], area[3] - area[1]
    small = max(wide, high) <= _LARGEST_BOX
    if small and min(wide, high) >= _SMALLEST_BOX and 0.8 <= wide / high <= 1.25:
        is_round = subpath.curves >= 12  # three points a curve, four curves
        square = not subpath.curves and len(points) in (4, 5) and _has_corners(points, area)
        if (is_round or square) and paint.stroked and len(shapes.outlines) < _MAX_OUTLINES:
            shapes.outlines.append(Outline(area, is_round, paint.dark))
            return
    if small and len(shapes.marks) < _MAX_MARKS and (paint.stroked or paint.dark):
        shapes.marks.append(area)
    _add_lines(subpath.straight, paint, shapes)


def _area(points: list[tuple[float, float]]) -> Area:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)


def _has_corners(points: list[tuple[float, float]], area: Area) -> bool:
    """All points stand in the corners of their area, and all corners are taken."""
    taken = set()
    for x, y in points:
        left, top = abs(x - area[0]) <= 1.0, abs(y - area[1]) <= 1.0
        if not (left or abs(x - area[2]) <= 1.0) or not (top or abs(y - area[3]) <= 1.0):
            return False
        taken.add((left, top))
    return len(taken) == 4


def _add_lines(points: list[tuple[float, float]], paint: _Paint, shapes: Shapes) -> None:
    """Axis-parallel strokes and thin filled boxes."""
    if len(points) < 2:
        return
    left, top, right, bottom = _area(points)
    if right - left <= _THIN or bottom - top <= _THIN:
        shapes.add_rule((left + right) / 2, (top + bottom) / 2, right - left, bottom - top)
    elif paint.stroked:
        for (x0, y0), (x1, y1) in pairwise(points):
            wide, high = abs(x1 - x0), abs(y1 - y0)
            if wide <= 1.0 or high <= 1.0:
                shapes.add_rule((x0 + x1) / 2, (y0 + y1) / 2, wide, high)
