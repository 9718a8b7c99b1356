"""Tables that a page draws with ruled lines: a grid, cells merged where no line parts them, rows as lines."""

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field

from fhir_adapter.text.lines import Cell, Line, row_lines, table_rows
from fhir_adapter.text.pdf.lines import cell_lines
from fhir_adapter.text.pdf.page import PageContent, Word
from fhir_adapter.text.pdf.shapes import Rule, Shapes

_NEAR = 3.0
_ONE_LINE = 1.5
"""Points by which pieces of one line may stand apart."""
_MAX_RULES = 1_500
_MAX_CELLS = 20_000


@dataclass(slots=True)
class Table:
    """A grid between `xs` and `ys`; `first` maps a cell to the first cell of the region it is merged into."""

    xs: list[float]
    ys: list[float]
    first: dict[tuple[int, int], tuple[int, int]]
    words: dict[tuple[int, int], list[Word]] = field(default_factory=lambda: defaultdict(list))

    @property
    def top(self) -> float:
        """Where it begins on the page."""
        return self.ys[0]

    def region(self, word: Word) -> tuple[int, int] | None:
        """The region a word stands in, by its middle; None outside."""
        x, y = (word.x0 + word.x1) / 2, word.y - 0.3 * word.size
        column, row = bisect_right(self.xs, x) - 1, bisect_right(self.ys, y) - 1
        if 0 <= column < len(self.xs) - 1 and 0 <= row < len(self.ys) - 1:
            return self.first[row, column]
        return None

    def lines(self) -> list[tuple[float, Line]]:
        """Its rows in order, each with its place on the page."""
        rows: list[list[Line]] = []
        bold: list[bool] = []
        for row in range(len(self.ys) - 1):
            cells: list[Cell] = []
            for column in range(len(self.xs) - 1):
                region = self.first[row, column]
                words = self.words.get(region, []) if region == (row, column) else []
                cells.append(Cell(cell_lines(words, self._right(region))))
            rows.append(row_lines(cells))
            bold.append(all(cell.bold for cell in cells if cell.lines))
        named = iter(table_rows(rows, bold))
        return [(self.ys[at + 1], next(named)) for at, row in enumerate(rows) for _ in row]

    def _right(self, region: tuple[int, int]) -> float:
        row, column = region
        while column + 2 < len(self.xs) and self.first[row, column + 1] == region:
            column += 1
        return self.xs[column + 1]


def take_tables(content: PageContent, shapes: Shapes) -> tuple[list[Table], list[Word]]:
    """The ruled tables of a page with their words, from the top, and the words outside them."""
    tables = _without_frames(_grids(shapes))
    free: list[Word] = []
    for word in content.words:
        for table in tables:
            region = table.region(word)
            if region is not None:
                table.words[region].append(word)
                break
        else:
            free.append(word)
    kept = []
    for table in tables:
        if len(table.words) > 1:
            kept.append(table)
        else:
            free += [word for words in table.words.values() for word in words]
    return sorted(kept, key=lambda table: table.top), free


def _grids(shapes: Shapes) -> list[Table]:
    horizontals, verticals = _merged(shapes.horizontals), _merged(shapes.verticals)
    if not (2 <= len(horizontals) <= _MAX_RULES and 2 <= len(verticals) <= _MAX_RULES):
        return []
    parent = list(range(len(horizontals) + len(verticals)))

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at

    for i, flat in enumerate(horizontals):
        for j, steep in enumerate(verticals):
            meets_x = flat.start - _NEAR <= steep.at <= flat.end + _NEAR
            if meets_x and steep.start - _NEAR <= flat.at <= steep.end + _NEAR:
                parent[root(i)] = root(len(horizontals) + j)
    groups: dict[int, tuple[list[Rule], list[Rule]]] = defaultdict(lambda: ([], []))
    for i, flat in enumerate(horizontals):
        groups[root(i)][0].append(flat)
    for j, steep in enumerate(verticals):
        groups[root(len(horizontals) + j)][1].append(steep)
    grids = [_grid(flats, steeps) for flats, steeps in groups.values() if len(flats) > 1 and steeps]
    return [grid for grid in grids if grid is not None]


def _grid(flats: list[Rule], steeps: list[Rule]) -> Table | None:
    ends_x = [end for rule in flats for end in (rule.start, rule.end)]
    ends_y = [end for rule in steeps for end in (rule.start, rule.end)]
    xs = _distinct([rule.at for rule in steeps] + [min(ends_x), max(ends_x)])
    ys = _distinct([rule.at for rule in flats] + [min(ends_y), max(ends_y)])
    columns, rows = len(xs) - 1, len(ys) - 1
    if columns < 1 or rows < 1 or columns * rows < 2 or columns * rows > _MAX_CELLS:
        return None
    flats_at, steeps_at = _by_place(flats, ys), _by_place(steeps, xs)
    first: dict[tuple[int, int], tuple[int, int]] = {}
    for row in range(rows):
        for column in range(columns):
            middle_x, middle_y = (xs[column] + xs[column + 1]) / 2, (ys[row] + ys[row + 1]) / 2
            region = (row, column)
            if column and not _covers(steeps_at[column], middle_y):
                region = first[row, column - 1]
            elif row and not _covers(flats_at[row], middle_x):
                region = first[row - 1, column]
            first[row, column] = region
    return Table(xs, ys, first)


def _by_place(rules: list[Rule], places: list[float]) -> list[list[Rule]]:
    found: list[list[Rule]] = [[] for _ in places]
    for rule in rules:
        nearest = min(range(len(places)), key=lambda at: abs(places[at] - rule.at))
        found[nearest].append(rule)
    return found


def _covers(rules: list[Rule], place: float) -> bool:
    return any(rule.start - _NEAR <= place <= rule.end + _NEAR for rule in rules)


def _distinct(places: list[float]) -> list[float]:
    kept: list[float] = []
    for place in sorted(places):
        if not kept or place - kept[-1] > _NEAR:
            kept.append(place)
    return kept


def _merged(rules: list[Rule]) -> list[Rule]:
    """Pieces of one line joined: many programs draw every cell's border by itself."""
    places: list[list[Rule]] = []
    for rule in sorted(rules, key=lambda rule: rule.at):
        if places and rule.at - places[-1][0].at <= _ONE_LINE:
            places[-1].append(rule)
        else:
            places.append([rule])
    merged: list[Rule] = []
    for place in places:
        last: Rule | None = None
        for rule in sorted(place, key=lambda rule: rule.start):
            if last is not None and rule.start <= last.end + _NEAR:
                last = merged[-1] = Rule(last.at, last.start, max(last.end, rule.end))
            else:
                merged.append(rule)
                last = rule
    return merged


def _without_frames(tables: list[Table]) -> list[Table]:
    """Of two grids that overlap, the one with more cells: the other is a frame, or a box in a cell."""
    kept: list[Table] = []
    for table in sorted(tables, key=lambda table: -len(set(table.first.values()))):
        if not any(_overlap(table, other) for other in kept):
            kept.append(table)
    return kept


def _overlap(one: Table, other: Table) -> bool:
    apart_x = one.xs[-1] <= other.xs[0] + _NEAR or other.xs[-1] <= one.xs[0] + _NEAR
    apart_y = one.ys[-1] <= other.ys[0] + _NEAR or other.ys[-1] <= one.ys[0] + _NEAR
    return not (apart_x or apart_y)
