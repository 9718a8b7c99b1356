"""Assertion flags of sentences: labels for display, filters and tests; they change and hide no word."""

from collections.abc import Sequence
from dataclasses import replace

from summarizer.assertion.context import heading_flags, statement_flags
from summarizer.assertion.words import tokens
from summarizer.types import ContextKind, ContextSpan, Flag, Segmentation

_ABOVE = frozenset({ContextKind.HEADING, ContextKind.CAPTION, ContextKind.COLUMN})
_BEFORE = frozenset({ContextKind.LEAD_IN, ContextKind.QUESTION, ContextKind.ROW})


def sentence_flags(text: str, start: int, end: int, context: Sequence[ContextSpan] = ()) -> tuple[Flag, ...]:
    """What `text[start:end]` says of its facts, read with its context.

    A sentence has a flag if at least one of its statements is so: "No fever, but a cough." is negated.
    Headings and captions count for all that stands under them; a lead-in, a question or the head of a row is
    read as the beginning of the sentence. Antecedents and corrections do not count: they make statements of
    their own.

    Returns:
        In the order of `Flag`.
    """
    own = tokens(text[start:end])
    before = [
        word for piece in context if piece.kind in _BEFORE for word in tokens(text[piece.start : piece.end])
    ]
    found = statement_flags(before, own)
    titles = [text[piece.start : piece.end] for piece in context if piece.kind in _ABOVE]
    if titles and len(own) < 3:
        # a bare answer, "None.", is about its heading
        found |= statement_flags([word for title in titles for word in tokens(title)], own)
    for title in titles:
        found |= heading_flags(title, own)
    return tuple(flag for flag in Flag if flag in found)


def with_flags(text: str, segmentation: Segmentation) -> Segmentation:
    """The same segmentation with the flags of every sentence."""
    sentences = tuple(
        replace(s, flags=sentence_flags(text, s.start, s.end, s.context)) for s in segmentation.sentences
    )
    return replace(segmentation, sentences=sentences)
