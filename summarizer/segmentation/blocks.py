"""From the lines of a note to spans: headings, markers, boilerplate and sentences."""

import re
from collections.abc import Collection, Iterable, Sequence

from summarizer.segmentation.labels import AFTER_COLON, LABEL, Role, known_heading, opens_section, role
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
from summarizer.segmentation.punctuation import sentence_ends
from summarizer.segmentation.regions import EXAM_REGIONS, is_region, is_study
from summarizer.segmentation.run_on import cut_run_on
from summarizer.segmentation.section_titles import TITLE_KINDS, normalise, section_kind
from summarizer.types import Section, SectionKind, Segmentation, Sentence, Span

_INLINE_NUMBER = re.compile(
    r"(?:(?<=[\s:,;.)])|(?<![\s\S]))\(?(\d{1,2})[.)](?=[ \t]*[A-Z\"(]|[ \t]+[a-z]|(?<=\))[a-z])"
)
_BARE_TITLE = re.compile(r"(?P<words>[A-Z][A-Z /&-]{3,60}+),(?=[ \t]*(?:\d{1,2}[.)]|[A-Z]|$))")
_BARE_INSIDE = re.compile(r"(?<=[a-z0-9.;)],)" + _BARE_TITLE.pattern)
_LINE_ENDED = re.compile(r":[ \t]*,")
_NEWLINE_LOST = re.compile(r"[.:;][ \t]*,[ \t]*$")
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
_STOPPED = re.compile(r"[.,;:?!)][\"'”’]?\s*$")
_NO_LABEL = re.compile(r"[.;:?!]")
_WORD = re.compile(r"\S+")
_NO_LABEL_AFTER = frozenset(
    "the of and his her their with in to a an for by on at from or this is was".split()
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
        for begin, stop in cut_run_on(self.text, start, end):
            self.sentences.append(Sentence(begin, stop, section))
        self._last = end

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


def segment_text(text: str, declared: Sequence[tuple[int, int, str | None]]) -> Segmentation:
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
        _running_text(spans, start, end, number)


def _running_text(spans: Spans, start: int, end: int, number: int) -> None:
    """Add the spans of running text: numbered items inside it, then labels and sentences."""
    at = start
    markers, inside = _inline_markers(spans.text, start, end, number)
    for begin, stop in markers:
        _labelled_text(spans, at, begin, inside)
        spans.marker(begin, stop)
        at = stop
    _labelled_text(spans, at, end, inside)


def _inline_markers(text: str, start: int, end: int, number: int) -> tuple[list[tuple[int, int]], set[int]]:
    """Numbers of a list that runs on inside a line, as a series 1, 2, 3, ...

    The first number after a lead-in clause belongs to its sentence; the ends of such come second.
    """
    first = str(number + 1)
    if (
        text.find(first + ".", start, end) < 0
        and text.find(first + ")", start, end) < 0
        and (not number or (text.find("1.", start, end) < 0 and text.find("1)", start, end) < 0))
    ):
        return [], set()
    found = [(int(m[1]), m.start(), m.end()) for m in _INLINE_NUMBER.finditer(text, start, end)]
    chosen: list[tuple[int, int]] = []
    inside: set[int] = set()
    pending: tuple[int, int] | None = None
    lead_in = False
    expected = number + 1
    for value, begin, stop in found:
        if value == 1 and _opens_series(text, start, begin):
            lead_in = text[max(start, begin - 4) : begin].rstrip().endswith(":") and not _after_heading(
                text, start, begin, end
            )
            pending, expected = (begin, stop), 2
            if not lead_in and _NEWLINE_LOST.search(text, max(start, begin - 6), begin):
                chosen.append(pending)
                pending = None
        elif value > 1 and (value == expected or text[max(start, begin - 2) : begin] == ".,"):
            if pending is not None:
                if lead_in:
                    inside.add(pending[1])
                else:
                    chosen.append(pending)
                pending = None
            chosen.append((begin, stop))
            expected = value + 1
    return chosen, inside


def _opens_series(text: str, start: int, at: int) -> bool:
    """Whether a number at `at` can begin a list: after a label, a stop or nothing."""
    before = text[max(start, at - 4) : at].rstrip()
    return not before or before[-1] in ":.,;"


def _after_heading(text: str, start: int, at: int, end: int) -> bool:
    """Whether the label that ends before `at` is a heading and not a lead-in clause."""
    colon = text.rindex(":", start, at)
    if _label_before(text, start, colon, end) is not None:
        return True
    opening = LABEL.match(text, start, end)
    return opening is not None and opening.end() >= colon and opens_section(opening["words"], "")


def _labelled_text(spans: Spans, start: int, end: int, inside: Collection[int]) -> None:
    """Add headings and sentences of text that may hold labels anywhere in a line."""
    text = spans.text
    at = _opening_headings(spans, start, end)
    sentence = at
    labels = _midline_headings(text, at, end) if ":" in text[at:end] else []
    labels += [m.span() for m in _BARE_INSIDE.finditer(text, at, end) if _is_bare_title(normalise(m["words"]))]
    for begin, stop in [*sorted(labels), (end, end)]:
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
        bare = _BARE_TITLE.match(text, start, end)
        if bare and _is_bare_title(normalise(bare["words"])):
            spans.heading(start, bare.end())
            start = bare.end()
            continue
        axis = _AXIS.match(text, start, end)
        if axis:
            spans.heading(start, axis.end())
            start = axis.end()
            continue
        label = LABEL.match(text, start, end)
        if label is None or not _is_heading(text, label, end, spans.context, nested=start > origin):
            return start
        stop = AFTER_COLON.match(text, label.end(), end)
        to = stop.end() if stop else label.end()
        spans.heading(start, to)
        start = to


def _is_bare_title(name: str) -> bool:
    """Whether capitals before a comma are a section title or the name of a study."""
    return name in TITLE_KINDS or (" " in name and is_study(name))


def _is_heading(
    text: str, label: re.Match[str], end: int, context: SectionKind | None, *, nested: bool
) -> bool:
    """Whether a label at the start of running text is a heading."""
    words = label["words"]
    if opens_section(words, _rest(text, label.end(), end), context, nested=nested):
        return True
    return _closes_line(text, label.end() - 1, words)


def _closes_line(text: str, colon: int, label: str) -> bool:
    """Whether `LABEL:,` stood alone on its line before newlines became commas."""
    return (
        _LINE_ENDED.match(text, colon) is not None
        and role(label) is not Role.LEAD_IN
        and label.isupper()
    )


def _rest(text: str, start: int, end: int) -> str:
    """What follows a label on its line, in short."""
    return text[start : min(end, start + 200)].partition("\n")[0].strip(" \t\r,;:")


def _midline_headings(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Headings inside running text, each with what closes it."""
    found: list[tuple[int, int]] = []
    colon = text.find(":", start, end)
    while colon >= 0:
        following = text[colon + 1 : colon + 2]
        if not following.isdigit() or text[colon - 1].isalpha():
            begin = _label_before(text, start, colon, end)
            if begin is not None:
                stop = AFTER_COLON.match(text, colon, end)
                to = stop.end() if stop else colon + 1
                found.append((begin, to))
                start = to
        colon = text.find(":", max(start, colon + 1), end)
    return found


def _label_before(text: str, start: int, colon: int, end: int) -> int | None:
    """Where the heading begins that ends at `colon`, None if the words before it are no heading."""
    low = max(start, colon - 60)
    words = list(_WORD.finditer(text, low, colon))
    for word in words[-7:]:
        begin = _label_start(text, word.start(), word.end())
        label = text[begin:colon]
        if not label[:1].isupper() or len(label) < 2 or _NO_LABEL.search(label):
            continue
        if begin <= start or _STOPPED.search(text, max(start, begin - 6), begin):
            rest = _rest(text, colon + 1, end)
            capitals = text[begin - 1] != "," and label.isupper() and "," not in label
            if (
                known_heading(label, rest)
                or _closes_line(text, colon, label)
                or (capitals and opens_section(label, rest, nested=True))
            ):
                return begin
        elif _stands_out(text, begin, label, _rest(text, colon + 1, end)):
            return begin
    return None


def _label_start(text: str, start: int, stop: int) -> int:
    """Past a full stop or comma inside a word, where newlines were lost (`changes.,HEENT`)."""
    for at in range(stop - 1, start, -1):
        if text[at - 1] in ".,;" and text[at].isalpha():
            return at
    return start


def _stands_out(text: str, begin: int, label: str, rest: str) -> bool:
    """Whether a label without a stop before it is one by its look and its words."""
    name = normalise(label)
    if (
        len(name) < 3
        or not known_heading(label, rest)
        or (name not in EXAM_REGIONS and len(name.split()) < 2 and not label.isupper())
    ):
        return False
    before = text[max(0, begin - 30) : begin].split()
    if not before or before[-1].lower() in _NO_LABEL_AFTER:
        return False
    last = before[-1]
    if name in EXAM_REGIONS and label.isupper():
        return True
    return not (last[0].isupper() and last.isalpha() and last.isupper() == label.isupper())
