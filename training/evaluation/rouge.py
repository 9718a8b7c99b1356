"""ROUGE by the convention of the field: rouge-score with its stemmer, F1, sentences on lines for Lsum."""

from collections.abc import Sequence
from functools import cache
from importlib import import_module, metadata
from typing import Any

from training.evaluation.errors import EvaluationError

ROUGE = ("rouge1", "rouge2", "rougeLsum")


class Rouge:
    """`RougeScorer(types, use_stemmer=True)` on sentences joined by newlines, with the stem of a word kept.

    Most of the time of rouge-score is Porter's stemmer on words that came before; keeping stems changes
    nothing else.
    """

    def __init__(self, types: Sequence[str] = ROUGE) -> None:
        """Makes the scorer.

        Raises:
            EvaluationError: rouge-score is not installed.
        """
        try:
            stemmer = import_module("nltk.stem.porter").PorterStemmer()  # it brings no types
            from rouge_score.rouge_scorer import RougeScorer
        except ImportError:
            raise EvaluationError(
                "The package rouge-score is needed: pip install 'clinical-ai-summarizer[train]'."
            ) from None
        self.types = tuple(types)
        self.version = metadata.version("rouge-score")
        self._scorer: Any = RougeScorer(list(types), tokenizer=_Tokenizer(stemmer))

    def score(self, sentences: Sequence[str], reference: Sequence[str]) -> tuple[float, ...]:
        """F1 (0 to 1) of each of the types."""
        scores = self._scorer.score("\n".join(reference), "\n".join(sentences))
        return tuple(float(scores[name].fmeasure) for name in self.types)


class _Tokenizer:
    """rouge-score's own tokenizer, whose stemmer remembers."""

    def __init__(self, stemmer: Any) -> None:
        self.stem = cache(stemmer.stem)

    def tokenize(self, text: str) -> list[str]:
        from rouge_score.tokenize import tokenize

        tokens: list[str] = tokenize(text, self)
        return tokens
