"""Collects the spans of one text in order, with the context of each sentence."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from summarizer.limits import check_sentences
from summarizer.segmentation.context import Context
from summarizer.segmentation.declared import strikes
from summarizer.segmentation.labels import ABBREVIATED, abbreviates_allergies
from summarizer.segmentation.pieces import in_order
from summarizer.segmentation.regions import is_region
from summarizer.segmentation.run_on import MAX_TOKENS, cut_run_on, opening
from summarizer.segmentation.section_titles import normalise, section_kind
from summarizer.types import (
    ContextKind,
    ContextSpan,
    Mark,
    MarkKind,
    Section,
    SectionKind,
    Segmentation,
    Sentence,
    Span,
)

_EXAM, _PROCEDURE, _OTHER = SectionKind.EXAM, SectionKind.PROCEDURE, SectionKind.OTHER
_COUNTED = 64
"""After so many sentences each time they are held to the limit of the note."""
_OPENING = 40
"""How much of a section's text says what an ambiguous title means."""
_PARENT_KINDS = frozenset(
    {
        SectionKind.REVIEW_OF_SYSTEMS,
        SectionKind.EXAM,
        SectionKind.FINDINGS,
        SectionKind.RESULTS,
        SectionKind.HOSPITAL_COURSE,
        SectionKind.ASSESSMENT,
        SectionKind.PLAN,
        SectionKind.PAST_HISTORY,
        SectionKind.IMPRESSION,
    }
)


