"""Selections that hang by a hair are seen, and decided by the exact engine."""

from collections.abc import Sequence

import pytest

from summarizer.engines.base import Salience
from summarizer.selection.select import select
from summarizer.selection.settle import settled
from summarizer.summarizer import Summarizer
from summarizer.types import Budget, ModelInfo, SplitDocument

SENTENCES = ["Fever for two days.", "Cough since the spring.", "The patient works as a teacher."]
NOTE = " ".join(SENTENCES)


class Fixed:
    """An engine that gives scores as told; it counts the documents that it was asked about."""

    model = ModelInfo("fixed", "", "fixed")
    device, precision, fits_length = "cpu", "fp32", False

    def __init__(self, *scores: float) -> None:
        self.scores, self.asked = scores, 0

    def score(self, documents: Sequence[SplitDocument], asked: Sequence[int]) -> list[Salience]:
        self.asked += len(documents)
        return [Salience(self.scores) for _ in documents]


@pytest.mark.parametrize(
    ("scores", "same"), [((0.9, 0.5, 0.1), True), ((0.9, 0.501, 0.5), False), ((0.5, 0.5, 0.9), False)]
)
def test_what_lies_close_is_not_settled(scores: tuple[float, ...], same: bool) -> None:
    salience = Salience(scores)
    budget = Budget(sentences=2)

    def choose(found: Salience) -> list[int]:
        return select(SENTENCES, found, budget)

    assert settled(salience, choose(salience), choose) is same


@pytest.mark.parametrize(("close", "first"), [(False, "Fever"), (True, "Cough")])
def test_the_exact_engine_decides_where_scores_lie_close(close: bool, first: str) -> None:
    quick = Fixed(0.501, 0.5 if close else 0.3, 0.1)
    exact = Fixed(0.5, 0.5009, 0.1)

    (summary,) = Summarizer(quick, lambda: exact).summarize([NOTE], Budget(sentences=1))

    assert summary.summary[0].text.startswith(first)
    assert exact.asked == close
