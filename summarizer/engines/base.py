"""What an engine is, and which there are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from summarizer.errors import EngineError
from summarizer.types import ModelInfo, SplitDocument


@dataclass(frozen=True, slots=True)
class Salience:
    """What an engine thinks of the sentences of one document.

    Attributes:
        scores: one per sentence, rounded to four decimals.
        first: sentences that the engine wants before all others, whatever their scores (one of each cluster).
        calibrated: whether a score is the measured probability that the sentence belongs into the summary.
    """

    scores: tuple[float, ...]
    first: frozenset[int] = frozenset()
    calibrated: bool = False


class Engine(Protocol):
    """Scores sentences; which of them make the summary is decided in `summarizer.selection.select`."""

    @property
    def model(self) -> ModelInfo:
        """Which model scores."""

    @property
    def device(self) -> str:
        """Where it computes: `cpu` or `cuda`."""

    @property
    def precision(self) -> str:
        """What its encoder computes with, `fp32` or `bf16`; "" for an engine that has none."""

    @property
    def fits_length(self) -> bool:
        """Whether scores depend on how many sentences are asked for: a summary does not simply grow."""

    def score(self, documents: Sequence[SplitDocument], asked: Sequence[int]) -> list[Salience]:
        """Scores every sentence; a document's result must not depend on the others of the call.

        Args:
            documents: each with its sentences in order.
            asked: about how many sentences each summary may hold.
        """


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """What an engine is made with: see `Summarizer.from_pretrained`."""

    model: str | Path | None = None
    device: str = "auto"
    precision: str = "auto"


def round_scores(values: Sequence[float]) -> tuple[float, ...]:
    """Four decimals, so that the last bits of a sum decide nothing; never -0.0."""
    return tuple(round(float(value), 4) + 0.0 for value in values)


def _lead(options: EngineOptions) -> Engine:
    from summarizer.engines.baselines import LeadEngine

    return LeadEngine()


def _kmeans(options: EngineOptions) -> Engine:
    from summarizer.encoder.encoder import Encoder
    from summarizer.engines.baselines import KMeansEngine

    return KMeansEngine(Encoder.from_pretrained(options.model, options.device, options.precision))


def _lexrank(options: EngineOptions) -> Engine:
    from summarizer.encoder.encoder import Encoder
    from summarizer.engines.baselines import LexRankEngine

    return LexRankEngine(Encoder.from_pretrained(options.model, options.device, options.precision))


def _bertsum(options: EngineOptions) -> Engine:
    from summarizer.engines.bertsum import BertSumEngine

    return BertSumEngine.from_pretrained(options.model, options.device, options.precision)


ENGINES: dict[str, Callable[[EngineOptions], Engine]] = {
    "bertsum": _bertsum,
    "kmeans": _kmeans,
    "lead": _lead,
    "lexrank": _lexrank,
}


def make_engine(name: str, options: EngineOptions) -> Engine:
    """Makes an engine of the registry.

    Raises:
        EngineError: there is none of this name.
        ModelError: its model cannot be used.
    """
    if name not in ENGINES:
        raise EngineError(f"There is no engine {name!r}; the engines are {', '.join(ENGINES)}.")
    return ENGINES[name](options)
