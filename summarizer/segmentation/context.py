"""What stands around a sentence and must be read with it: headings, lead-in, question, head of a table."""

from collections.abc import Callable
from dataclasses import dataclass, field

from summarizer.segmentation.heads import Head, look, markdown_level, names_document
from summarizer.segmentation.labels import FIELDS_ALONE
from summarizer.segmentation.open_headings import OpenHeadings, has_text_behind, indent_at
from summarizer.segmentation.pieces import in_order, sorted_pieces
from summarizer.segmentation.table_context import TableContext
from summarizer.segmentation.titles import ACTIONS
from summarizer.types import ContextKind, ContextSpan, SectionKind, Span

_ALLERGIES, _HEADING, _LEAD_IN = SectionKind.ALLERGIES, ContextKind.HEADING, ContextKind.LEAD_IN
_UNTOLD = frozenset({SectionKind.ADMINISTRATIVE, SectionKind.OTHER})
_OF_PROBLEMS = frozenset({SectionKind.ASSESSMENT, SectionKind.PLAN, SectionKind.INSTRUCTIONS})
"""What a form asks for of each problem."""
_COUNTED = ("1", "A", "a")
"""Styles of lists that number sections as well as items."""


@dataclass(slots=True)
class _Item:
    """An item of a list; `lead` is its text where deeper items belong to it."""

    indent: int
    style: str
    lead: Span | None = None
    ordinal: int = 0


