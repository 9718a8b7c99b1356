"""Rows of tables in plain text, by what separates their cells, and the row that names the columns."""

import re
from collections.abc import Sequence

from summarizer.segmentation import line_ends
from summarizer.segmentation.answers import begins_answer
from summarizer.segmentation.lines import BOILERPLATE, ROW, Line
from summarizer.segmentation.section_titles import TITLE_KINDS
from summarizer.segmentation.vocabulary import alternatives, words
from summarizer.types import SectionKind

_GAP = re.compile(r"\t\s{0,80}|\s{2,80}")
_PIPE = re.compile(r"\s\|\s|^\||\||[│┃║]")
_CELLS = re.compile(r"\s{0,80}(?:\||[│┃║]|\t|[ \xa0]{2,80})\s{0,80}")
_FIRST_CELL = re.compile(r"[ \t]{0,80}(?P<cell>[^|│┃║\s](?:[^|│┃║\n]{0,4000}[^|│┃║\s])?)")
_DITTO = frozenset(('"', "''", "“", "”", "„", "〃", "ditto", "dito", "do.", "idem"))
_LEADER = re.compile(
    r"(?<=[\w)%?:])[ \t]{0,3}(?:\.{4,200}|(?:\.[ \t]){2,100}\.{1,3}|…{2,60}|_{3,200}|\.{3}(?=[ \t]))"
    r"[ \t]{0,60}"
    r"|(?:(?<=[a-z)])\.\.\.?|(?<=:)[ \t]{1,3}\.{1,3}[ \t]{1,3})"
    rf"(?=(?:{alternatives('answers', 'answers')})$)",
    re.I,
)
_LEADER_VALUE = re.compile(r"(?:[^.…]|(?<=\d)\.(?=\d)){0,60}$")
_RUN_IN = re.compile(r"[.:][ \t]*,|[a-z)]{2}[.?!]\s+[A-Z][a-z]")
_LABELLED_CELLS = re.compile(r": [^:]{0,80}\S {3,}[A-Z][A-Z /]{1,30}:")
_WIDE_GAP = re.compile(r"\t\s{0,80}|\s{3,80}")
_SHORT_PAIR = re.compile(r"[A-Z][\w /#&()'-]{0,30}:[ \t]?\S[^:]{0,40}")
_EMPTY_PAIR = re.compile(r"[A-Z][\w /#&()'-]{0,30}:")
_VALUE = re.compile(r"[<>=~+-]?\s?\d|.{0,40}\d\s?(?:mg|mcg|ml|g|%|/|:|-)|.{0,40}\s\d")
_FIGURE = re.compile(r"[<>=~+-]{0,2}\s?\d")
_UNIT = re.compile(r"%|[\w^*µ]{1,8}/[\w^*²³]{1,8}|(?:mg|g|kg|ml|l|fl|pg|mm|cm|iu|u|mmhg|sec|s)", re.I)
_NUMBERED = re.compile(r"(?:dose|day|visit|week|wk|cycle|month|reading|session|trial|time|test)\s?\d{1,2}")
"""`Dose 2` names a column."""
_TIME = re.compile(
    r"(?:mon|tue|tues|wed|thu|thur|thurs|fri|sat|sun|(?:mon|tues|wednes|thurs|fri|satur|sun)day"
    r"|morning|noon|midday|afternoon|evening|night|bedtime|midnight|[ap]\.?m\.?|breakfast|lunch|dinner|supper)"
    r"|(?:[01]?\d|2[0-4])(?::?[0-5]\d|[ap]m?)|(?:0?[1-9]|1[0-2])/(?:0?[1-9]|[12]\d|3[01])(?:/\d{2,4})?"
)
"""A time of the day or the week, or a date: `Drug | 0600 | 1200`."""
NEAR = 3
"""How far words may stand from where their cell begins, in characters."""
_FEW = 2
_KINDS = (
    (SectionKind.MEDICATIONS, words("table_heads", "of_medications")),
    (SectionKind.RESULTS, words("table_heads", "of_results")),
    (SectionKind.ALLERGIES, words("table_heads", "of_allergies")),
)
_WITH_REACTIONS = words("table_heads", "with_reactions")
_HEADS = words("table_heads", "heads")
_OF_FIGURES = words("table_heads", "of_figures")
_ANSWERS = frozenset(
    {
        "yes",
        "no",
        "n/a",
        "unknown",
        "unsure",
        "not sure",
        "sometimes",
        "never",
        "ja",
        "nein",
        "sí",
        "si",
        "oui",
        "non",
    }
)
_ACTIONS = words("section_titles", "actions")
_IN_CELLS = words("table_heads", "in_cells")
_STOP_GAP = re.compile(r"[.?!:;,][\"')\]]?$")


