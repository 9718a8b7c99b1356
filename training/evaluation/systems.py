"""What is measured: the engines of the registry, and rows to read them by.

`oracle` sees the answer and is the upper bound; `random` is what luck gives.
"""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from summarizer.engines.base import Salience
from summarizer.engines.registry import ENGINES
from summarizer.selection.select import select
from summarizer.summarizer import Summarizer
from summarizer.types import ModelInfo
from training.evaluation.clinical import best_choice
from training.evaluation.errors import EvaluationError
from training.evaluation.oracle import oracle
from training.evaluation.types import Item

ORACLE, RANDOM = "oracle", "random"
DEFAULT = ("bertsum", "lexrank", "kmeans", "lead", ORACLE)
NAMES = (*ENGINES, ORACLE, RANDOM)


@dataclass(frozen=True, slots=True)
class Choices:
    """The indices of the chosen sentences for each item, and the seconds it took, loading left out."""

    chosen: tuple[tuple[int, ...], ...]
    seconds: float


class System(Protocol):
    """Chooses sentences within the budget of each item."""

    @property
    def name(self) -> str:
        """How it is called in the figures."""

    @property
    def model(self) -> ModelInfo:
        """Which model chooses; the hash of its weights is "" where it has none."""

    def choose(self, items: Sequence[Item]) -> Choices:
        """Indices in ascending order, for each item by itself."""


class _Timed:
    """Chooses item by item."""

    def choose(self, items: Sequence[Item]) -> Choices:
        """Indices in ascending order, for each item by itself."""
        start = time.perf_counter()
        chosen = tuple(tuple(self._choose(item)) for item in items)
        return Choices(chosen, time.perf_counter() - start)

    def _choose(self, item: Item) -> list[int]:
        raise NotImplementedError


class EngineSystem(_Timed):
    """An engine as users have it: through `Summarizer`, with its selection."""

    def __init__(self, name: str, summarizer: Summarizer) -> None:
        self.name = name
        self.model = summarizer.model
        self._summarizer = summarizer

    def _choose(self, item: Item) -> list[int]:
        if item.text is None:
            (summary,) = self._summarizer.summarize_sentences([item.sentences], item.budget)
        else:
            (summary,) = self._summarizer.summarize([item.text], item.budget)
        at = {start: i for i, start in enumerate(item.starts)}
        return [at[sentence.start] for sentence in summary.summary]


class OracleSystem(_Timed):
    """The upper bound: greedy on ROUGE with the abstract, or the targets themselves."""

    name = ORACLE
    model = ModelInfo(ORACLE, "", ORACLE)

    def _choose(self, item: Item) -> list[int]:
        if item.targets:
            return best_choice(item)
        return oracle(item.sentences, item.reference, item.budget)


class RandomSystem(_Timed):
    """Scores drawn from the seed and the sentences, so that a document's do not depend on the others."""

    name = RANDOM
    model = ModelInfo(RANDOM, "", RANDOM)

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def _choose(self, item: Item) -> list[int]:
        draw = random.Random(f"{self._seed}:" + "\n".join(item.sentences))
        return select(item.sentences, Salience(tuple(draw.random() for _ in item.sentences)), item.budget)


def make_system(name: str, model: str | None = None, device: str = "auto", seed: int = 0) -> System:
    """Makes one of `NAMES`.

    Args:
        name: an engine, `oracle` or `random`; `NAME=MODEL` gives an engine a model of its own.
        model: a model folder or hub name, for an engine without one of its own.
        device: as `Summarizer.from_pretrained` takes it.
        seed: for `random`.

    Raises:
        EvaluationError: there is none of this name.
        SummarizerError: the engine cannot use the model.
    """
    engine, _, own = name.partition("=")
    if name == ORACLE:
        return OracleSystem()
    if name == RANDOM:
        return RandomSystem(seed)
    if engine not in ENGINES:
        raise EvaluationError(f"There is no engine {engine!r} to measure; there are {', '.join(NAMES)}.")
    summarizer = Summarizer.from_pretrained(own or model, engine, device)
    return EngineSystem(name, summarizer)
