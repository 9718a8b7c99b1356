"""From the lines of a note to spans: headings, markers, boilerplate and sentences, each with its context."""

import re
from collections.abc import Sequence
from itertools import pairwise

from summarizer.segmentation import records, tables
from summarizer.segmentation.answers import asks
from summarizer.segmentation.apart import is_identity, is_of_page, is_signed, may_stand_apart
from summarizer.segmentation.boilerplate import is_greeting, letter_body
from summarizer.segmentation.dashes import names_field
from summarizer.segmentation.forms import (
    are_sides,
    is_filled,
    is_labelled,
    is_prose,
    leaves_table,
    parts_rows,
    remarks_on,
    style,
)
from summarizer.segmentation.heads import ANNOUNCES
from summarizer.segmentation.labels import (
    ABBREVIATED,
    APART,
    LABEL,
    Role,
    abbreviates_allergies,
    names_problem,
    role,
)
from summarizer.segmentation.line_ends import is_open, is_terminated
from summarizer.segmentation.lines import BOILERPLATE, HEADING, ITEM, LABELLED, ROW, TEXT, Line
from summarizer.segmentation.markers import boxes
from summarizer.segmentation.midline import dashed_title, is_heading
from summarizer.segmentation.place import Place
from summarizer.segmentation.punctuation import sentence_ends
from summarizer.segmentation.running_text import add_opening_headings, add_running_text
from summarizer.segmentation.section_titles import normalise
from summarizer.segmentation.times import begins_with_time
from summarizer.segmentation.vocabulary import words
from summarizer.types import ContextKind, ContextSpan, SectionKind, Sentence

_EITHER, _VALUE, _UNKNOWN = Role.EITHER, Role.VALUE, Role.UNKNOWN
_ABOUT = frozenset({None, SectionKind.ADMINISTRATIVE, SectionKind.OTHER})
"""Sections that may say whose note it is."""
_HEADS_NOTHING = words("values", "heads_nothing")
_LABEL_WORDS = 4
_ARTICLES = ("The ", "A ", "An ")