def has_bars(text: str) -> bool:
    """Whether bars separate cells in a line."""
    return ("|" in text or "│" in text or "┃" in text or "║" in text) and _PIPE.search(text) is not None


def gaps(text: str) -> tuple[int, ...]:
    """Where cells begin behind a tab or a wide gap: offsets into the line; blanks behind a stop are none."""
    if "\t" not in text and "  " not in text and "\xa0" not in text:
        return ()
    found = []
    for gap in _GAP.finditer(text):
        wide = gap.end() - gap.start() > 2 or "\t" in gap[0]
        if gap.start() > 0 and (wide or not _STOP_GAP.search(text[max(0, gap.start() - 3) : gap.start()])):
            found.append(gap.end())
    return tuple(found)


def is_row(line: Line, before: Line | None, following: Line | None) -> bool:
    """Whether a line is a row: bars or tabs between cells, wide gaps, a gap over or under another line's."""
    text = line.text
    if has_bars(text):
        return True
    starts = gaps(text)
    if not starts:
        return False
    if len(text) >= 160 and len(_RUN_IN.findall(text[:2000])) > 1:
        return False
    if "\t" in text or _LABELLED_CELLS.search(text[:400]):
        return True
    wide = sum(text[start - 3 : start].isspace() for start in starts)
    if wide > 1:
        return True
    columns = {line.indent + start for start in starts}
    for near in (before, following):
        if near is None or (near is before and line.after_blank) or (near is following and near.after_blank):
            continue
        aligned = columns & {near.indent + start for start in gaps(near.text)}
        in_table = near is before and (near.kind is ROW or near.kind is BOILERPLATE)
        if (aligned and (wide or len(aligned) > 1 or in_table)) or (wide and in_table):
            return True
    return False


def is_marked_row(line: Line, above: Line) -> bool:
    """Whether an item has its cells under those of the row above it (`> Sodium    118`)."""
    own = [start for start in gaps(line.text) if line.text[line.marker : start].strip()]
    over = [start for start in gaps(above.text) if above.text[above.marker : start].strip()]
    if line.after_blank or not own or not over:
        return False
    if "\t" in line.text:
        return "\t" in above.text and len(own) == len(over)
    places = [above.indent + start for start in over]
    near = sum(any(abs(line.indent + start - place) < NEAR for place in places) for start in own)
    return near > 1 or near == len(own)


def has_pairs(text: str) -> bool:
    """Whether a line is fields side by side (`Allergies: none    Code: full`); later ones may be empty."""
    if ":" not in text or not ("\t" in text or "   " in text or "\xa0\xa0" in text) or len(text) > 400:
        return False
    fields = _WIDE_GAP.split(text)
    return len(fields) > 1 and all(
        _SHORT_PAIR.fullmatch(field) and len(field.split()) < 8 and field[-1] != "."
        for field in fields
        if field is fields[0] or not _EMPTY_PAIR.fullmatch(field)
    )


def aligned(row: Line, other: Line) -> bool:
    """Whether two rows begin alike and have a column in common."""
    if abs(row.indent - other.indent) > 1:
        return False
    if has_bars(row.text) or has_bars(other.text):
        return has_bars(row.text) and has_bars(other.text)
    columns = [other.indent + start for start in gaps(other.text)]
    return any(abs(row.indent + start - column) < 3 for start in gaps(row.text) for column in columns)


