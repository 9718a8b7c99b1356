"""The headings that are open at one place of a text, and what ends them."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from summarizer.segmentation.forms import gives_value, is_bare_list
from summarizer.segmentation.heads import (
    ANNOUNCES,
    DEEPER,
    FIELD,
    FIELDS,
    SURVEYS,
    Head,
    alike,
    encloses,
    is_field,
    is_label,
)
from summarizer.segmentation.labels import OPERATION
from summarizer.segmentation.line_ends import is_terminated
from summarizer.segmentation.regions import begins_with_region
from summarizer.segmentation.section_titles import AXIS, normalise
from summarizer.segmentation.tables import kind_of_table
from summarizer.segmentation.titles import is_statement
from summarizer.types import ContextSpan, SectionKind

_VITALS = SectionKind.VITALS
_PARENTS_OF_VITALS = frozenset({SectionKind.EXAM, SectionKind.HISTORY, SectionKind.RESULTS})
_GIVEN = frozenset({"immunizations", "immunisations", "immunization", "vaccines", "vaccinations", "shots"})
_LEFT_BY_ACRONYMS = FIELDS - {SectionKind.FAMILY_HISTORY} | {SectionKind.INSTRUCTIONS}
_ACRONYM = re.compile(r"[A-Z][A-Z0-9]{0,4} ?:")
_POINTS = re.compile(rf"{ANNOUNCES.pattern}|\b(?:see|list(?:ed)?|includ\w+|are|is|as)\b", re.I)
"""What points to a list or table below."""
_TABLED = frozenset({SectionKind.ALLERGIES, SectionKind.MEDICATIONS, SectionKind.RESULTS})
_LISTS = frozenset({SectionKind.ALLERGIES, SectionKind.MEDICATIONS})
"""Sections of things of one kind."""
_WITHOUT_FIGURES = frozenset(
    {SectionKind.ALLERGIES, SectionKind.CHIEF_COMPLAINT, SectionKind.INDICATION, SectionKind.ADMINISTRATIVE}
)
"""Fields whose values have none, so that a line of a name and a figure is of another matter."""
_OF_OPERATIONS = frozenset({SectionKind.FINDINGS, SectionKind.INDICATION, SectionKind.DIAGNOSIS})
_SENTENCE_BEFORE = re.compile(r"[^\W\d_]{2}[^\n]{0,80}[.;!?][ \t]{0,8}\Z")
_STOPS = (".", ";", "!", "?")


def indent_at(text: str, start: int) -> int:
    """White space at the beginning of a place's line, in characters; 0 where that is over 400 away."""
    if not start or text[start - 1] == "\n":
        return 0
    line_start = text.rfind("\n", max(0, start - 400), start) + 1
    if (line_start or start < 400) and not text[line_start:start].strip(" \t"):
        return start - line_start
    before = text[max(0, start - 400) : start + 1].splitlines()
    line = before[-1][:-1] if before else ""
    return len(line) - len(line.lstrip())


def has_text_behind(text: str, end: int) -> bool:
    """Whether more stands on the line behind a place."""
    if not text[end : end + 2].isspace() and end < len(text) and text[end] != "\n":
        return True
    line_end = text.find("\n", end, end + 200)
    return bool(text[end : line_end if line_end >= 0 else end + 200].strip())


