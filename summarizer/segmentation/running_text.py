"""Running text: numbered items inside it, labels anywhere in a line, and the sentences between them."""

import re
from collections.abc import Collection

from summarizer.segmentation.answers import begins_answer, mere_value
from summarizer.segmentation.heads import BY_SYSTEM, SURVEYS, is_main
from summarizer.segmentation.labels import AFTER_COLON, APART, LABEL, LONGEST_LABEL, governs, governs_orders
from summarizer.segmentation.line_ends import begins_order, stands_alone
from summarizer.segmentation.list_marks import inline_markers
from summarizer.segmentation.midline import (
    counted_title,
    is_heading,
    midline_headings,
    newlines_lost,
    opening_title,
)
from summarizer.segmentation.punctuation import sentence_ends
from summarizer.segmentation.regions import LABORATORY
from summarizer.segmentation.section_titles import AXIS, normalise, section_kind
from summarizer.segmentation.spans import Spans
from summarizer.segmentation.titles import ADDED, ADDED_BEGINS, is_statement
from summarizer.types import ContextKind, ContextSpan, SectionKind, Span

_ENUMERATED = frozenset({SectionKind.ALLERGIES, SectionKind.MEDICATIONS, SectionKind.FAMILY_HISTORY})
"""Sections of things of one kind; what does not belong to them would be taken for one of these."""
_DIVIDED = (
    (SURVEYS - {SectionKind.PROCEDURE})
    | BY_SYSTEM
    | {
        SectionKind.RESULTS,
        SectionKind.VITALS,
        SectionKind.HISTORY,
    }
)
"""Sections whose mere value may stand above more of them (`EXAM: Normal.`)."""
_UNCHANGED = re.compile(
    r"\s*(?:(?:no|without) changes?|unchanged|(?:the )?same|as (?:above|before))[.;]?[ \t]*(?:\n|$)", re.I
)
_TOPIC_WORDS = 7
_DONE = re.compile(r"(?:ed|held|given|done|seen|taken|begun|kept|made)\.$", re.I)
"""How a statement ends whose participle is its verb (`Warfarin held.`)."""


def add_running_text(spans: Spans, start: int, end: int, number: int) -> None:
    """Add the spans of running text: numbered items inside it, then labels and sentences."""
    at = start
    lost = newlines_lost(spans.text, start, end)
    if not (number or lost) and spans.text.find("1", start, end) < 0:
        if spans.context.topic is not None:
            spans.context.begin_numbered(None)
        _add_labelled(spans, start, end, (), lost)
        return
    markers, inside = inline_markers(spans.text, start, end, number, lost_newlines=lost)
    titled = counted_title(spans.text, start, end)
    if not markers and titled is None and not number:
        if spans.context.topic is not None:
            spans.context.begin_numbered(None)
        _add_labelled(spans, start, end, inside, lost)
        return
    if titled is not None and not any(begin == titled for begin, _ in markers):
        markers = [(titled, titled + 2), *markers]  # a list of one
    counted = number > 0
    lead: Span | None = None
    for begin, stop in [*markers, (end, end)]:
        if counted or spans.context.topic is not None:
            spans.context.begin_numbered((_topic(spans.text, at, begin, inside) or lead) if counted else None)
        if begin < end and at == start and titled == begin:
            spans.heading(start, begin)
        else:
            _add_labelled(spans, at, begin, inside, lost)
            if inside and lead is None:
                lead = _lead_in(spans, at, inside)
        if stop > begin:
            spans.marker(begin, stop)
        at, counted = stop, True


def _lead_in(spans: Spans, start: int, inside: Collection[int]) -> Span | None:
    """The clause before the first number of a list that its sentence holds (`Never had: 1. gout 2. ...`)."""
    last = spans.sentences[-1] if spans.sentences else None
    first = min((number for number in inside if number > start), default=None)
    if last is None or first is None or not max(start, last.start) < first < last.end:
        return None
    colon = spans.text.find(":", last.start, first)
    return Span(last.start, colon + 1) if colon > 0 else None


def _topic(text: str, start: int, end: int, inside: Collection[int]) -> Span | None:
    """The opening words of an item that only name its matter (`2. Poor appetite. We will start ...`)."""
    at = start
    while at < end and text[at].isspace():
        at += 1
    dot = text.find(".", at, end)
    if dot < 0 or not text[at].isupper() or len(text[at:dot].split()) > _TOPIC_WORDS:
        return None
    cut = next(sentence_ends(text, start, min(end, start + 200), inside), end)
    words = text[start:cut].strip()
    if words[-1] != "." or len(words.split()) > _TOPIC_WORDS or ":" in words:
        return None
    return None if is_statement(words) or _DONE.search(words) else Span(at, at + len(words))


