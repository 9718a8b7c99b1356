"""Rows that name the columns of a table: they are shown with its rows and say nothing by themselves."""

from collections.abc import Sequence
from dataclasses import replace

from summarizer.engines.base import Salience
from summarizer.types import ContextKind, Sentence


def heads_last(sentences: Sequence[Sentence], salience: Salience) -> Salience:
    """A salience by which rows that other sentences have for the heads of their columns come last.

    Args:
        sentences: of one document.
        salience: of these, in their order.
    """
    named = {
        (piece.start, piece.end)
        for sentence in sentences
        for piece in sentence.context
        if piece.kind is ContextKind.COLUMN
    }
    heads = frozenset(i for i, sentence in enumerate(sentences) if (sentence.start, sentence.end) in named)
    if not heads:
        return salience
    scores = tuple(0.0 if i in heads else score for i, score in enumerate(salience.scores))
    return replace(salience, scores=scores, first=salience.first - heads)
