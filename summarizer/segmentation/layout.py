"""The lines of a note: what each one is, and which of them go on with the one before.

One pass over the lines. What a line is follows from what is seen on it (marker, columns, label, case, indent)
and from the line above: whether that ended where no statement can end, or was full to the width of the text.
"""

from collections.abc import Iterator, Sequence

from summarizer.segmentation import line_ends, records, tables
from summarizer.segmentation.answers import asks, begins_answer, is_labelled_answer, is_question, is_short
from summarizer.segmentation.boilerplate import (
    VALEDICTION,
    is_boilerplate,
    is_greeting,
    is_letterhead,
    is_rule,
    letterhead_lines,
    may_be_place,
)
from summarizer.segmentation.dashes import dashed_labels
from summarizer.segmentation.denials import ends_denial, is_judged_above
from summarizer.segmentation.forms import are_apart, is_comment_on, names_below
from summarizer.segmentation.labels import LABEL, Role, known_heading, role
from summarizer.segmentation.lines import (
    BOILERPLATE,
    HEADING,
    ITEM,
    LABELLED,
    ROW,
    TEXT,
    Line,
    LineKind,
    mostly_capitals,
    read_lines,
)
from summarizer.segmentation.markers import begins_item, boxes, find_markers
from summarizer.segmentation.section_titles import AXIS
from summarizer.segmentation.statuses import LONGEST_STATE, is_state_of_above, is_status, takes_status
from summarizer.segmentation.titles import (
    ADDED,
    ADDED_BEGINS,
    DRAWN,
    DRAWN_ENDS,
    drawn_title,
    is_action,
    is_known_title,
    is_title,
    is_title_by_words,
    is_titled_by_date,
    is_titled_by_markup,
    is_titled_by_number,
    is_underlined,
)
from summarizer.segmentation.wrapping import is_full, wrap_width

_MAY_BE_OPEN = (TEXT, ITEM, LABELLED)
_USUAL_WIDTH = 72
"""Taken where the lengths of the lines tell of none."""
_AFTER_CLOSE = 6
"""How many lines under the close of a letter can be its signature."""


def read_layout(text: str, offset: int = 0) -> Iterator[list[Line]]:
    """Blocks of lines: a wrapped paragraph, an item with its lines, a row, a question with its answer.

    Args:
        text: a stretch of a note.
        offset: where it begins in the note.
    """
    lines = read_lines(text, offset)
    page = _Page(lines, text)
    block: list[Line] = []
    for index, line in enumerate(lines):
        before = lines[index - 1] if index else None
        page.classify(index, line, before)
        if (
            block
            and before is not None
            and not line.after_blank
            and (line.state or (not before.state and _joins(line, before, block, lines, index, page.width)))
        ):
            block.append(line)
            continue
        if block:
            yield block
        block = [line]
    if block:
        yield block


