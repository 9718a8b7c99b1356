"""From the lines of a note to spans: headings, markers, boilerplate and sentences."""

from collections.abc import Collection, Iterable, Sequence

from summarizer.segmentation.boilerplate import letter_body
from summarizer.segmentation.labels import AFTER_COLON, LABEL
from summarizer.segmentation.layout import (
    _AXIS,
    Line,
    LineKind,
    classify,
    continues,
    read_lines,
    rejoin,
    wrap_width,
)
from summarizer.segmentation.list_marks import inline_markers
from summarizer.segmentation.midline import is_heading, midline_headings, newlines_lost, opening_title
from summarizer.segmentation.punctuation import sentence_ends
from summarizer.segmentation.regions import is_region
from summarizer.segmentation.run_on import MAX_TOKENS, cut_run_on
from summarizer.segmentation.section_titles import normalise, section_kind
from summarizer.types import (
    ContextKind,
    ContextSpan,
    Mark,
    Section,
    SectionKind,
    Segmentation,
    Sentence,
    Span,
)

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
        self.sentences: list[Sentence] = []
        self.headings: list[Span] = []
        self.markers: list[Span] = []
        self.boilerplate: list[Span] = []
        self._titles: list[tuple[int, str, SectionKind]] = []
        self._last = 0

    def _trim(self, start: int, end: int) -> tuple[int, int]:
        if start < end and not (self.text[start].isspace() or self.text[end - 1].isspace()):
            return start, end
        piece = self.text[start:end]
        stripped = piece.lstrip()
        start += len(piece) - len(stripped)
        return start, start + len(stripped.rstrip())

    def sentence(self, start: int, end: int) -> None:
        """Add a sentence, cut where it runs on too long; white space at its ends is left out."""
        start, end = self._trim(start, end)
        if start >= end:
            return
        section = len(self._titles) - 1 if self._titles else None
        if end - start <= MAX_TOKENS:
            self.sentences.append(Sentence(start, end, section, self._above()))
        else:
            for begin, stop in cut_run_on(self.text, start, end):
                self.sentences.append(Sentence(begin, stop, section, self._above()))
        self._last = end

    def _above(self) -> tuple[ContextSpan, ...]:
        """The heading a sentence stands under."""
        return tuple(ContextSpan(h.start, h.end, ContextKind.HEADING) for h in self.headings[-1:])

    def heading(self, start: int, end: int, code: str | None = None) -> None:
        """Add a heading, which opens a section."""
        start, end = self._trim(start, end)
        if start >= end:
            return
        title = self.text[start:end].strip("#*_ \t").rstrip(":,;. \t-–—*_#").strip() or self.text[start:end]
        kind = section_kind(title, code)
        if kind is SectionKind.EXAM and self._titles and is_region(normalise(title)):
            parent = self._titles[-1][2]
            kind = (
                SectionKind.FINDINGS
                if parent is SectionKind.PROCEDURE
                else parent
                if parent in _PARENT_KINDS
                else kind
            )
        self.headings.append(Span(start, end))
        self._titles.append((start, title, kind))
        self._last = end

    @property
    def context(self) -> SectionKind | None:
        """The kind of the section that is open, None before the first."""
        return self._titles[-1][2] if self._titles else None

    def marker(self, start: int, end: int) -> None:
        """Add a list marker."""
        self.markers.append(Span(start, end))
        self._last = end

    def furniture(self, start: int, end: int) -> None:
        """Add boilerplate."""
        start, end = self._trim(start, end)
        if start < end:
            self.boilerplate.append(Span(start, end))
            self._last = end

    def segmentation(self) -> Segmentation:
        """The result; a section ends with the last line before the next heading."""
        sections: list[Section] = []
        for index, (start, title, kind) in enumerate(self._titles):
            stop = self._titles[index + 1][0] if index + 1 < len(self._titles) else self._last
            stop = start + len(self.text[start:stop].rstrip())
            sections.append(Section(title, kind, start, stop))
        return Segmentation(
            tuple(self.sentences),
            tuple(sections),
            tuple(self.headings),
            tuple(self.markers),
            tuple(self.boilerplate),
        )