class Spans:
    """Collects the spans of one text in order."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.context = Context(text, self._end_sections)
        self.may_be_letter = "Dear" in text or ",," in text
        self.alone = False
        """What is added now stands under nothing, and in no section."""
        self.sentences: list[Sentence] = []
        self.headings: list[Span] = []
        self.markers: list[Span] = []
        self.boilerplate: list[Span] = []
        self.section_kind: SectionKind | None = None
        """The kind of the section that is open or goes on with the next sentence, None where none is."""
        self._section: int | None = None  # which section is open
        self._titles: list[tuple[int, str, SectionKind]] = []
        self._ended: dict[int, int] = {}
        self._beside: int | None = None
        self._within: dict[int, tuple[str, SectionKind]] = {}
        self._continued: tuple[str, SectionKind] | None = None
        self._last = 0

    def _trim(self, start: int, end: int) -> tuple[int, int]:
        text = self.text
        while start < end and text[start].isspace():
            start += 1
        while start < end and text[end - 1].isspace():
            end -= 1
        return start, end

    def sentence(
        self, start: int, end: int, *, row: bool = False, more: tuple[ContextSpan, ...] = ()
    ) -> tuple[int, int] | None:
        """Add a sentence, cut where it runs on too long; white space at its ends is left out.

        With `row` it is a row of the table in hand; `more` is context beside what is open. Where it stands
        comes back, None if it is blank.
        """
        text = self.text
        if end <= start or text[start].isspace() or text[end - 1].isspace():
            start, end = self._trim(start, end)
            if start >= end:
                return None
        if self._continued is not None:
            self._open(start, *self._continued)
            self._continued = None
        section = self._section
        around = self.context.around(start, end, row=row)
        if self.alone:
            section, around = None, ()
        elif more:
            around = in_order([*around, *more], start, end)
        if end - start <= MAX_TOKENS:
            self.sentences.append(Sentence(start, end, section, around))
        else:
            self._add_pieces(start, end, section, around)
        if not len(self.sentences) % _COUNTED:
            check_sentences(len(self.sentences))
        self._last = end
        return start, end

    def _add_pieces(self, start: int, end: int, section: int | None, around: tuple[ContextSpan, ...]) -> None:
        """Add the pieces of a sentence that runs on; its opening stands with each."""
        head = opening(self.text, start, end)
        for begin, stop in cut_run_on(self.text, start, end):
            pieces = around
            if begin > start:
                pieces = in_order([*around, ContextSpan(start, head, ContextKind.LEAD_IN)], begin, stop)
            self.sentences.append(Sentence(begin, stop, section, pieces))

    def heading(
        self,
        start: int,
        end: int,
        code: str | None = None,
        *,
        declared: bool = False,
        own: bool = False,
        level: int = 0,
    ) -> None:
        """Add a heading, which opens a section; with `own` that of its paragraph alone.

        `level` is how deep it stands as the format declares it, from 1; 0 if that is not known.
        """
        start, end = self._trim(start, end)
        if start >= end:
            return
        within = self._in_force
        kind = self.open_section(start, end, code)
        self.headings.append(Span(start, end))
        self.context.heading(start, end, kind, declared=declared, own=own, level=level)
        if within is not None and self.context.headings.is_of_item(start):
            self._within[len(self._titles) - 1] = within
        self._last = end

    def open_section(self, start: int, end: int, code: str | None = None) -> SectionKind:
        """Open the section that `text[start:end]` names, if it is not open; its kind."""
        if self._is_open_at(start):
            return self._titles[-1][2]
        above, self._continued = self.section_kind, None
        title, kind = _opened(self.text[start:end], code)
        if title in ABBREVIATED and abbreviates_allergies(title, self.text[end : end + _OPENING], above):
            kind = SectionKind.ALLERGIES
        if kind is _EXAM and self._titles and is_region(normalise(title)):
            parent = self._titles[-1][2]
            if parent is _PROCEDURE:
                kind = SectionKind.FINDINGS
            elif parent in _PARENT_KINDS:
                kind = parent
        self._open(start, title, kind)
        return kind

    def _open(self, start: int, title: str, kind: SectionKind) -> None:
        """A section begins at `start`."""
        self._section = len(self._titles)
        self._titles.append((start, title, kind))
        self.section_kind = kind

    def _rename_kind(self, kind: SectionKind) -> None:
        """The section that opened last is of another kind than its title says."""
        self._titles[-1] = (*self._titles[-1][:2], kind)
        self._tell_kind()

    def _tell_kind(self) -> None:
        """Bring `section_kind` up to date."""
        force = self._in_force
        self.section_kind = None if force is None else force[1]

    def subheading(self, start: int, end: int) -> None:
        """Add a heading of one paragraph; the section that it stands in goes on behind that."""
        within = self._in_force
        beside = self._is_open_at(start)
        self.heading(start, end, own=True)
        if not beside and within is not None:
            if self._titles[-1][2] is _OTHER:
                self._rename_kind(within[1])
            self._within[len(self._titles) - 1] = within

    def addendum(self, start: int, end: int) -> None:
        """Add the heading of what was written later, of the kind of the section that it goes on with."""
        above = self.section_kind
        self.heading(start, end, declared=True)
        if above is not None:
            self._rename_kind(above)

    def _is_open_at(self, start: int) -> bool:
        """Whether the section that opened last begins here."""
        return bool(self._titles) and self._titles[-1][0] == start

    @property
    def _in_force(self) -> tuple[str, SectionKind] | None:
        """Title and kind of the section that is open, or that goes on with the next sentence."""
        if self._continued is not None:
            return self._continued
        return None if self._section is None else self._titles[self._section][1:]

    @property
    def is_beside(self) -> bool:
        """Whether the section that is open is that of a label which stays in its sentence."""
        return self._section is not None and self._section == self._beside

    @property
    def is_left(self) -> bool:
        """Whether the heading that opened the section is shown above no sentence any more."""
        return self._section is not None and not self.context.headings.is_open(self._titles[self._section][0])

    def open_beside(self, start: int, end: int) -> None:
        """Open the section of a label that stays in its sentence, beside those above that look like it."""
        above = self.section_kind
        kind = self.open_section(start, end)
        self._beside = len(self._titles) - 1
        if kind is _OTHER and above is not None and above in _PARENT_KINDS:
            self._rename_kind(above)

    @property
    def end(self) -> int:
        """Where the last span ends."""
        return self._last

    def _end_sections(self, start: int) -> None:
        """The section ends that a heading at `start`, or one behind it, has opened."""
        if self._section is not None and self._titles[self._section][0] >= start:
            self._continued = self._within.get(self._section)
            self._ended[self._section] = self._last
            self._section = None
            self._tell_kind()

    def marker(self, start: int, end: int) -> None:
        """Add a list marker."""
        self.markers.append(Span(start, end))
        self._last = end

    def add_boilerplate(self, start: int, end: int) -> None:
        """Add boilerplate."""
        start, end = self._trim(start, end)
        if start < end:
            self.boilerplate.append(Span(start, end))
            self._last = end

    def segmentation(self, marks: Sequence[Mark] = ()) -> Segmentation:
        """The result; a section ends with the last line before the next heading."""
        check_sentences(len(self.sentences))
        sections: list[Section] = []
        for index, (start, title, kind) in enumerate(self._titles):
            following = self._titles[index + 1][0] if index + 1 < len(self._titles) else self._last
            stop = self._ended.get(index, following)
            while stop > start and self.text[stop - 1].isspace():
                stop -= 1
            sections.append(Section(title, kind, start, stop))
        if any(mark.kind is MarkKind.STRIKE for mark in marks):
            found = strikes(self.text, marks, self.sentences)
            pairs = zip(self.sentences, found, strict=True)
            self.sentences = [_with_strikes(sentence, struck) for sentence, struck in pairs]
        return Segmentation(
            tuple(self.sentences),
            tuple(sections),
            tuple(self.headings),
            tuple(self.markers),
            tuple(self.boilerplate),
        )


@lru_cache(maxsize=8192)
def _opened(heading: str, code: str | None) -> tuple[str, SectionKind]:
    """The title that a heading shows, without marks around it, and the kind of section that it names."""
    title = heading.strip("#*_ \t").rstrip(":,;. \t-–—*_#").strip() or heading
    return title, section_kind(title, code)


def _with_strikes(sentence: Sentence, struck: Sequence[ContextSpan]) -> Sentence:
    """A sentence with what says of its words that they are struck out."""
    if not struck:
        return sentence
    context = in_order([*sentence.context, *struck], sentence.start, sentence.end)
    return replace(sentence, context=context)
