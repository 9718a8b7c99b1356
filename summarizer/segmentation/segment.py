r"""Sentences of clinical notes, with code-point offsets.

Layout comes first: headings, `Label: value` lines, bullets and numbered lists, hard-wrapped paragraphs,
tables, signatures. Inside a block, punctuation decides. Everything that is not white space is in exactly one
sentence, heading, list marker or stretch of boilerplate.

    >>> text = "PLAN:\n1. Aspirin 81 mg p.o. q.d. Recheck in 2 wks.\n2. No smoking."
    >>> [text[s.start : s.end] for s in segment(text).sentences]
    ['Aspirin 81 mg p.o. q.d.', 'Recheck in 2 wks.', 'No smoking.']
"""

from collections.abc import Sequence

from summarizer.segmentation.blocks import Emitter
from summarizer.segmentation.declared import DeclaredRow, declared_rows, heading_levels
from summarizer.segmentation.layout import read_layout
from summarizer.segmentation.place import names_table
from summarizer.segmentation.spans import Spans
from summarizer.segmentation.tables import cells
from summarizer.types import Mark, Segmentation

__all__ = ["segment"]


def segment(
    text: str, headings: Sequence[tuple[int, int, str | None]] = (), marks: Sequence[Mark] = ()
) -> Segmentation:
    """Split a note into sentences, sections and what is neither; each sentence with its context.

    Args:
        text: the note, as it is; offsets point into it.
        headings: spans that the format itself declares as headings (start, end, LOINC code or None), in order
            and disjoint.
        marks: what the format declares beside headings, in the order of their starts, a longer one before
            those inside it.

    Returns:
        Ordered, disjoint spans without outer white space.

    Raises:
        ValueError: if a declared heading lies outside the text or overlaps the one before, or a mark lies
            outside the text or is out of order.
    """
    at = 0
    for start, end, _ in headings:
        if not at <= start <= end <= len(text):
            raise ValueError("headings must be ordered, disjoint and inside the text")
        at = end
    last = 0
    for mark in marks:
        if not last <= mark.start <= mark.end <= len(text):
            raise ValueError("marks must be ordered by their starts and inside the text")
        last = mark.start
    spans = Spans(text)
    fixed: list[tuple[int, int, DeclaredRow | tuple[str | None]]] = [
        (s, e, (code,)) for s, e, code in headings
    ]
    fixed += [(row.start, row.end, row) for row in declared_rows(text, headings, marks)]
    levels = heading_levels(text, headings, marks)
    at = 0
    for start, end, what in sorted(fixed, key=lambda each: each[:2]):
        _segment_stretch(spans, at, start)
        if isinstance(what, DeclaredRow):
            spans.context.begin_block()
            _lead_in_to_table(spans, at, what)
            spans.context.begin_table()
            for begin, stop in what.pieces:
                spans.sentence(begin, stop, more=what.context)
        else:
            spans.heading(start, end, what[0], declared=True, level=levels.get(start, 0))
        at = end
    _segment_stretch(spans, at, len(text))
    return spans.segmentation(marks)


def _lead_in_to_table(spans: Spans, above: int, row: DeclaredRow) -> None:
    """Note what leads in to a table that begins with a row, below a row or heading that ends at `above`."""
    text, start = spans.text, row.start
    if spans.context.in_items:
        spans.context.leave_list()
    if "\n\n" in text[spans.end : start]:
        if spans.context.in_table:
            spans.context.headings.end_above_other_table(cells(text[start : row.end]))
        spans.context.end_above_table(start)
    last = spans.sentences[-1] if spans.sentences and spans.sentences[-1].start >= above else None
    if last is None or text[last.end : start].strip():
        return
    leads = text[last.end - 1] == ":"
    if not leads and not any(piece.start == last.start for piece in row.context):
        alone = last.start - above < 3 or "\n\n" in text[last.start - 3 : last.start]
        leads = alone and names_table(text, last.start, last.end, start)
    if leads:
        spans.context.begin_list(last.start, last.end)


def _segment_stretch(spans: Spans, start: int, end: int) -> None:
    """The spans of a stretch of text in which nothing is declared."""
    if start >= end:
        return
    blocks = list(read_layout(spans.text[start:end], start))
    for index in range(len(blocks)):
        emitter = Emitter(spans, blocks, index)
        if spans.section_kind is not None and emitter.stands_apart():
            emitter.emit_apart()
        else:
            emitter.emit()
