r"""Sentences of clinical notes, with code-point offsets.

Layout comes first: headings, `Label: value` lines, bullets and numbered lists, hard-wrapped paragraphs,
tables, signatures. Inside a block, punctuation decides. Everything that is not white space is in exactly one
sentence, heading, list marker or stretch of boilerplate.

    >>> text = "PLAN:\n1. Aspirin 81 mg p.o. q.d. Recheck in 2 wks.\n2. No smoking."
    >>> [text[s.start : s.end] for s in segment(text).sentences]
    ['Aspirin 81 mg p.o. q.d.', 'Recheck in 2 wks.', 'No smoking.']
"""

from collections.abc import Sequence

from summarizer.segmentation.blocks import segment_text
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
    return segment_text(text, headings, marks)