class _Page:
    """What is known of the lines together."""

    def __init__(self, lines: Sequence[Line], text: str) -> None:
        self.lines = lines
        self.width = wrap_width(list(lines))
        self.capitals = mostly_capitals(text)
        self.markers = find_markers(lines)
        self._dashed = dashed_labels(lines)
        self._greeting = next((i for i, line in enumerate(lines) if is_greeting(line.text)), -1)
        self._letterhead = letterhead_lines(line.text for line in lines)
        self._closed = -_AFTER_CLOSE - 1
        self._in_actions = False  # the paragraph began with what to do with the drugs right below
        self._side_by_side = False  # columns that are lists of their own, as of drugs to stop and to start

    def classify(self, index: int, line: Line, before: Line | None) -> None:
        """Set the kind of a line, and its marker; the lines above have theirs."""
        following = self.lines[index + 1] if index + 1 < len(self.lines) else None
        line.marker, line.ordinal = self.markers[index]
        line.dashed = self._dashed[index]
        if line.after_blank:
            self._in_actions = False
        line.kind = self._kind(line, before, following)
        if line.kind is HEADING and line.after_blank:
            self._in_actions = is_action(line.text)
        if line.kind is ROW and (line.after_blank or before is None or before.kind is not ROW):
            self._side_by_side = tables.heads_lists(line.text)
        if not line.after_blank and len(line.text) < LONGEST_STATE and is_state_of_above(self.lines, index):
            line.kind, line.state, line.titled = TEXT, True, False
        if line.kind is not ITEM:
            line.marker, line.ordinal = (line.marker if line.kind is ROW else 0), 0
        if before is not None and not line.after_blank and self._is_held(line, before):
            if self._is_stray(index, line, before):
                line.kind, line.marker, line.ordinal = TEXT, 0, 0
        elif self._is_furniture(index, line):
            line.kind, line.marker = BOILERPLATE, 0
        if line.kind is BOILERPLATE and VALEDICTION.match(line.text):
            self._closed = index

    def _kind(self, line: Line, before: Line | None, following: Line | None) -> LineKind:
        """What a line is by its own look."""
        body = line.text
        head = body[0]
        if (not head.isalnum() and is_rule(body)) or is_boilerplate(body):
            return BOILERPLATE
        if head in DRAWN and body[-1] in DRAWN_ENDS and (words := drawn_title(body)):
            line.titled = True
            return HEADING if is_title_by_words(words) else TEXT
        problem = head == "#" and line.marker > 0 and not (following is not None and following.after_blank)
        if head in "#*_" and is_titled_by_markup(body, following) and (not problem or is_known_title(body)):
            return HEADING
        if line.marker:
            if before is not None and before.kind is ROW and tables.is_marked_row(line, before):
                return ROW
            return HEADING if is_titled_by_number(body, line.marker) else ITEM
        cells = "  " in body or "\t" in body or "|" in body or "│" in body or "\xa0" in body
        if cells and _is_row(line, before, following):
            return ROW
        if before is not None and before.kind is ROW and not line.after_blank:
            if tables.continues_row(line, before):
                return ROW if self._side_by_side and not tables.is_under_last_cell(line, before) else TEXT
            if tables.is_rest_of_first_cell(line, before):
                return ROW
        if not head.isalpha() and begins_item(body):
            return ITEM
        return self._kind_of_words(line, before, following)

    def _kind_of_words(self, line: Line, before: Line | None, following: Line | None) -> LineKind:
        """What a line without marker and columns is, by its words."""
        body = line.text
        head = body[0]
        if head in "Aa" and AXIS.match(body):
            return LABELLED
        if line.dashed or (head in ADDED_BEGINS and ADDED.match(body)):
            return LABELLED
        if head.isalpha() or head in "*_":
            label = LABEL.match(body) if ":" in body[:120] else None
            named = head.isupper() or head in "*_" or line_ends.begins_camel(body)
            if label and (named or known_heading(label["words"])):
                return LABELLED
            if len(body) < 70:
                if self._is_title(line, following):
                    return HEADING
                if is_underlined(line, before, following):
                    line.titled = True
                    return HEADING if is_title_by_words(body) else TEXT
        elif is_titled_by_date(body):
            return HEADING
        return TEXT

    def _is_title(self, line: Line, following: Line | None) -> bool:
        """Whether a line is a heading by its words, and no line of running text that is full."""
        if following is not None and not following.after_blank:
            if self._in_actions and is_action(line.text):
                return True
            full = self.width > 0 and line.right > self.width // 2 and is_full(line, following, self.width)
            if (full or line_ends.presents(following.text)) and not is_known_title(line.text):
                return False
        return is_title(line, following, capitals=self.capitals)

    def _is_held(self, line: Line, before: Line) -> bool:
        """Whether the line above is open, so that this one goes on with it whatever it looks like."""
        if before.kind not in _MAY_BE_OPEN or before.titled:
            return False
        if line.marker and line.text.startswith("# "):
            return False
        tail = before.text[-60:]
        if tail[-1] == ":":
            return False
        full = is_full(before, line, self.width or _USUAL_WIDTH)
        if not (line_ends.is_open(tail) or (full and not line_ends.is_terminated(tail))):
            return False
        return (full and self.width > 0) or not line_ends.is_answered(before.text)

    def _is_stray(self, index: int, line: Line, before: Line) -> bool:
        """Whether a line behind one that holds it was taken for an item, a label or a title by mistake."""
        tail = before.text[-60:]
        if line.kind is LABELLED:
            full = is_full(before, line, self.width or _USUAL_WIDTH)
            beside = before.kind is LABELLED and not full and tail[-1] not in ",(/&"
            return line.text[0].islower() or (
                line_ends.is_open(tail) and not beside and not known_heading(_label(line.text))
            )
        if line.kind is HEADING:
            if line_ends.is_open(tail):
                return tail[-1] not in ",-"
            return self.width > 0 and not is_known_title(line.text)
        if line.kind is not ITEM or not line.ordinal:
            return line.kind is ITEM and line.text[0] == "#"
        if tail[-1] == "," and line.ordinal in (self._previous(index) + 1, 1):
            return False
        previous = self._previous(index)
        if line.ordinal == 1:
            return not any(
                self.markers[at][1] == 2 for at in range(index + 1, min(index + 13, len(self.lines)))
            )
        return line.ordinal != previous + 1

    def _previous(self, index: int) -> int:
        """What the last item counted above a line, 0 if a heading stands between."""
        for line in reversed(self.lines[max(0, index - 40) : index]):
            if line.kind is HEADING:
                return 0
            if line.ordinal:
                return line.ordinal
        return 0

    def _is_furniture(self, index: int, line: Line) -> bool:
        """Whether a line belongs to a letterhead, to the head of a letter or stands under its close."""
        if index < self._letterhead:
            return True
        if line.kind not in (TEXT, LABELLED, HEADING):
            return False
        if index < self._greeting:
            if is_letterhead(line.text):
                return True
            near = [self.lines[at].text for at in (index - 1, index + 1) if 0 <= at < self._greeting]
            return line.kind is TEXT and may_be_place(line.text) and any(map(is_letterhead, near))
        return index - self._closed <= _AFTER_CLOSE and is_letterhead(line.text)


