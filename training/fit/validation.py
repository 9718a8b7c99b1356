"""How good a model is on documents that it does not learn from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from summarizer.engines.base import Salience
from summarizer.selection.select import select
from summarizer.types import Budget, round_scores
from training.evaluation.rouge import Rouge
from training.fit.learner import Learner
from training.fit.store import Stores
from training.fit.world import World


@dataclass(frozen=True, slots=True)
class Reference:
    """What a summary of a document is made of, and measured against."""

    sentences: tuple[str, ...]
    summary: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Validation:
    """Means over the documents: F1 of ROUGE, 0 to 1, and binary cross-entropy of a sentence."""

    rouge1: float
    rouge2: float
    loss: float


class Validator:
    """Summaries of the validation documents, by the selection that users have."""

    def __init__(
        self, data: Stores, indices: Sequence[int], references: Sequence[Reference], words: int, world: World
    ) -> None:
        self._data = data
        self._indices = indices
        self.references = references
        self._budget = Budget(words=words)
        self._rouge = Rouge(("rouge1", "rouge2"))
        self._world = world

    def measure(self, learner: Learner) -> Validation:
        """Each process takes its share of the documents; all get the same figures."""
        mine = []
        for place in range(self._world.rank, len(self._indices), self._world.size):
            document = self._data[self._indices[place]]
            (logits,) = learner.logits([document])
            reference = self.references[place]
            scores = 0.5 * (1 + np.tanh(0.5 * logits.astype(np.float64)))
            salience = Salience(round_scores(scores.tolist()), calibrated=True)  # as they will be
            chosen = select(reference.sentences, salience, self._budget)
            rouge = self._rouge.score([reference.sentences[i] for i in chosen], reference.summary)
            mine.append((place, *rouge, loss_of(logits, document.labels), len(logits)))
        found = sorted(self._world.gather(mine))
        count = len(found)
        return Validation(
            rouge1=sum(row[1] for row in found) / count,
            rouge2=sum(row[2] for row in found) / count,
            loss=sum(row[3] for row in found) / sum(row[4] for row in found),
        )

    def logits(self, learner: Learner) -> list[np.ndarray[Any, np.dtype[np.float32]]]:
        """Of each validation document, for the calibration."""
        return [learner.logits([self._data[index]])[0] for index in self._indices]

    def features(self) -> list[np.ndarray[Any, Any]]:
        """Of the sentences of each validation document."""
        return [self._data[index].features for index in self._indices]

    def labels(self) -> list[np.ndarray[Any, Any]]:
        """Of each validation document: 1 for each sentence that is wanted for certain, else 0."""
        return [np.array(self._data[index].labels == 1) for index in self._indices]


def loss_of(logits: np.ndarray[Any, Any], labels: np.ndarray[Any, Any]) -> float:
    """Sum of the binary cross-entropy."""
    x = logits.astype(np.float64)
    return float((np.logaddexp(0, x) - x * labels).sum())
