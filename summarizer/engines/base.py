"""What an engine is: sentences of a document in, a score for each out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from summarizer.types import ModelInfo, SplitDocument


@dataclass(frozen=True, slots=True)
class Salience:
    """What an engine thinks of the sentences of one document.

    Attributes:
        scores: one per sentence, rounded to four decimals.
        first: sentences that the engine wants before all others, whatever their scores (one of each cluster).
        calibrated: whether a score is the measured probability that the sentence belongs into the summary.
        threshold: from what score for its length a sentence is worth a place where nobody asked for a length
            (`summarizer.selection.select.own_choice`); None if the engine does not know.
    """

    scores: tuple[float, ...]
    first: frozenset[int] = frozenset()
    calibrated: bool = False
    threshold: float | None = None


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