def _add_labelled(spans: Spans, start: int, end: int, inside: Collection[int], lost: bool) -> None:
    """Add headings and sentences of text that may hold labels anywhere in a line."""
    text = spans.text
    sentence = at = add_opening_headings(spans, start, end)
    if not lost and text.find(":", at, end) < 0:
        _add_sentences(spans, at, end, inside)
        return
    for begin, stop in [*midline_headings(text, at, end, spans.section_kind, lost=lost), (end, end)]:
        if begin < sentence:
            continue
        _add_sentences(spans, sentence, begin, inside)
        sentence = begin
        if stop > begin and not _opens_mere_value(spans, begin, stop, end):
            spans.heading(begin, stop)
            sentence = add_opening_headings(spans, stop, end)


def _add_sentences(spans: Spans, start: int, end: int, inside: Collection[int]) -> None:
    """Add the sentences of text without labels; what follows an open question is shown with it."""
    text = spans.text
    headings = spans.context.headings
    asked = spans.context.take_question()
    if asked is not None and not begins_answer(text[start : start + 80]):
        asked = None
    ruled: Span | None = None
    for cut in (*sentence_ends(text, start, end, inside), end):
        ruled = _governing_label(text, start, cut, ruled)
        if headings.heads and headings.in_study and _begins_with_label(text, start, cut, LABORATORY):
            headings.end_study()
        if spans.section_kind in _ENUMERATED and _begins_with_label(text, start, cut, APART):
            spans.context.close_all()
        more: tuple[ContextSpan, ...] = ()
        if asked is not None:
            more = (ContextSpan(asked.start, asked.end, ContextKind.QUESTION),)
        elif ruled is not None and ruled.end <= start:
            more = (ContextSpan(ruled.start, ruled.end, ContextKind.LEAD_IN),)
        added = spans.sentence(start, cut, more=more)
        asked = Span(*added) if added is not None and text[added[1] - 1] in "?？؟" else None
        start = cut


def _governing_label(text: str, start: int, end: int, above: Span | None) -> Span | None:
    """The label that speaks of `text[start:end]`: its own, or where it is a fragment the one `above`."""
    own = _own_label(text, start, end)
    if own is not None:
        return Span(*own.span()) if governs(own["words"]) else None
    if above is None or not (said := text[start:end].lstrip()):
        return None
    said = said.removeprefix("No ")
    if stands_alone(said) and not (begins_order(said) and governs_orders(text[above.start : above.end])):
        return None
    return above


def _begins_with_label(text: str, start: int, end: int, names: Collection[str]) -> bool:
    """Whether a sentence begins with one of these labels (`Code status: DNR.`)."""
    own = _own_label(text, start, end)
    return own is not None and normalise(own["words"]) in names


def _own_label(text: str, start: int, end: int) -> re.Match[str] | None:
    """The label that a sentence begins with, behind blanks."""
    while start < end and text[start].isspace():
        start += 1
    has_colon = text.find(":", start, min(end, start + LONGEST_LABEL)) >= 0
    return LABEL.match(text, start, end) if has_colon else None


def _opens_mere_value(spans: Spans, start: int, stop: int, end: int) -> bool:
    """Whether a heading's text is no more than `no`, `none` or the like, which is one sentence with it."""
    if "," in spans.text[stop - 2 : stop] or not mere_value(spans.text, stop, end):
        return False
    kind = spans.open_section(start, stop)
    leads = spans.text[stop:end].partition("\n")[0].rstrip().endswith(":")
    name = normalise(spans.text[start:stop])
    whole = kind not in _DIVIDED or name.endswith(("complication", "complications"))
    ends = whole and not leads and is_main(name, declared=False)
    spans.context.heading(start, stop, kind, declared=False, own=ends)
    return True


def add_opening_headings(spans: Spans, start: int, end: int) -> int:
    """Add the headings that text begins with, nested ones too; where the text after them begins."""
    text = spans.text
    origin = start
    while True:
        while start < end and text[start].isspace():
            start += 1
        first = text[start : start + 1]
        if first in ("A", "a") and (axis := AXIS.match(text, start, end)):
            if ":" in axis[0] and _opens_mere_value(spans, start, axis.end(), end):
                return start
            spans.heading(start, axis.end())
            start = axis.end()
            continue
        if first in ADDED_BEGINS and (added := ADDED.match(text, start, end)):
            spans.addendum(start, added.end())
            start = added.end()
            continue
        second = text[start + 1 : start + 2]
        if (second.isupper() or second in " \t") and (
            title := opening_title(text, start, end, first=start == origin)
        ):
            spans.heading(start, title)
            start = title
            continue
        if text.find(":", start, min(end, start + LONGEST_LABEL)) < 0:
            return start
        label = LABEL.match(text, start, end)
        if label is None or not is_heading(text, label, end, spans.section_kind, nested=start > origin):
            return start
        to = label.end()
        if text[to : to + 1] != " " or not text[to + 1 : to + 2].isalnum():
            stop = AFTER_COLON.match(text, to, end)
            to = stop.end() if stop else to
        if _opens_mere_value(spans, start, to, end):
            return start
        own = section_kind(label["words"]) in _ENUMERATED and _UNCHANGED.match(text, to, end) is not None
        spans.heading(start, to, own=own)
        start = to