def _joins(
    line: Line, before: Line, block: Sequence[Line], lines: Sequence[Line], index: int, width: int
) -> bool:
    """Whether `line` goes on with the sentence or paragraph that `before` belongs to."""
    first = block[0]
    if (
        before.kind is HEADING
        or before.kind is BOILERPLATE
        or before.titled
        or are_apart(before, line, first)
    ):
        return False
    if first.kind is ROW:
        return line.kind is TEXT and tables.continues_row(line, first)
    if _answers(line, before, lines, index) or records.goes_on(line, block) or is_comment_on(line, before):
        return True
    if (status := is_status(line)) or line.kind is LABELLED:
        return status and (takes_status(before) or (before is not first and is_status(before)))
    if before is not first and before.text[-1] in ")]" and is_status(before):
        return False
    if line.kind is TEXT and before is not first and _is_given_answer(before, block):
        return line_ends.begins_lower(line.text)
    full = is_full(before, line, width or _USUAL_WIDTH)
    if line.kind is not TEXT or (_is_complete(before) and not (full and width)):
        return line.kind is TEXT and line_ends.goes_on(line.text) and not is_question(before.text)
    tail = before.text[-60:]
    if tail[-1] == ":" and not line_ends.begins_lower(line.text) and not (full and width):
        return False
    if line_ends.is_open(tail) or line_ends.completes(tail, line.text) or is_judged_above(lines, index):
        return True
    hangs = first.marker > 0 and line.indent > first.indent
    if line_ends.is_terminated(tail):
        return hangs or full
    if before is first and not full and ends_denial(before.text[before.marker :].lstrip(), line.text):
        return False
    return hangs or _goes_on(line, before, first, lines, index, full=full, cut=full and width > 0)