def segment_text(
    text: str, declared: Sequence[tuple[int, int, str | None]], marks: Sequence[Mark] = ()
) -> Segmentation:
    """The spans of a text; `declared` headings are taken as they are."""
    spans = Spans(text)
    at = 0
    for start, end, code in declared:
        _segment_stretch(spans, at, start)
        spans.heading(start, end, code)
        at = end
    _segment_stretch(spans, at, len(text))
    return spans.segmentation()


def _segment_stretch(spans: Spans, start: int, end: int) -> None:
    """The spans of a stretch of text without declared headings."""
    if start >= end:
        return
    stretch = spans.text[start:end]
    lines = read_lines(stretch)
    width = wrap_width(lines)
    classify(lines, stretch)
    rejoin(lines, width)
    if start:
        for line in lines:
            line.start += start
            line.end += start
    for block in _blocks(lines, width):
        _emit(spans, block)


def _blocks(lines: Iterable[Line], width: int) -> Iterable[list[Line]]:
    """Lines that belong together: a wrapped paragraph, an item with its continuation, else one line."""
    block: list[Line] = []
    for line in lines:
        if block and not line.after_blank and continues(line, block[-1], block[0], width):
            block.append(line)
            continue
        if block:
            yield block
        block = [line]
    if block:
        yield block


def _emit(spans: Spans, block: list[Line]) -> None:
    """Add the spans of one block."""
    first = block[0]
    start, end = first.start, block[-1].end
    if first.kind is LineKind.BOILERPLATE:
        spans.furniture(start, end)
    elif first.kind is LineKind.HEADING:
        spans.heading(start, end)
    elif first.kind is LineKind.ROW:
        spans.sentence(start, end)
    else:
        number = 0
        if first.marker:
            spans.marker(start, start + first.marker)
            digits = "".join(filter(str.isdigit, first.text[: first.marker]))
            number = int(digits) if digits.isdecimal() else 0
            start += first.marker
        body, close = letter_body(spans.text, start, end)
        spans.furniture(start, body)
        _running_text(spans, body, close, number)
        spans.furniture(close, end)


def _running_text(spans: Spans, start: int, end: int, number: int) -> None:
    """Add the spans of running text: numbered items inside it, then labels and sentences."""
    at = start
    lost = newlines_lost(spans.text, start, end)
    markers, inside = inline_markers(spans.text, start, end, number, lost_newlines=lost)
    for begin, stop in markers:
        _labelled_text(spans, at, begin, inside, lost)
        spans.marker(begin, stop)
        at = stop
    _labelled_text(spans, at, end, inside, lost)


def _labelled_text(spans: Spans, start: int, end: int, inside: Collection[int], lost: bool) -> None:
    """Add headings and sentences of text that may hold labels anywhere in a line."""
    text = spans.text
    at = _opening_headings(spans, start, end)
    sentence = at
    for begin, stop in [*midline_headings(text, at, end, spans.context, lost=lost), (end, end)]:
        if begin < sentence:
            continue
        for cut in sentence_ends(text, sentence, begin, inside):
            spans.sentence(sentence, cut)
            sentence = cut
        spans.sentence(sentence, begin)
        if stop > begin:
            spans.heading(begin, stop)
            sentence = _opening_headings(spans, stop, end)


def _opening_headings(spans: Spans, start: int, end: int) -> int:
    """Add the headings that text begins with, nested ones too; where the text after them begins."""
    text = spans.text
    origin = start
    while True:
        while start < end and text[start].isspace():
            start += 1
        axis = _AXIS.match(text, start, end)
        if axis:
            spans.heading(start, axis.end())
            start = axis.end()
            continue
        title = opening_title(text, start, end, first=start == origin)
        if title is not None:
            spans.heading(start, title)
            start = title
            continue
        label = LABEL.match(text, start, end)
        if label is None or not is_heading(text, label, end, spans.context, nested=start > origin):
            return start
        stop = AFTER_COLON.match(text, label.end(), end)
        to = stop.end() if stop else label.end()
        spans.heading(start, to)
        start = to
