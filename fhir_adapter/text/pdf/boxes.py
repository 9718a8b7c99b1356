"""Boxes to tick that a page draws, and lines through words: what drawing says of the words beside it."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from fhir_adapter.text.notation import box, radio
from fhir_adapter.text.pdf.page import PageContent, Word
from fhir_adapter.text.pdf.shapes import Area, Outline, Rule, Shapes

_TICKS = frozenset("xX✓✔✗✘✕✖●•■*/☑☒√")
_LABEL_NEAR = 40.0
_SMALLEST_TICK = 0.25
_GRID = 20.0
_MAX_RULES = 2_000
_MAX_LOOKS = 2_000_000


class Rows:
    """Words by their baselines."""

    def __init__(self, words: Iterable[Word]) -> None:
        self._words = sorted(words, key=lambda word: word.y)
        self._places = [word.y for word in self._words]

    def between(self, top: float, bottom: float) -> list[Word]:
        """Words whose baseline lies between two heights."""
        return self._words[bisect_left(self._places, top) : bisect_right(self._places, bottom)]


def take_boxes(content: PageContent, shapes: Shapes, fields: list[Area]) -> None:
    """Puts `[x]` or `[ ]` where an outline beside a label is a box; other outlines become rules.

    Args:
        content: of the page; words that are the tick of a box are taken out.
        shapes: the drawing of the page.
        fields: places of form fields, whose frames are no boxes of their own.
    """
    outlines = _distinct(shapes.outlines)
    rows, marks = Rows(content.words), _Marks(shapes.marks)
    ticks: set[int] = set()
    found: list[Word] = []
    for outline in outlines:
        if any(_meets(outline.area, field) for field in fields):
            continue
        inside = [word for word in _near(rows, outline.area) if _holds(outline.area, word)]
        label = _label(rows, outline.area, inside)
        drawn = any(len(word.text) > 1 or word.text not in _TICKS for word in inside)
        if label is None or drawn or _in_a_row(outline, outlines):
            if not outline.is_round:
                shapes.add_frame(outline.area)
            continue
        ticked = bool(inside) or outline.dark or marks.tick(outline.area)
        ticks |= {id(word) for word in inside}
        left, top, right, bottom = outline.area
        words = (radio if outline.is_round else box)(ticked)
        found.append(Word(words, left, right, label.y, min(label.size, 1.2 * (bottom - top))))
    content.words = [word for word in content.words if id(word) not in ticks] + found


def strike_out(content: PageContent, shapes: Shapes, struck: list[Area]) -> None:
    """Marks words that a line goes through, by drawing or by an annotation; such a line is no rule.

    Args:
        content: of the page.
        shapes: the drawing of the page.
        struck: places of strike-out annotations.
    """
    rows = Rows(content.words)
    largest = max((word.size for word in content.words), default=0.0)
    kept: list[Rule] = []
    looks = 0
    for number, rule in enumerate(shapes.horizontals):
        near = rows.between(rule.at, rule.at + 0.5 * largest) if number < _MAX_RULES else []
        looks += len(near)
        through = [word for word in near if _goes_through(rule, word)] if looks < _MAX_LOOKS else []
        if through and _ends_with(rule, through):
            for word in through:
                word.struck = True
        else:
            kept.append(rule)
    shapes.horizontals = kept
    for area in struck:
        for word in _near(rows, area):
            middle = (word.x0 + word.x1) / 2
            if area[0] <= middle <= area[2] and area[1] <= word.y - 0.3 * word.size <= area[3]:
                word.struck = True


def _goes_through(rule: Rule, word: Word) -> bool:
    """The line lies between baseline and capitals, over most of the word."""
    above = word.y - rule.at
    covered = min(word.x1, rule.end) - max(word.x0, rule.start)
    return 0.12 * word.size <= above <= 0.45 * word.size and covered >= 0.6 * (word.x1 - word.x0)


def _ends_with(rule: Rule, words: list[Word]) -> bool:
    """The line is about as long as the words: a rule of a table or of the page goes further."""
    size = max(word.size for word in words)
    left, right = min(word.x0 for word in words), max(word.x1 for word in words)
    return rule.start >= left - 1.2 * size and rule.end <= right + 1.2 * size


def _near(rows: Rows, area: Area) -> list[Word]:
    high = area[3] - area[1]
    return rows.between(area[1], area[3] + max(high, 6.0))


def _holds(area: Area, word: Word) -> bool:
    x, y = (word.x0 + word.x1) / 2, word.y - 0.3 * word.size
    return area[0] - 1 <= x <= area[2] + 1 and area[1] - 1 <= y <= area[3] + 1


def _label(rows: Rows, area: Area, inside: list[Word]) -> Word | None:
    """The word next to a box on its line, the one behind it before the one in front."""
    middle = (area[1] + area[3]) / 2
    beside: list[tuple[float, Word]] = []
    for word in _near(rows, area):
        if word in inside or abs(word.y - 0.3 * word.size - middle) > 0.7 * max(word.size, area[3] - area[1]):
            continue
        if -2.0 <= word.x0 - area[2] <= _LABEL_NEAR:
            beside.append((word.x0 - area[2], word))
        elif -2.0 <= area[0] - word.x1 <= _LABEL_NEAR:
            beside.append((_LABEL_NEAR + area[0] - word.x1, word))
    return min(beside, key=lambda each: each[0])[1] if beside else None


class _Marks:
    """Small shapes by where they stand."""

    def __init__(self, marks: list[Area]) -> None:
        self._cells: dict[tuple[int, int], list[tuple[float, float, float]]] = {}
        for left, top, right, bottom in marks:
            x, y = (left + right) / 2, (top + bottom) / 2
            self._cells.setdefault(_cell(x, y), []).append((x, y, max(right - left, bottom - top)))

    def tick(self, area: Area) -> bool:
        """Whether one has its middle in the box and is large enough to be seen."""
        seen = _SMALLEST_TICK * (area[2] - area[0])
        return any(
            side >= seen and area[0] < x < area[2] and area[1] < y < area[3]
            for cell in _around((area[0] + area[2]) / 2, (area[1] + area[3]) / 2)
            for x, y, side in self._cells.get(cell, ())
        )


def _cell(x: float, y: float) -> tuple[int, int]:
    return int(x // _GRID), int(y // _GRID)


def _around(x: float, y: float) -> list[tuple[int, int]]:
    column, row = _cell(x, y)
    return [(column + i, row + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]


def _distinct(outlines: list[Outline]) -> list[Outline]:
    """Outlines in reading order; of those drawn twice, or one in the other, the outer one."""
    kept: list[Outline] = []
    ordered = sorted(outlines, key=lambda each: each.area[2] - each.area[0], reverse=True)
    grid: dict[tuple[int, int], list[int]] = {}
    for outline in ordered:
        x, y = (outline.area[0] + outline.area[2]) / 2, (outline.area[1] + outline.area[3]) / 2
        same = next(
            (at for key in _around(x, y) for at in grid.get(key, ()) if _encloses(kept[at], x, y)), None
        )
        if same is None:
            grid.setdefault(_cell(x, y), []).append(len(kept))
            kept.append(outline)
        elif outline.dark:
            kept[same] = Outline(kept[same].area, kept[same].is_round, dark=True)
    return sorted(kept, key=lambda each: (each.area[1], each.area[0]))


def _encloses(outline: Outline, x: float, y: float) -> bool:
    left, top, right, bottom = outline.area
    return left < x < right and top < y < bottom


def _in_a_row(outline: Outline, outlines: list[Outline]) -> bool:
    """It touches another one at its side: the cells of a number or date to be written letter by letter."""
    left, top, right, bottom = outline.area
    for other in outlines:
        if other is outline or min(bottom, other.area[3]) - max(top, other.area[1]) < 0.7 * (bottom - top):
            continue
        if abs(other.area[0] - right) <= 1.5 or abs(other.area[2] - left) <= 1.5:
            return True
    return False


def _meets(one: Area, other: Area) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