def continues_row(line: Line, before: Line) -> bool:
    """Whether a line holds the rest of cells of the row above it: it begins under one of its cells."""
    return (
        not line.after_blank
        and line.indent > before.indent + NEAR
        and any(abs(before.indent + start - line.indent) < 2 for start in gaps(before.text))
    )


def is_under_last_cell(line: Line, row: Line) -> bool:
    """Whether a line begins under the last cell of a row: then it reads on from the row's end."""
    return line.indent >= row.indent + gaps(row.text)[-1] - 1


def heads_lists(text: str) -> bool:
    """Whether a row names columns that are lists of their own: what to do with the drugs in each."""
    names = [cell.strip(" :*").lower() for cell in cells(text)]
    return len(names) > 1 and all(name in _ACTIONS for name in names)


def is_rest_of_first_cell(line: Line, row: Line) -> bool:
    """Whether a line holds words that a narrow first column took from its cell in the row above."""
    if begins_cell(line.text) or not 0 <= line.indent - row.indent <= NEAR or has_bars(row.text):
        return False
    starts = gaps(row.text)
    if not starts:
        return False
    fits = line.right < row.indent + starts[0] and line.text[0].isalnum()
    return fits and goes_on(line.text, row.text[: starts[0]].rstrip())


def places(line: Line) -> list[tuple[int, int]]:
    """Where the cells of a row of wide gaps stand, as offsets into the line."""
    starts = (0, *gaps(line.text))
    ends = (*starts[1:], len(line.text))
    return [(start, len(line.text[:end].rstrip())) for start, end in zip(starts, ends, strict=True)]


def begins_cell(text: str) -> bool:
    """Whether a line begins a cell by its capital, which the rest of one has in a note in capitals alone."""
    return text[0].isupper() and text[1:2].islower()


def goes_on(cell: str, above: str) -> bool:
    """Whether the words under a cell are the rest of it: a unit, a dose, or words that only go on."""
    first = cell.split(None, 1)[0].lower().strip("(,;.")
    if first in _IN_CELLS or line_ends.goes_on(cell):
        return True
    return line_ends.completes(above, cell)


def leader_cells(text: str) -> list[tuple[int, int]]:
    """The pieces of a line of leader dots (`Diabetes.........No`), each a label with its value."""
    if ".." not in text and ". ." not in text and "…" not in text and "___" not in text and ": ." not in text:
        return []
    leaders = list(_LEADER.finditer(text))
    if not leaders or leaders[0].start() > 80:
        return []
    if any(not text[leader.end() :].strip() and leader is not leaders[-1] for leader in leaders):
        return []
    tail = text[leaders[-1].end() :]
    if any("_" in leader[0] for leader in leaders) and len(tail.split()) > 3 and not begins_answer(tail):
        return []
    if not _LEADER_VALUE.match(tail) or tail[:1].islower() or len(tail.split()) > 8:
        return []
    if (
        max(leader.end() - leader.start() for leader in leaders) < 6
        and len(leaders) < 2
        and len(tail.split()) > 2
    ):
        return []
    pieces = []
    start = 0
    for leader, after in zip(leaders, [*leaders[1:], None], strict=True):
        stop = len(text)
        if after is not None:
            gap = text.find("  ", leader.end(), after.start())
            if gap < 0:
                return [(0, len(text))]
            stop = gap
        pieces.append((start, stop))
        start = stop
    return pieces


