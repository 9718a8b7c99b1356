"""What PDFium knows of one page: words with their places, ruled lines, and how much of it is picture.

Coordinates are points in the upright page, y growing downwards. A word's height is its font size and its
place the baseline, so that nothing depends on which substitute font PDFium finds on a machine.
"""

import ctypes
import math
from dataclasses import dataclass, field
from itertools import pairwise

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from fhir_adapter.errors import NoteError
from fhir_adapter.reasons import Reason
from fhir_adapter.text.symbols import from_symbol_font, symbol_font

MAX_CHARACTERS = 200_000
_MAX_OBJECTS = 100_000
_MAX_SEGMENTS = 200_000
_MAX_FORM_DEPTH = 8
_UPRIGHT = math.radians(4)
_SPOT = 4.0
_FARTHEST = 1e6
_THIN = 3.0
_SHORTEST_RULE = 6.0
_HYPHENS = frozenset({0x02, 0xAD, 0xFFFE})
_LIGATURES = {
    0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl", 0xFB05: "st", 0xFB06: "st",
}  # fmt: skip
_Matrix = tuple[float, float, float, float, float, float]
_IDENTITY: _Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


@dataclass(slots=True)
class Word:
    """Characters without white space; `y` is the baseline, `spaced` that white space stands before it."""

    text: str
    x0: float
    x1: float
    y: float
    size: float
    spaced: bool = True


@dataclass(frozen=True, slots=True)
class Rule:
    """A ruled line: `at` on the one axis, from `start` to `end` on the other."""

    at: float
    start: float
    end: float


@dataclass(slots=True)
class PageContent:
    """One page as read. `sideways`: lines of text at an angle; `pictured`: share of the area in pictures."""

    width: float
    height: float
    words: list[Word] = field(default_factory=list)
    sideways: list[str] = field(default_factory=list)
    horizontals: list[Rule] = field(default_factory=list)
    verticals: list[Rule] = field(default_factory=list)
    pictured: float = 0.0

    @property
    def characters(self) -> int:
        """Characters of text."""
        return sum(len(word.text) for word in self.words) + sum(len(line) for line in self.sideways)


def read_page(page: pdfium.PdfPage) -> PageContent:
    """The content of a page, turned upright.

    Raises:
        NoteError: `too-large` for a page of more than `MAX_CHARACTERS` characters.
    """
    turn = _Turn(page)
    content = PageContent(turn.width, turn.height)
    text = page.get_textpage()
    try:
        _read_words(text, turn, content)
    finally:
        text.close()
    objects = [
        (raw.FPDFPage_GetObject(page.raw, at), _IDENTITY, 0)
        for at in range(min(raw.FPDFPage_CountObjects(page.raw), _MAX_OBJECTS))
    ]
    _read_objects(objects, turn, content)
    return content


class _Turn:
    """From a page's own coordinates to the upright page's."""

    def __init__(self, page: pdfium.PdfPage) -> None:
        left, bottom, right, top = (_finite(place) for place in page.get_bbox())
        self._left, self._bottom, self._right, self._top = left, bottom, right, top
        self.rotation = page.get_rotation() % 360
        wide, high = right - left, top - bottom
        self.width, self.height = (high, wide) if self.rotation in (90, 270) else (wide, high)

    def point(self, x: float, y: float) -> tuple[float, float]:
        x, y = _finite(x), _finite(y)
        if self.rotation == 90:
            return y - self._bottom, x - self._left
        if self.rotation == 180:
            return self._right - x, y - self._bottom
        if self.rotation == 270:
            return self._top - y, self._right - x
        return x - self._left, self._top - y

    def upright(self, angle: float) -> bool:
        """Whether text at this angle (radians, counter-clockwise) runs left to right for the reader."""
        turned = (angle - math.radians(self.rotation)) % (2 * math.pi)
        return turned < _UPRIGHT or turned > 2 * math.pi - _UPRIGHT