def _goes_on(
    line: Line, before: Line, first: Line, lines: Sequence[Line], index: int, *, full: bool, cut: bool
) -> bool:
    """Whether a line goes on with one without a stop; `cut`: that was full to the width of the text."""
    if line_ends.goes_on(line.text):
        return True
    if line_ends.begins_lower(line.text):
        return _goes_on_in_small_letters(line, before, first, full)
    return (cut or _is_cut_clause(line, before, lines, index)) and not line_ends.begins_order(line.text)


def _is_complete(before: Line) -> bool:
    """Whether a line is a question, ends in an answer, or is a label with leader dots and its value."""
    text = before.text
    if is_question(text) or line_ends.is_answered(text):
        return True
    return text[-1] not in "._" and bool(tables.leader_cells(text))


def _is_given_answer(before: Line, block: Sequence[Line]) -> bool:
    """Whether a line is the answer of a word or two to the question above it."""
    return is_question(block[-2].text) and begins_answer(before.text) and len(before.text.split()) < 3


def _answers(line: Line, before: Line, lines: Sequence[Line], index: int) -> bool:
    """Whether a line answers the question above it."""
    if is_labelled_answer(line.text) and asks(before.text):
        return True
    if line.kind is not TEXT:
        return False
    if tables.leader_cells(before.text) and before.text[-1] in "._…":
        return begins_answer(line.text)
    if before.text[-1] not in "?？؟":
        return False
    if begins_answer(line.text):
        return "?" not in line.text
    following = lines[index + 1] if index + 1 < len(lines) else None
    ends = following is None or following.after_blank or is_question(following.text)
    return ends and is_short(line.text) and "?" not in line.text


def _goes_on_in_small_letters(line: Line, before: Line, first: Line, full: bool) -> bool:
    """Whether a line in small letters goes on with an unterminated line."""
    if full:
        return True
    if before is first and names_below(before, line):
        return False
    if line.text[0] == "(":
        return False
    if before.kind is LABELLED and len(before.text.split()) < 6 and not _begins_section(before.text):
        return False
    if line_ends.has_dose(line.text) and line_ends.has_dose(before.text):
        return False
    return not (before.text[0].islower() and before is first and not first.marker)


def _is_cut_clause(line: Line, before: Line, lines: Sequence[Line], index: int) -> bool:
    """Whether a line without a stop is a clause that a narrow margin cut from the next.

    In scripts without capitals: where the lines below come to a stop. Elsewhere: where it is running text and
    what follows comes to a stop, may bring its noun and cannot stand alone (`kein Anhalt für eine frische` /
    `Blutung.`).
    """
    if before.kind is LABELLED and not line_ends.is_prose(before.text):
        return False
    stops = False
    for below in lines[index : index + 8]:
        if below.after_blank and below is not line:
            break
        if line_ends.is_terminated(below.text[-8:]):
            stops = True
            break
        if below.kind is not TEXT and below is not line:
            break
    if not stops:
        return False
    if line_ends.is_caseless(before.text):
        return line_ends.is_caseless(line.text)
    return (
        line_ends.is_prose(before.text)
        and not line_ends.stands_alone(line.text)
        and line_ends.may_bring_noun(before.text, line.text)
    )


def _is_row(line: Line, before: Line | None, following: Line | None) -> bool:
    """Whether a line has cells and is no heading with its text."""
    body = line.text
    if tables.has_pairs(body):
        return True
    if boxes(body):
        return False
    if body[-1] == ":" and following is not None and tables.labels_columns(line, following):
        return True
    if _begins_section(body):
        inside = before is not None and before.kind is ROW and not line.after_blank
        return inside and before is not None and tables.aligned(before, line)
    return tables.is_row(line, before, following)


def _label(text: str) -> str:
    """The words before the first colon."""
    return text.partition(":")[0]


def _begins_section(text: str) -> bool:
    """Whether a line begins with a heading label."""
    found = LABEL.match(text)
    return found is not None and known_heading(found["words"]) and role(found["words"]) is not Role.VALUE