@dataclass(slots=True)
class Context:
    """The context at one place of a text, moved along as its spans are found.

    Attributes:
        ended: is told from where on headings stood that ended here, with the sections that they had opened.
    """

    text: str
    ended: Callable[[int], None]
    _lead: ContextSpan | None = None
    _led_from: int | None = None
    _items: list[_Item] = field(default_factory=list)
    _question: Span | None = None
    table: TableContext = field(default_factory=TableContext)
    _items_open: bool = False
    topic: ContextSpan | None = None
    _problem: ContextSpan | None = None
    _problem_indent: int = -1  # of the label that names it, -1 where it has none
    in_table: bool = False
    _open: tuple[ContextSpan, ...] | None = None
    headings: OpenHeadings = field(init=False)

    def __post_init__(self) -> None:
        self.headings = OpenHeadings(self.text, self.ended)

    def heading(
        self, start: int, end: int, kind: SectionKind, *, declared: bool, own: bool = False, level: int = 0
    ) -> None:
        """A heading opens and closes those beside it; one that is open already does nothing.

        With `own` it is that of its paragraph or line alone. `level` is as of a `Head`.
        """
        top = self.headings.top
        if top is not None and top.span.start == start:
            return
        self._open = None
        title = self.text[start:end]
        name, upper, main, region, study, test = look(title, declared=declared)
        main = main or (name == "all" and kind is _ALLERGIES)
        inline = has_text_behind(self.text, end)
        indent = indent_at(self.text, start)
        item = self._items[-1] if self._items else None
        bulleted = item is not None and item.style not in _COUNTED
        inside = self._items_open and (not main or (inline and bulleted))
        if not inside and not (self._led_from is not None and indent > self._led_from + 1):
            self.leave_list(sections=False)
        self._question = None
        self.table.end()
        if kind in _UNTOLD and names_document(title, name):
            self.headings.clear()
            return
        depth = len(self._items) if inside else 0
        span = ContextSpan(start, end, _HEADING)
        head = Head(
            span,
            kind,
            main,
            region,
            study,
            test,
            indent,
            upper,
            inline,
            depth,
            within=own or (not declared and not upper and self.headings.follows_sentence(start)),
            declared=declared,
            listed=not inline and ((upper and name in ACTIONS) or name in FIELDS_ALONE),
            item=(item.indent, item.ordinal) if item and self._items_open and inline and not inside else None,
            level=level or markdown_level(title),
        )
        if main and not depth and not (self._problem_indent >= 0 and inline and kind in _OF_PROBLEMS):
            self.end_problem()
        self.headings.add(head, bulleted=bool(depth) and bulleted)

    def close_all(self) -> None:
        """What stands above has nothing to do with what follows, as above the greeting of a letter."""
        self.ended(0)
        self._open = None
        self.leave_list()
        self.table.end()
        self.headings.clear()

    def begin_block(self) -> None:
        """Another paragraph, item or line begins: labels inside the last one end with it."""
        if self.topic is not None:
            self.begin_numbered(None)
        if self.headings.heads:
            self.headings.end_within()

    def end_paragraph(self, at: int, *, item: bool, prose: bool = False) -> None:
        """A blank line above `at` closes labels with their text on one line, and lists that do not go on.

        The section of an axis of a diagnosis ends with it, and that of a field with its value: nothing below
        the line belongs to one. Where `prose` stands below, a list without marks is left too.
        """
        if self.headings.heads:
            self.headings.end_paragraph(at, item=item)
            if prose:
                self.headings.end_bare_list(at)
        if not item:
            self.end_problem()
            self.leave_list()
            self.headings.end_listed(sections=True)

    def leave_list(self, *, sections: bool = True) -> None:
        """The list ends, and what led in to it; with `sections` also those that its headings opened."""
        if self._lead is None and not self._items:
            return
        self._open = None
        self._lead = self._led_from = None
        self._items.clear()
        self.headings.end_deeper(0, sections=sections)
        self.headings.end_listed(sections=sections)

    def begin_list(self, start: int, end: int, *, indented: bool = False) -> None:
        """What stands between `start` and `end` leads in to items, or to lines `indented` from it."""
        self._open = None
        self._led_from = indent_at(self.text, start) if indented else None
        question = self.text[end - 1] in "?？؟"
        self._lead = ContextSpan(start, end, ContextKind.QUESTION if question else _LEAD_IN)
        self._items.clear()
        self.headings.end_deeper(len(self._items), sections=True)

    @property
    def in_items(self) -> bool:
        """Whether items of a list stand right above."""
        return bool(self._items)

    def end_above_table(self, at: int) -> None:
        """A declared table begins at `at`, behind a blank line: what has its text above that ends."""
        if self._lead is not None and not self._items and self.text[self._lead.end : at].strip():
            self.leave_list()
        self.headings.end_above_table(at)

    def begin_table(self) -> None:
        """A table begins."""
        self.headings.own_table()
        self.in_table = True

    def end_table(self, *, label: bool) -> None:
        """What follows is no row; with `label` what stands above the table ends with it."""
        self.table.end()
        below, self.in_table = self.in_table, False
        if not (label and below):
            return
        if self._lead is not None and not self._items:
            self.leave_list()
        self.headings.end_tabled()

    def begin_item(self, indent: int, style: str, ordinal: int = 0) -> None:
        """An item begins: it stands under those that are less indented, or that count in another way."""
        self._open = None
        if ordinal:
            self.headings.begin_counted(indent, ordinal)
        items = self._items
        while items:
            top = items[-1]
            deeper = indent > top.indent + 1 or (
                abs(indent - top.indent) < 2 and style not in [item.style for item in items]
            )
            if deeper:
                break
            items.pop()
        self.headings.end_deeper(len(self._items), sections=True)
        items.append(_Item(indent, style, ordinal=ordinal))
        self._items_open = True

    def begin_problem(self, start: int, end: int, *, indent: int = -1) -> None:
        """A problem is named (`# Cellulitis`), which all up to the next one or a blank line speaks of.

        With the `indent` of a label (`Problem: gout`), its labelled fields and what stands in from it do.
        """
        self._open = None
        self._problem_indent = indent
        self._problem = ContextSpan(start, end, _LEAD_IN)

    def end_problem(self) -> None:
        """What follows is no more about the problem."""
        if self._problem is not None:
            self._open = self._problem = None
            self._problem_indent = -1

    def begin_plain(self, indent: int) -> None:
        """A line without a label begins: it is about a labelled problem only if it stands in from that."""
        if indent <= self._problem_indent:
            self.end_problem()

    def leads_deeper(self, indent: int) -> bool:
        """Whether lines at this indent stand under the item in hand, which leads in to them."""
        return bool(self._items) and self._items[-1].lead is not None and indent > self._items[-1].indent + 1

    def begin_numbered(self, topic: Span | None) -> None:
        """Text behind a number begins; its opening words, if they only name what it speaks of."""
        self._open = None
        self.topic = None if topic is None else ContextSpan(topic.start, topic.end, _LEAD_IN)

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

    def begin_line(self, start: int) -> None:
        """Text begins a line at `start`: what stands above indented text ends where it is so no more."""
        if self._led_from is None and not self.headings.heads:
            return
        indent = indent_at(self.text, start)
        if self._led_from is not None and indent <= self._led_from:
            self.leave_list()
        self.headings.begin_line(indent)

    def around(self, start: int, end: int, *, row: bool = False) -> tuple[ContextSpan, ...]:
        """The context of the sentence `text[start:end]`, in the order of the text."""
        if self._open is None or self.headings.changed:
            self._open = self._pieces()
        if row and self.table.columns:
            return in_order([*self._open, *self.table.columns], start, end)
        if self._open and self._open[-1].end > start:
            return in_order(self._open, start, end)
        return self._open

    def _pieces(self) -> tuple[ContextSpan, ...]:
        """All that is open but the head of a table."""
        pieces = self.headings.spans()
        if not self._items and self._lead is None and self._problem is None and self.topic is None:
            return tuple(pieces)
        if self._problem is not None:
            pieces.append(self._problem)
        if self._lead is not None:
            pieces.append(self._lead)
        pieces += [
            ContextSpan(item.lead.start, item.lead.end, _LEAD_IN)
            for item in self._items
            if item.lead is not None
        ]
        if self.topic is not None:
            pieces.append(self.topic)
        return tuple(pieces) if len(pieces) < 2 else sorted_pieces(pieces)