def names_columns(row: Sequence[str], below: Sequence[str] = ()) -> bool:
    """Whether the cells of a row are names of columns: known ones, labels, words over a row of values."""
    if _are_labels(row):
        return True
    cells = [cell.strip().strip(":*").lower() for cell in row if cell.strip()]
    if len(cells) > _FEW and all(map(_TIME.fullmatch, cells[1:])) and not _HEADS.isdisjoint(cells[0].split()):
        return True
    if len(cells) > _FEW and all(cell in _ANSWERS for cell in cells[1:]) and cells[0] not in _ANSWERS:
        return True
    if len(cells) > 1 and all(cell in TITLE_KINDS for cell in cells):
        return True
    # `SpO2` names a column, `88` and `>90` are values.
    if len(cells) < 2 or any(_VALUE.match(cell) and not _NUMBERED.fullmatch(cell) for cell in cells):
        return False
    figures = [bool(_FIGURE.match(cell.strip())) for cell in below]
    values = [
        figure or bool(_UNIT.fullmatch(cell.strip())) for figure, cell in zip(figures, below, strict=True)
    ]
    if len(values) == len(cells) and any(figures) and sum(values) > 1 and all(values[1:]):
        return all(len(cell.split()) < 4 for cell in cells)
    if len(below) == len(cells) > _FEW and figures[0] and 3 * sum(figures) >= len(cells):
        return all(len(cell.split()) < 4 for cell in cells)
    named = sum(
        cell in _HEADS or (len(cell.split()) < 4 and not _HEADS.isdisjoint(cell.split())) for cell in cells
    )
    if len(cells) == 2 and cells[1] in _OF_FIGURES and len(below) == 2 and _FIGURE.match(below[1].strip()):
        return len(cells[0].split()) < 4
    # Of two cells one may be the value of the other: `Blood type | A`.
    least = len(cells) if len(cells) == 2 else len(cells) / 2
    return named >= least and all(len(cell.split()) < 6 for cell in cells)


def kind_of_table(row: Sequence[str]) -> SectionKind | None:
    """What a table is of by the names of its columns: drugs, results or allergies; None if not told."""
    names = [cell.strip(" |:*").lower() for cell in row]
    if not _WITH_REACTIONS.isdisjoint(names):
        return SectionKind.ALLERGIES
    return next((kind for kind, heads in _KINDS if names[0] in heads), None) if names else None


def _are_labels(row: Sequence[str]) -> bool:
    """Whether the cells of a row are labels without values (`Right ear:   Left ear:`)."""
    return len(row) > 1 and all(_EMPTY_PAIR.fullmatch(cell.strip()) for cell in row)


def labels_columns(line: Line, below: Line) -> bool:
    """Whether a line of labels without values stands over a line of as many cells."""
    if below.after_blank or has_bars(line.text) or not gaps(below.text):
        return False
    over = cells(line.text)
    return len(over) == len(cells(below.text)) and _are_labels(over)


def heads(row: Line, below: Line) -> bool:
    """Whether a row of plain text names the columns of the one below it, by its words or its place."""
    return names_columns(cells(row.text), cells(below.text)) or stands_over(row, below)


def stands_over(row: Line, below: Line) -> bool:
    """Whether a row names columns by its place: none of its cells stands over the first one below."""
    if has_bars(row.text) or has_bars(below.text) or row.indent <= below.indent + 3:
        return False
    cells = [row.indent, *(row.indent + start for start in gaps(row.text))]
    under = [below.indent + start for start in gaps(below.text)]
    return len(cells) > 1 and all(any(abs(cell - place) < 3 for place in under) for cell in cells)


def first_cell(text: str) -> tuple[int, int] | None:
    """Where the first cell of a row with bars stands; None where it is empty or holds ditto marks."""
    found = _FIRST_CELL.match(text)
    return None if found is None or found["cell"] in _DITTO else found.span("cell")


def row_name(line: Line, *, barred: bool) -> tuple[int, int] | None:
    """Where the cell stands that names a row of plain text, None where it has none of its own.

    `barred` says that the rows of the table begin with a bar.
    """
    if has_bars(line.text):
        skip = 1 if barred and line.text[0] == "|" else 0
        cell = first_cell(line.text[skip:])
        return None if cell is None else (cell[0] + skip, cell[1] + skip)
    starts = gaps(line.text)
    return (0, len(line.text[: starts[0]].rstrip())) if starts else (0, len(line.text))


def cells(text: str) -> list[str]:
    """The cells of a row."""
    return [cell for cell in _CELLS.split(text) if cell]