class Emitter(Place):
    """Adds the spans of one block, knowing those beside it."""

    __slots__ = ()

    def emit(self) -> None:
        """Add the spans."""
        first, context = self.first, self.spans.context
        context.begin_block()
        item = first.kind is ITEM
        if first.after_blank:
            self._end_paragraph(item=item)
        elif not item and context.in_items and not self._goes_on_in_list():
            context.leave_list()
        if context.table.open:
            if (first.kind is TEXT or first.kind is ROW) and (rest := context.table.rest_of_cells(first)):
                self._rest_of_cells(rest)
                return
            if parts_rows(first, self.before, self.following):
                self.spans.sentence(self.start, self.end, row=True)
                return
            if remarks_on(first, self.before, self.following):
                self._remark()
                return
        if (
            (context.in_table or context.table.open)
            and first.kind is not ROW
            and first.kind is not BOILERPLATE
        ):
            context.end_table(label=context.in_table and leaves_table(self.block))
        if first.kind is BOILERPLATE:
            if is_greeting(first.text):
                context.close_all()
            self.spans.add_boilerplate(self.start, self.end)
        elif first.kind is HEADING:
            self.spans.heading(self.start, self.end)
        elif first.kind is ROW:
            self._row()
        else:
            context.begin_line(self.start)
            self._text(item=item)

    def stands_apart(self) -> bool:
        """Whether no heading stands over the block; a signature ends those above it."""
        kind, text = self.first.kind, self.first.text
        if (kind is ROW or "   " in text) and is_of_page(text):
            return True
        if kind is HEADING or kind is ITEM or not may_stand_apart(text):
            return False
        if is_signed(text):
            self.spans.context.close_all()
            return False
        return self.spans.section_kind not in _ABOUT and is_identity(text)

    def emit_apart(self) -> None:
        """Add the spans; what stands above goes on behind them."""
        self.spans.alone = True
        self.emit()
        self.spans.alone = False

    def _goes_on_in_list(self) -> bool:
        """Whether a block that is no item leaves the list above it open."""
        first = self.first
        if first.kind in (TEXT, LABELLED):
            return self.spans.context.leads_deeper(first.indent)
        return first.kind is BOILERPLATE

    def _rest_of_cells(self, rest: Sequence[tuple[int, int, tuple[ContextSpan, ...]]]) -> None:
        """Add the rest of cells of the row above, each by itself: words of one stand in no other."""
        *others, (start, _, more) = rest
        for begin, stop, around in others:
            self.spans.sentence(begin, stop, more=around)
        self.spans.sentence(start, self.end, more=more)

    def _remark(self) -> None:
        """Add a remark on a row; the row is shown with it."""
        row = (self.before or self.block)[0]
        more = (ContextSpan(row.start, row.end, ContextKind.ROW),)
        ends = sentence_ends(self.spans.text, self.start, self.end)
        for at, cut in pairwise([self.start, *ends, self.end]):
            self.spans.sentence(at, cut, row=True, more=more)

    def _row(self) -> None:
        """Add a row; the first one of a table that names its columns is context of the others."""
        if tables.has_pairs(self.first.text):
            self._pairs()
            return
        table = self.spans.context.table
        head = [] if table.open and not self.first.after_blank else self.table_head()
        if head or not table.open:
            if self.first.after_blank and (headings := self.spans.context.headings).heads:
                if self.spans.context.in_table:
                    headings.end_above_other_table(tables.cells(self.first.text))
                elif head:
                    headings.end_above_table(self.start)
            self.spans.context.begin_table()
            table.begin(head, self.first)
        start = self.start + self.first.marker
        if self.first.marker:
            self.spans.marker(self.start, start)
        self.spans.sentence(start, self.end, row=True, more=table.row(self.first))

    def _pairs(self) -> None:
        """Add fields side by side, which are no row of a table."""
        label = LABEL.match(self.spans.text, self.start, self.end)
        self.spans.context.table.end()
        if label is not None:
            self._begin_label(self.start, label)
        self._open_section(self.start, label)
        self.spans.sentence(self.start, self.end)

    def _text(self, *, item: bool) -> None:
        """Add running text, an item, a question with its answer or a line of leader dots."""
        spans, first, context = self.spans, self.first, self.spans.context
        headings = context.headings
        start = self.start
        problem = item and first.text[0] == "#"
        if problem:
            context.leave_list()
            context.end_problem()
        if item:
            headings.own_list()
            context.begin_item(first.indent, style(first), first.ordinal)
        if first.marker:
            spans.marker(start, start + first.marker)
            start += first.marker
        label = LABEL.match(spans.text, start, self.end) if first.kind is LABELLED else None
        named = self._names_problem(label)
        if headings.heads and (
            first.dashed or (first.kind is TEXT and (begins_with_time(first.text) or names_field(first.text)))
        ):
            headings.end_inline(start)
        if label is not None:
            self._begin_label(start, label)
        elif first.kind is TEXT and headings.heads:
            headings.begin_statement(start, first.end)
        self._titled = first.kind is TEXT and self.is_title()
        if self._titled:
            self._begin_title(start)
        count = len(spans.sentences)
        empty = spans.text[self.end - 1] == ":" and self._is_empty_field(start)
        if empty:
            spans.sentence(start, self.end)
        else:
            self._sentences_of_text(start, label)
        if item:
            context.end_item()
        found = 0 if empty else len(spans.sentences) - count
        if found == 1 and (problem or named):
            last = spans.sentences[-1]
            context.begin_problem(last.start, last.end, indent=first.indent if named else -1)
        elif found:
            self._lead_in(spans.sentences[-1], item=item)

    def _names_problem(self, label: re.Match[str] | None) -> bool:
        """Whether a label names a problem; what is no more about the one above ends that."""
        context, first = self.spans.context, self.first
        if label is not None and names_problem(label["words"]):
            context.end_problem()
            return True
        if first.kind is TEXT:
            context.begin_plain(first.indent)
        return False

    def _end_paragraph(self, *, item: bool) -> None:
        """Note that the block stands behind a blank line; a title between drawn lines stands over it yet."""
        context, above = self.spans.context, self.before[-1] if self.before else None
        if context.headings.heads and (row := self.row_below()) is not None:
            context.headings.end_above_other_table(tables.cells(row))
        context.end_paragraph(
            self.start, item=item, prose=bool(context.headings.heads) and is_prose(self.block)
        )
        if above is not None and above.titled and above.kind is TEXT:
            context.begin_list(above.start, above.end)

    def _begin_title(self, start: int) -> None:
        """Note that the block titles what is below it; between drawn lines it ends every list above."""
        first, context = self.first, self.spans.context
        if first.titled:
            context.leave_list()
        context.headings.begin_title(start, upper=first.text.isupper(), apart=first.after_blank)
        self.spans.open_section(start, self.end)

    def _is_empty_field(self, start: int) -> bool:
        """Whether the block, which ends in a colon, is a field of a form that nobody filled in.

        It heads nothing. It is the last of them, under one that is filled in, or stands between three such.
        """
        text = self.spans.text
        if self.following is None:
            return False
        below = self.following[0]
        own = LABEL.match(text[start : self.end].lstrip())
        if own is not None and normalise(own["words"]) in _HEADS_NOTHING and not below.after_blank:
            return is_filled(self.following, self.first.indent)
        if self.first.after_blank:
            return False
        last = below.after_blank and not (below.kind is ITEM and below.ordinal < 2)
        between = is_filled(self.following, self.first.indent) and is_filled(self.beside(-2), None)
        field = text[start : self.end].lstrip()
        own = LABEL.match(field)
        if not (last or between) or own is None or own.end() < len(field):
            return False
        return is_filled(self.before, None) and role(own["words"]) in (_UNKNOWN, _VALUE)

    def _begin_label(self, start: int, label: re.Match[str]) -> None:
        """Close what a label at the beginning of a line does not stand under; its section is its own."""
        headings, words = self.spans.context.headings, label["words"]
        if words in ABBREVIATED and abbreviates_allergies(
            words, self.spans.text[label.end() : self.end], self.spans.section_kind
        ):
            return
        found, upper = role(words), words.isupper()
        if found is _VALUE or found is _EITHER:
            named = normalise(words) in APART
            apart = named and self.first.after_blank
            ends = headings.begin_value(start, upper=upper, apart=apart, own=named)
            ends = ends or self.spans.is_beside or (named and self.spans.is_left)
            ends = ends and (named or (upper and self.first.after_blank))
        elif found is _UNKNOWN:
            ends = headings.begin_label(start, upper=upper) or self.spans.is_beside
        else:
            ends = False
        if ends:
            self.spans.open_beside(start, label.end())

    def _sentences_of_text(self, start: int, label: re.Match[str] | None) -> None:
        """Add the sentences of the block by what its first line is."""
        spans, first = self.spans, self.first
        leaders = tables.leader_cells(first.text)
        if leaders and len(self.block) == 1 and not first.marker:
            for begin, stop in leaders:
                spans.sentence(self.start + begin, self.start + stop)
        elif not first.text[0].isalnum() and len(self.block) == 1 and (boxed := boxes(first.text)):
            for begin, stop in pairwise([*boxed, len(first.text)]):
                spans.sentence(self.start + begin, self.start + stop)
        elif len(self.block) > 1 and records.is_record(self.block):
            self._record(start, label)
        elif len(self.block) > 1 and (leaders or asks(first.text)) and not first.marker:
            self._question_and_answer(start)
        else:
            body, close = start, self.end
            if spans.may_be_letter:
                body, close = letter_body(spans.text, start, self.end)
            if body > start:
                spans.context.close_all()
                spans.add_boilerplate(start, body)
            labelled = label is not None or first.dashed > 0
            if labelled and body == start and (length := self._own_heading(label)):
                spans.subheading(start, start + length)
                body += length
            add_running_text(spans, body, close, first.ordinal)
            if close < self.end:
                spans.add_boilerplate(close, self.end)

    def _own_heading(self, label: re.Match[str] | None) -> int:
        """The length of a label that heads the block alone, 0 where there is none: it has several sentences.

        Such are unknown ones among lines that begin with labels, and those before a dash.
        """
        text, start = self.spans.text, self.start + self.first.marker
        words = text[start : start + self.first.dashed].rstrip(" -–—")
        length = self.first.dashed
        if length and dashed_title(text, start, self.end):
            length = 0
        if not length and label is not None:
            words = label["words"]
            if words.isupper() or role(words) is not _UNKNOWN:
                return 0
            if is_labelled(self.before) or is_labelled(self.following):
                length = label.end() - label.start()
        if not length or len(words.split()) > _LABEL_WORDS or words.startswith(_ARTICLES):
            return 0
        several = next(sentence_ends(text, start + length, self.end), self.end) < self.end
        return length if several else 0

    def _record(self, start: int, label: re.Match[str] | None) -> None:
        """Add a thing with what is said of it as one sentence."""
        self._open_section(start, label)
        self.spans.sentence(start, self.end)

    def _open_section(self, start: int, label: re.Match[str] | None) -> None:
        """Open the section, if any, that a label names which stays in its sentence."""
        spans = self.spans
        if label is not None and is_heading(
            spans.text, label, self.first.end, spans.section_kind, nested=False
        ):
            kind = spans.open_section(start, label.end())
            spans.context.heading(start, label.end(), kind, declared=False)

    def _question_and_answer(self, start: int) -> None:
        """Add a question with the answer on the lines below it as one sentence."""
        labelled = self.first.text[0] in "Qq"
        at = start if labelled else add_opening_headings(self.spans, start, self.end)
        for cut in sentence_ends(self.spans.text, at, self.first.end):
            self.spans.sentence(at, cut)
            at = cut
        self.spans.sentence(at, self.end)

    def _lead_in(self, last: Sentence, *, item: bool) -> None:
        """Note what the last sentence of the block opens: a list, or a question that is not answered."""
        context, text = self.spans.context, self.spans.text
        mark = text[last.end - 1]
        if self.following is not None and mark != ":" and self.following[0].ordinal > 1:
            return  # the list below goes on
        if mark in "?？؟":
            context.ask(last.start, last.end)
        if self.following is None:
            return
        below = self.following[0]
        if item:
            self._item_leads_in(last, mark, below)
        elif self._opens(text[max(last.start, last.end - 240) : last.end], mark, below):
            indented = self._titled and below.indent > self.first.indent + 1
            context.begin_list(last.start, last.end, indented=indented)

    def _item_leads_in(self, last: Sentence, mark: str, below: Line) -> None:
        """Note what leads in to the items or lines under this one: its text, or its topic."""
        context, listed = self.spans.context, below.kind is ITEM
        deeper = below.kind in (TEXT, LABELLED) and below.indent > self.first.indent + 1
        if mark == ":":
            leads = listed or (deeper and not below.after_blank)
        else:
            own = self.spans.text[max(last.start, last.end - 8) : last.end]
            leads = listed and not below.after_blank and not is_terminated(own)
        if leads:
            context.item_leads(last.start, last.end)
        elif listed and (topic := context.topic) is not None:
            context.item_leads(topic.start, topic.end)

    def _opens(self, own: str, mark: str, below: Line) -> bool:
        """Whether a sentence of a block that is no item opens a list; `mark` is its last character."""
        listed = below.kind is ITEM
        if mark in "?？؟":
            return listed
        if self._titled:
            return True
        if mark == ":":
            return listed or not below.after_blank
        stopped = is_terminated(own[-8:])
        close = not below.after_blank and not stopped
        if listed:
            if close or ANNOUNCES.search(own) is not None or (not stopped and is_open(own[-60:])):
                return True
            return below.ordinal < 2 and self.names_list()
        return close and len(own) < 60 and are_sides(own, below.text)