class _WordBuilder:
    """Characters in PDFium's order become words; one drawn twice on a spot (bold, tiles) counts once."""

    def __init__(self, words: list[Word]) -> None:
        self._words = words
        self._word: Word | None = None
        self._space: tuple[float, float] | None = None
        self._drawn: dict[tuple[str, int, int], list[tuple[float, float]]] = {}

    def end_word(self, space: tuple[float, float] | None = None) -> None:
        """Ends the word; `space` is the place of a space that the file itself holds."""
        self._word = None
        self._space = space or self._space

    def add(self, text: str, x0: float, x1: float, y: float, size: float) -> None:
        if self._is_drawn(text, x0, y, 0.12 * size):
            return
        word = self._word
        if word is not None:
            near = -0.4 * size <= x0 - word.x1 <= 0.25 * size and abs(y - word.y) <= 0.1 * size
            if near and 0.8 <= size / word.size <= 1.25:
                word.text += text
                word.x1 = max(x1, word.x1)
                return
        space = self._space
        spaced = space is not None and abs(space[1] - y) <= 0.1 * size and abs(space[0] - x0) <= 0.7 * size
        self._word = Word(text, x0, x1, y, size, spaced)
        self._words.append(self._word)
        self._space = None

    def _is_drawn(self, text: str, x: float, y: float, near: float) -> bool:
        column, row = int(x // _SPOT), int(y // _SPOT)
        for beside in (column, column - 1, column + 1):
            for above in (row, row - 1, row + 1):
                for other_x, other_y in self._drawn.get((text, beside, above), ()):
                    if abs(other_x - x) <= near and abs(other_y - y) <= near:
                        return True
        self._drawn.setdefault((text, column, row), []).append((x, y))
        return False


def _read_words(text: pdfium.PdfTextPage, turn: _Turn, content: PageContent) -> None:
    handle = text.raw
    count = text.count_chars()
    if count > MAX_CHARACTERS:
        raise NoteError(Reason.TOO_LARGE, f"more than {MAX_CHARACTERS} characters on a page")
    builder = _WordBuilder(content.words)
    slanted: list[str] = []
    box, x, y = raw.FS_RECTF(), ctypes.c_double(), ctypes.c_double()

    def place(at: int) -> tuple[float, float, float, float]:
        """Left and right end, baseline, and size of a character."""
        raw.FPDFText_GetLooseCharBox(handle, at, box)
        raw.FPDFText_GetCharOrigin(handle, at, x, y)
        _, baseline = turn.point(x.value, y.value)
        (x0, y0), (x1, y1) = turn.point(box.left, box.bottom), turn.point(box.right, box.top)
        return min(x0, x1), max(x0, x1), baseline, max(abs(y1 - y0), 1.0)

    for at in range(count):
        code = raw.FPDFText_GetUnicode(handle, at)
        generated = raw.FPDFText_IsGenerated(handle, at) == 1
        if code in _HYPHENS:
            code = 0x2D
        elif code <= 0x20 or code == 0xA0 or generated:
            builder.end_word(None if generated else (place(at)[0], place(at)[2]))
            slanted.append("\n" if code in (0x0A, 0x0D) else " ")
            continue
        characters = _characters(handle, at, code)
        angle = raw.FPDFText_GetCharAngle(handle, at)
        if angle >= 0 and not turn.upright(angle):
            builder.end_word()
            slanted.append(characters)
            continue
        slanted.append("")
        x0, x1, baseline, size = place(at)
        builder.add(characters, x0, x1, baseline, size)
    content.sideways = [
        line for line in (" ".join(part.split()) for part in "".join(slanted).split("\n")) if line
    ]


def _characters(handle: object, at: int, code: int) -> str:
    if code in _LIGATURES:
        return _LIGATURES[code]
    if 0xF000 <= code <= 0xF0FF:
        name, flags = ctypes.create_string_buffer(128), ctypes.c_int()
        raw.FPDFText_GetFontInfo(handle, at, name, 128, flags)
        font = name.value.decode("utf-8", "replace").rpartition("+")[2]
        return from_symbol_font(symbol_font(font) or "symbol", code)
    return chr(code) if code <= 0x10FFFF else "\ufffd"


def _read_objects(objects: list[tuple[object, _Matrix, int]], turn: _Turn, content: PageContent) -> None:
    """Ruled lines and pictures, in form objects too."""
    seen = segments = 0
    area = max(turn.width * turn.height, 1.0)
    matrix = raw.FS_MATRIX()
    while objects and seen < _MAX_OBJECTS and segments < _MAX_SEGMENTS:
        handle, outer, depth = objects.pop()
        seen += 1
        kind = raw.FPDFPageObj_GetType(handle)
        if kind not in (raw.FPDF_PAGEOBJ_PATH, raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_FORM):
            continue
        raw.FPDFPageObj_GetMatrix(handle, matrix)
        own = (matrix.a, matrix.b, matrix.c, matrix.d, matrix.e, matrix.f)
        whole = _product(own, outer)
        if kind == raw.FPDF_PAGEOBJ_PATH:
            segments += _read_path(handle, whole, turn, content)
        elif kind == raw.FPDF_PAGEOBJ_IMAGE:
            content.pictured += min(_finite(abs(whole[0] * whole[3] - whole[1] * whole[2]) / area), 1.0)
        elif depth < _MAX_FORM_DEPTH:
            inner = min(max(raw.FPDFFormObj_CountObjects(handle), 0), _MAX_OBJECTS - seen)
            objects += [(raw.FPDFFormObj_GetObject(handle, at), whole, depth + 1) for at in range(inner)]


def _read_path(handle: object, matrix: _Matrix, turn: _Turn, content: PageContent) -> int:
    """Axis-parallel strokes and thin filled boxes of one path; returns the number of its segments."""
    mode, stroked = ctypes.c_int(), ctypes.c_int()
    raw.FPDFPath_GetDrawMode(handle, mode, stroked)
    count = min(max(int(raw.FPDFPath_CountSegments(handle)), 0), _MAX_SEGMENTS)
    x, y = ctypes.c_float(), ctypes.c_float()
    subpath: list[tuple[float, float]] = []
    for at in range(count):
        segment = raw.FPDFPath_GetPathSegment(handle, at)
        kind = raw.FPDFPathSegment_GetType(segment)
        if kind == raw.FPDF_SEGMENT_MOVETO and subpath:
            _add_subpath(subpath, bool(stroked.value), content)
            subpath = []
        raw.FPDFPathSegment_GetPoint(segment, x, y)
        a, b, c, d, e, f = matrix
        point = turn.point(a * x.value + c * y.value + e, b * x.value + d * y.value + f)
        if kind == raw.FPDF_SEGMENT_BEZIERTO:
            _add_subpath(subpath, bool(stroked.value), content)
            subpath = [point]
        else:
            subpath.append(point)
        if raw.FPDFPathSegment_GetClose(segment) and subpath:
            subpath.append(subpath[0])
    _add_subpath(subpath, bool(stroked.value), content)
    return count


def _add_subpath(points: list[tuple[float, float]], stroked: bool, content: PageContent) -> None:
    if len(points) < 2:
        return
    left, right = min(p[0] for p in points), max(p[0] for p in points)
    top, bottom = min(p[1] for p in points), max(p[1] for p in points)
    if right - left <= _THIN or bottom - top <= _THIN:
        _add_rule((left + right) / 2, (top + bottom) / 2, right - left, bottom - top, content)
    elif stroked:
        for (x0, y0), (x1, y1) in pairwise(points):
            wide, high = abs(x1 - x0), abs(y1 - y0)
            if wide <= 1.0 or high <= 1.0:
                _add_rule((x0 + x1) / 2, (y0 + y1) / 2, wide, high, content)


def _add_rule(x: float, y: float, wide: float, high: float, content: PageContent) -> None:
    if wide >= _SHORTEST_RULE and wide > high:
        content.horizontals.append(Rule(y, x - wide / 2, x + wide / 2))
    elif high >= _SHORTEST_RULE and high > wide:
        content.verticals.append(Rule(x, y - high / 2, y + high / 2))


def _finite(place: float) -> float:
    """Damaged files place things nowhere, or light years away."""
    return min(max(place, -_FARTHEST), _FARTHEST) if math.isfinite(place) else 0.0


def _product(first: _Matrix, then: _Matrix) -> _Matrix:
    a, b, c, d, e, f = first
    g, h, i, j, k, m = then
    return (
        a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m,
    )  # fmt: skip
