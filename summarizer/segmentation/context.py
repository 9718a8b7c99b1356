"""What stands around a sentence and must be read with it: headings, lead-in, question, head of a table."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from summarizer.segmentation.heads import (
    DEEPER,
    Head,
    alike,
    encloses,
    is_field,
    is_label,
    is_main,
    names_document,
)
from summarizer.segmentation.pieces import in_order, place
from summarizer.segmentation.regions import STUDIES, begins_with_region, is_region, is_study
from summarizer.segmentation.section_titles import AXIS, normalise
from summarizer.segmentation.table_context import TableContext
from summarizer.types import ContextKind, ContextSpan, SectionKind, Span

_PARENTS_OF_VITALS = frozenset({SectionKind.EXAM, SectionKind.HISTORY, SectionKind.RESULTS})
_SENTENCE_BEFORE = re.compile(r"[^\W\d_]{2}[^\n]{0,80}[.;!?][ \t]{0,8}\Z")


@dataclass(slots=True)
class _Item:
    """An item of a list; `lead` is its text where deeper items belong to it."""

    indent: int
    style: str
    lead: Span | None = None


@dataclass(slots=True)
class Context:
    """The context at one place of a text, moved along as its spans are found.

    Attributes:
        ended: is told from where on headings stood that ended here, with the sections that they had opened.
    """

    text: str
    ended: Callable[[int], None]
    _heads: list[Head] = field(default_factory=list)
    _lead: ContextSpan | None = None
    _led_from: int | None = None
    _items: list[_Item] = field(default_factory=list)
    _question: Span | None = None
    table: TableContext = field(default_factory=TableContext)
    _items_open: bool = False
    topic: ContextSpan | None = None
    _in_table: bool = False
    _open: tuple[ContextSpan, ...] | None = None

    def heading(self, start: int, end: int, kind: SectionKind, *, declared: bool, own: bool = False) -> None:
        """A heading opens and closes those beside it; one that is open already does nothing.

        With `own` it is that of its paragraph or line alone.
        """
        if self._heads and self._heads[-1].span.start == start:
            return
        self._open = None
        title = self.text[start:end]
        name = normalise(title)
        main = is_main(name, declared=declared)
        inside = self._items_open and not main
        if not inside and not (self._led_from is not None and self._indent(start) > self._led_from + 1):
            self.leave_list(sections=False)
        self._question = None
        self.table.end()
        if kind in (SectionKind.ADMINISTRATIVE, SectionKind.OTHER) and names_document(title, name):
            self._heads.clear()
            return
        depth = len(self._items) if inside else 0
        span = ContextSpan(start, end, ContextKind.HEADING)
        head = Head(
            span,
            kind,
            main,
            is_region(name),
            is_study(name),
            self._indent(start),
            title.isupper(),
            self._has_text_behind(end),
            depth,
            within=own or (not declared and not title.isupper() and self._follows_sentence(start)),
        )
        self._close_for(head)
        self._heads.append(head)

    def _close_for(self, head: Head) -> None:
        """Close what a new heading does not stand under."""
        heads = self._heads
        if not heads or self._on_one_line(heads[-1].span.end, head.span.start):
            return
        top = heads[-1]
        if head.main:
            keep = head.kind is SectionKind.VITALS and top.main and top.kind in _PARENTS_OF_VITALS
            if not (keep and not top.used):
                heads.clear()
            return
        beside = any(
            not other.main and (other.upper, other.inline) == (head.upper, head.inline) for other in heads
        )
        while heads and not encloses(heads[-1], head, beside=beside):
            heads.pop()
        if heads and not (head.region or head.study) and alike(heads[-1], head):
            heads.clear()

    def close_all(self) -> None:
        """What stands above has nothing to do with what follows, as above the greeting of a letter."""
        self.ended(0)
        self._open = None
        self.leave_list()
        self.table.end()
        self._heads.clear()

    def _indent(self, start: int) -> int:
        line_start = self.text.rfind("\n", max(0, start - 400), start) + 1
        before = self.text[line_start:start]
        return len(before) - len(before.lstrip())

    def _follows_sentence(self, start: int) -> bool:
        """Whether a sentence, or a label that follows one, stands before a place on its line."""
        line_start = self.text.rfind("\n", max(0, start - 400), start) + 1
        top = self._heads[-1] if self._heads else None
        if top is not None and self._on_one_line(top.span.end, start):
            return top.within
        return _SENTENCE_BEFORE.search(self.text, max(line_start, start - 400), start) is not None

    def _has_text_behind(self, end: int) -> bool:
        line_end = self.text.find("\n", end, end + 200)
        return bool(self.text[end : line_end if line_end >= 0 else end + 200].strip())

    def _on_one_line(self, end: int, start: int) -> bool:
        return start - end < 40 and not self.text[end:start].strip() and "\n" not in self.text[end:start]

    def begin_block(self) -> None:
        """Another paragraph, item or line begins: labels inside the last one end with it."""
        if self.topic is not None:
            self.begin_numbered(None)
        while self._heads and self._heads[-1].within:
            self._open = None
            self.ended(self._heads.pop().span.start)

    def end_paragraph(self, at: int, *, item: bool) -> None:
        """A blank line above `at` closes labels with their text on one line, and lists that do not go on.

        The section of an axis of a diagnosis ends with it, and that of a field with its value: nothing below
        the line belongs to one.
        """
        if not item and self._heads and is_field(self._heads[-1], self.text, at):
            self._open = None
            self.ended(self._heads.pop().span.start)
        while self._heads and not self._heads[-1].main and self._heads[-1].inline:
            self._open = None
            span = self._heads.pop().span
            if AXIS.fullmatch(normalise(self.text[span.start : span.end])):
                self.ended(span.start)
        if not item:
            self.leave_list()
            self._close_listed()

    def leave_list(self, *, sections: bool = True) -> None:
        """The list ends, and what led in to it; with `sections` also those that its headings opened."""
        if self._lead is None and not self._items:
            return
        self._open = None
        self._lead = self._led_from = None
        self._items.clear()
        self._close_deeper()
        self._close_listed(sections=sections)

    def _close_listed(self, *, sections: bool = True) -> None:
        """Close the headings of the list that has ended."""
        while self._heads and self._heads[-1].listed and self._heads[-1].used:
            self._open = None
            start = self._heads.pop().span.start
            if sections:
                self.ended(start)

    def _close_deeper(self) -> None:
        """Close the headings of items that are closed."""
        while self._heads and self._heads[-1].depth > len(self._items):
            self._heads.pop()

    def begin_list(self, start: int, end: int, *, indented: bool = False) -> None:
        """What stands between `start` and `end` leads in to items, or to lines `indented` from it."""
        self._open = None
        self._led_from = self._indent(start) if indented else None
        question = self.text[end - 1] in "?？؟"
        self._lead = ContextSpan(start, end, ContextKind.QUESTION if question else ContextKind.LEAD_IN)
        self._items.clear()
        self._close_deeper()

    def is_open(self, start: int) -> bool:
        """Whether the heading that begins at `start` stands above what follows."""
        return any(head.span.start == start for head in self._heads)

    @property
    def in_items(self) -> bool:
        """Whether items of a list stand right above."""
        return bool(self._items)

    def list_under_heading(self) -> None:
        """A list begins; a heading right above it that names no section belongs to it alone."""
        if self._heads and not self._heads[-1].main and not self._heads[-1].used:
            self._heads[-1].listed = True

    def table_under_heading(self) -> None:
        """A table begins; a heading right above it that names no section belongs to it alone."""
        if self._heads and not self._heads[-1].main and not self._heads[-1].used:
            self._heads[-1].tabled = True
        self._in_table = True

    def end_table(self, *, label: bool) -> None:
        """What follows is no row; with `label` what stands above the table ends with it."""
        self.table.end()
        below, self._in_table = self._in_table, False
        if not (label and below):
            return
        if self._lead is not None and not self._items:
            self.leave_list()
        while self._heads and self._heads[-1].tabled and self._heads[-1].used:
            self._open = None
            self.ended(self._heads.pop().span.start)

    def begin_item(self, indent: int, style: str) -> None:
        """An item begins: it stands under those that are less indented, or that count in another way."""
        self._open = None
        items = self._items
        while items:
            top = items[-1]
            deeper = indent > top.indent + 1 or (
                abs(indent - top.indent) < 2 and style not in [item.style for item in items]
            )
            if deeper:
                break
            items.pop()
        self._close_deeper()
        items.append(_Item(indent, style))
        self._items_open = True

    def leads_deeper(self, indent: int) -> bool:
        """Whether lines at this indent stand under the item in hand, which leads in to them."""
        return bool(self._items) and self._items[-1].lead is not None and indent > self._items[-1].indent + 1

    def begin_numbered(self, topic: Span | None) -> None:
        """Text behind a number begins; its opening words, if they only name what it speaks of."""
        self._open = None
        self.topic = None if topic is None else ContextSpan(topic.start, topic.end, ContextKind.LEAD_IN)

    def end_item(self) -> None:
        """The text of the item in hand ends."""
        self._items_open = False

    def item_leads(self, start: int, end: int) -> None:
        """The text of the item in hand, for the items under it."""
        self._open = None
        if self._items:
            self._items[-1].lead = Span(start, end)

    def ask(self, start: int, end: int) -> None:
        """A question that stands without its answer."""
        self._question = Span(start, end)

    def take_question(self) -> Span | None:
        """The question that waits for its answer; it waits no longer."""
        question, self._question = self._question, None
        return question

    def around(self, start: int, end: int, *, row: bool = False) -> tuple[ContextSpan, ...]:
        """The context of the sentence `text[start:end]`, in the order of the text."""
        if self._open is None:
            self._open = self._pieces()
        if row and self.table.columns:
            return in_order([*self._open, *self.table.columns], start, end)
        if self._open and self._open[-1].end > start:
            return in_order(self._open, start, end)
        return self._open

    @property
    def in_study(self) -> bool:
        """Whether a study with its text on its line is open (`CXR: clear.`)."""
        top = self._heads[-1] if self._heads else None
        if top is None or not top.inline:
            return False
        return top.study or normalise(self.text[top.span.start : top.span.end]) in STUDIES

    def end_study(self) -> None:
        """What follows on the line is another test."""
        self._open = None
        self._heads.pop()

    def begin_statement(self, start: int, end: int) -> None:
        """Running text begins on a line: what speaks of another region does not stand under the last one."""
        top = self._heads[-1] if self._heads else None
        if top is None or not (top.region and top.inline) or top.main:
            return
        named = begins_with_region(self.text[start:end])
        if named and named not in normalise(self.text[top.span.start : top.span.end]):
            self._open = None
            self.ended(self._heads.pop().span.start)

    def begin_line(self, indent: int) -> None:
        """Text begins on a line: what stands above indented text ends where the text is so no more."""
        if self._led_from is not None and indent <= self._led_from:
            self.leave_list()
        while self._heads and not self._heads[-1].inline:
            top = self._heads[-1]
            if top.body is None:
                top.body = indent
            if not top.indent + DEEPER <= top.body or indent > top.indent:
                break
            self._open = None
            self.ended(self._heads.pop().span.start)

    def end_inline(self, start: int) -> None:
        """A line begins with a label of another form, or a time: labels and fields above it end."""
        self._end_while(start, is_label)

    def begin_title(self, start: int, *, upper: bool, apart: bool) -> None:
        """A line titles those below it: labels end, and with `apart`, behind a blank line, titles like it."""
        self._end_while(start, lambda head: head.inline or (apart and head.upper == upper))

    def _end_while(self, start: int, ends: Callable[[Head], bool]) -> None:
        """Headings of lines above `start` end, the last one first, as long as `ends` says so."""
        while self._heads and ends(self._heads[-1]):
            if "\n" not in self.text[self._heads[-1].span.end : start]:
                break
            self._open = None
            self.ended(self._heads.pop().span.start)

    def begin_label(self, start: int, *, upper: bool) -> bool:
        """A label that is no heading begins a line: what stands above it in the same form ends there.

        In capitals a section may be divided by labels of its form; else a line of its own form ends it.

        Returns:
            Whether anything did.
        """
        return self._close_alike(start, upper=upper, main=not upper)

    def begin_value(self, start: int, *, upper: bool, apart: bool = False) -> bool:
        """A label with its value begins a line: those above that look like it are not its headings.

        Args:
            start: of the label.
            upper: it is in capitals.
            apart: it names a section of its own, and a blank line stands above it.

        Returns:
            Whether any of those ended.
        """
        top = self._heads[-1] if self._heads else None
        if (
            apart
            and top is not None
            and top.used
            and (top.upper or not upper)
            and self._indent(start) <= top.indent
        ):
            self._open = None
            self._heads.clear()
            return True
        return self._close_alike(start, upper=upper, main=True)

    def _close_alike(self, start: int, *, upper: bool, main: bool) -> bool:
        """Close labels above, with their text on a line, that look like one at `start`; say whether."""
        count = len(self._heads)
        while self._heads:
            top = self._heads[-1]
            if not top.inline or top.upper != upper or (top.main and not main):
                break
            if "\n" not in self.text[top.span.end : start]:
                break
            self._open = None
            self._heads.pop()
        return len(self._heads) < count

    def _pieces(self) -> tuple[ContextSpan, ...]:
        """All that is open but the head of a table."""
        pieces = []
        for head in self._heads:
            head.used = True
            pieces.append(head.span)
        if self._lead is not None:
            pieces.append(self._lead)
        pieces += [
            ContextSpan(item.lead.start, item.lead.end, ContextKind.LEAD_IN)
            for item in self._items
            if item.lead is not None
        ]
        if self.topic is not None:
            pieces.append(self.topic)
        return tuple(pieces if len(pieces) < 2 else sorted(set(pieces), key=place))