@dataclass(slots=True)
class OpenHeadings:
    """A stack: each heading stands under those before it.

    Attributes:
        ended: is told from where on headings stood that ended here, with the sections that they had opened.
        changed: it is another stack than when `spans` was last asked for.
    """

    text: str
    ended: Callable[[int], None]
    heads: list[Head] = field(default_factory=list)
    changed: bool = False

    def spans(self) -> list[ContextSpan]:
        """The headings, as they are shown with a sentence that stands under them now."""
        self.changed = False
        spans = []
        for head in self.heads:
            head.used = True
            spans.append(head.span)
        return spans

    def clear(self) -> None:
        """All end; their sections stay."""
        self.changed = True
        self.heads.clear()

    def _drop_last(self) -> int:
        """The last one ends, and its section stays; where it began."""
        self.changed = True
        return self.heads.pop().span.start

    def _end_last(self) -> None:
        """The last one ends with its section."""
        self.ended(self._drop_last())

    def _end_last_while(self, ends: Callable[[Head], bool], *, sections: bool = True) -> None:
        """Those end, the last one first, for which `ends` says so; with `sections` what they opened too."""
        while self.heads and ends(self.heads[-1]):
            start = self._drop_last()
            if sections:
                self.ended(start)

    @property
    def top(self) -> Head | None:
        """The last one."""
        return self.heads[-1] if self.heads else None

    def follows_sentence(self, start: int) -> bool:
        """Whether a sentence, or a label that follows one, stands before a place on its line."""
        line_start = self.text.rfind("\n", max(0, start - 400), start) + 1
        if self.top is not None and self._on_one_line(self.top.span.end, start):
            return self.top.within
        line_start = max(line_start, start - 400)
        if not self.text[line_start:start].rstrip(" \t").endswith(_STOPS):
            return False
        return _SENTENCE_BEFORE.search(self.text, line_start, start) is not None

    def _on_one_line(self, end: int, start: int) -> bool:
        return start - end < 40 and not self.text[end:start].strip() and "\n" not in self.text[end:start]

    def add(self, head: Head, *, bulleted: bool) -> None:
        """A heading opens, and ends what it does not stand under; `bulleted`: its item counts nothing."""
        self.changed = True
        self._close_for(head, bulleted=bulleted)
        self.heads.append(head)

    def _close_for(self, head: Head, *, bulleted: bool) -> None:
        heads = self.heads
        if not heads or self._on_one_line(heads[-1].span.end, head.span.start):
            return
        top = heads[-1]
        if head.depth and bulleted:
            while heads and heads[-1].depth >= head.depth:
                heads.pop()
            return
        if over := [other for other in heads if 0 < other.level < head.level]:
            heads[:] = over
            return
        if head.main:
            keep = head.kind is _VITALS and top.main and top.kind in _PARENTS_OF_VITALS
            if not (keep and not top.used):
                heads[:] = [] if head.declared else [other for other in heads if other.names]
            return
        beside = any(
            not other.main and (other.upper, other.inline) == (head.upper, head.inline) for other in heads
        )
        while heads and not encloses(heads[-1], head, beside=beside):
            heads.pop()
        if heads and not (head.region or head.study) and alike(heads[-1], head):
            heads.clear()

    def end_within(self) -> None:
        """Those of one paragraph or line end with it."""
        while self.heads and self.heads[-1].within:
            self._end_last()

    def end_paragraph(self, at: int, *, item: bool) -> None:
        """A blank line above `at` ends labels with their text on one line, and fields if no item follows."""
        if self.heads and is_field(self.heads[-1], self.text, at) and not (item and self._announces(at)):
            self._end_last()
        while self.heads and self.heads[-1].inline and (not self.heads[-1].main or self.heads[-1].depth):
            head = self.heads[-1]
            name = normalise(self.text[head.span.start : head.span.end])
            start = self._drop_last()
            if head.depth or AXIS.fullmatch(name):
                self.ended(start)

    def end_deeper(self, depth: int, *, sections: bool) -> None:
        """Those of items that are closed end; with `sections` what they opened too."""
        self._end_last_while(lambda head: head.depth > depth, sections=sections)

    def begin_counted(self, indent: int, ordinal: int) -> None:
        """A counted item begins: the section ends that the one before it names with its text on its line.

        One that goes through regions stays: the next item may be a region too.
        """
        top = self.top
        if top is None or top.item is None or top.kind in SURVEYS:
            return
        if ordinal == 1:
            top.item = None  # its own items are counted
        elif abs(top.item[0] - indent) < DEEPER and ordinal == top.item[1] + 1:
            self._end_last()

    def end_bare_list(self, at: int) -> None:
        """Running text begins behind a blank line above `at`: the label of a list without marks ends."""
        top = self.top
        if top is None or top.inline or top.declared or (top.main and top.kind not in _LISTS):
            return
        if is_bare_list(self.text[top.span.end : at].strip()):
            self._end_last()

    def end_listed(self, *, sections: bool) -> None:
        """Those of a list that has ended end."""
        if self.heads:
            self._end_last_while(lambda head: head.listed and head.used, sections=sections)

    def end_tabled(self) -> None:
        """Those of a table that has ended end."""
        self._end_last_while(lambda head: head.tabled and head.used)

    def own_list(self) -> None:
        """A list begins; a heading right above it that names no section belongs to it alone."""
        if self.heads and not (top := self.heads[-1]).main and not top.used:
            top.listed = True

    def _announces(self, at: int) -> bool:
        """Whether what the last one has for its text above `at` is nothing, or announces what is below."""
        value = self.text[self.heads[-1].span.end : at].strip()
        return not value or value[-1] == ":" or _POINTS.search(value) is not None

    def end_above_table(self, at: int) -> None:
        """A declared table begins at `at`, behind a blank line: labels end whose value stands above that.

        One whose value announces something stays, as does one that names a section or has running text.
        """
        while self.heads and not self._announces(at):
            head = self.heads[-1]
            if head.main and not (is_field(head, self.text, at) and not head.declared):
                return
            value = self.text[head.span.end : at].strip()
            if (
                not head.main
                and not head.inline
                and (
                    "\n" in value
                    or len(value) >= FIELD
                    or (is_terminated(value) and (head.region or head.study))
                )
            ):
                return
            self._end_last()

    def end_above_other_table(self, row: Sequence[str]) -> None:
        """A table begins behind a blank line and another: a section ends that it is not of, by its heads."""
        top = self.top
        if top is None or not (top.main and top.used) or top.kind not in _TABLED:
            return
        if kind_of_table(row) not in (None, top.kind):
            self._end_last()

    def own_table(self) -> None:
        """A table begins; a heading right above it that names no section belongs to it alone."""
        if self.heads and not (top := self.heads[-1]).main and not top.used:
            top.tabled = True

    def begin_line(self, indent: int) -> None:
        """Text begins on a line: those end whose text, or which themselves, stand in from there."""
        while self.heads:
            top = self.heads[-1]
            if top.inline:
                if top.indent < indent + DEEPER:
                    return
                self._end_last()
                continue
            if top.body is None:
                top.body = indent
            if not top.indent + DEEPER <= top.body or indent > top.indent:
                return
            self._end_last()

    def is_open(self, start: int) -> bool:
        """Whether the heading that begins at `start` stands above what follows."""
        return any(head.span.start == start for head in self.heads)

    def is_of_item(self, start: int) -> bool:
        """Whether the heading that begins at `start` is open and ends with the item that it stands in."""
        top = self.top
        return top is not None and top.depth > 0 and top.span.start == start

    @property
    def in_study(self) -> bool:
        """Whether a study with its text on its line is open (`CXR: clear.`)."""
        heads = self.heads
        return bool(heads) and heads[-1].inline and heads[-1].test

    def end_study(self) -> None:
        """What follows on the line is another test."""
        self._drop_last()

    def begin_statement(self, start: int, end: int) -> None:
        """Running text begins on a line: what speaks of another region does not stand under the last one.

        Nor does a name with a figure (`Lead 14`) stand under a field of another matter, a statement under a
        field, or a line of its own under a label that nobody knows and that has its value on the line above.
        """
        top = self.top
        if top is None or not top.inline:
            return
        if not top.declared and self._is_left_by(top, start, end):
            self._end_last()
            return
        if not top.region or top.main:
            return
        named = begins_with_region(self.text[start:end])
        if named and named not in normalise(self.text[top.span.start : top.span.end]):
            self._end_last()

    def _is_left_by(self, top: Head, start: int, end: int) -> bool:
        """Whether a line is no part of the value that a label has, without a stop, on the line above."""
        value, line = self.text[top.span.end : start], self.text[start:end].rstrip()
        if value.count("\n") != 1 or is_terminated(value.rstrip()) or not value.strip():
            return False
        if line[0].islower() or indent_at(self.text, start) > top.indent:
            return False
        figured = len(line) < FIELD and gives_value(line)
        if not top.main:
            return figured or line.startswith("***") or not (top.region or top.study)
        given = normalise(self.text[top.span.start : top.span.end]) in _GIVEN or top.kind in _WITHOUT_FIGURES
        if figured and given and not any(map(str.isdigit, value)):
            return True
        return top.kind in FIELDS and top.kind is not SectionKind.FAMILY_HISTORY and is_statement(line)

    def _is_left_by_acronym(self, top: Head, start: int) -> bool:
        """Whether a label below one with its value is an acronym, whose capitals say nothing of its rank."""
        fits = not top.study
        if top.main:
            fits = top.kind in _LEFT_BY_ACRONYMS
        return fits and _ACRONYM.match(self.text, start) is not None

    def end_inline(self, start: int) -> None:
        """A line begins with a label of another form, or a time: labels and fields above it end."""
        self._end_while(start, is_label)

    def begin_title(self, start: int, *, upper: bool, apart: bool) -> None:
        """A line titles those below it: labels end, and with `apart`, behind a blank line, titles like it."""
        self._end_while(start, lambda head: head.inline or (apart and head.upper == upper))

    def _end_while(self, start: int, ends: Callable[[Head], bool]) -> None:
        """Headings of lines above `start` end as long as `ends` says so."""
        self._end_last_while(lambda head: "\n" in self.text[head.span.end : start] and ends(head))

    def begin_label(self, start: int, *, upper: bool) -> bool:
        """A label that is no heading begins a line: what stands above it in the same form ends there.

        In capitals a section may be divided by labels of its form; else a line of its own form ends it.
        A label in capitals that is no section ends in any form.

        Returns:
            Whether anything did.
        """
        return self._close_alike(start, upper=upper, main=not upper, any_form=True)

    def begin_value(self, start: int, *, upper: bool, apart: bool = False, own: bool = False) -> bool:
        """A label with its value begins a line: those above that look like it are not its headings.

        Args:
            start: of the label.
            upper: it is in capitals.
            apart: it names a section of its own, and a blank line stands above it.
            own: it names a section of its own.

        Returns:
            Whether any of those ended.
        """
        top = self.top
        if (
            apart
            and top is not None
            and top.used
            and (top.upper or not upper)
            and indent_at(self.text, start) <= top.indent
        ):
            self.clear()
            return True
        return self._close_alike(start, upper=upper, main=True, any_form=own)

    def _end_of_operation(self, start: int) -> None:
        """What was found, or why, ends where a line begins with a field of the operation (`EBL: min`)."""
        colon = self.text.find(":", start)
        if normalise(self.text[start:colon]) in OPERATION:
            self._end_while(start, lambda head: head.kind in _OF_OPERATIONS)

    def _close_alike(self, start: int, *, upper: bool, main: bool, any_form: bool) -> bool:
        """Close labels above, with their text on a line, that look like one at `start`; say whether.

        With `any_form` also those in capitals that are no sections.
        """
        count = len(self.heads)
        if count and self.heads[-1].kind in _OF_OPERATIONS:
            self._end_of_operation(start)
        while self.heads:
            top = self.heads[-1]
            main = main or (top.main and not top.upper and upper and self._is_left_by_acronym(top, start))
            like = top.upper == upper or (any_form and top.upper and not top.main)
            like = like or (upper and not top.upper and self._is_left_by_acronym(top, start))
            if not (top.inline and like) or (top.main and not main):
                break
            if "\n" not in self.text[top.span.end : start]:
                break
            self._drop_last()
        return len(self.heads) < count
