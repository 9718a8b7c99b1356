"""Labels for extractive training: the greedy oracle, identical to a loop over `rouge_score`; soft targets.

For each document the sentence that raises ROUGE most is added, and it stops when none does (Nallapati et al.,
"SummaRuNNer", 2017; Liu and Lapata, "Text Summarization with Pretrained Encoders", 2019). Of sentences that
raise it equally the earliest is taken.

    >>> document = ["The patient improved.", "The weather was fine.", "She went home on day three."]
    >>> found = label(document, ["The patient improved and went home."])
    >>> found.labels, found.order
    ((1, 0, 1), (0, 2))
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from training.labels.rouge_counts import Metric, RougeCounts

__all__ = ["Labels", "Metric", "OracleSettings", "label"]

METRICS: tuple[Metric, ...] = ("rouge1", "rouge2", "mean")


@dataclass(frozen=True, slots=True)
class OracleSettings:
    """How sentences are chosen.

    Attributes:
        metric: F1 of ROUGE-1, of ROUGE-2, or the mean of both.
        max_sentences: at most so many sentences; None for no limit.
        max_words: at most so many words (separated by white space) in all; a sentence that does not fit is
            passed over and shorter ones may still be taken. None for no limit.
        stemmer: whether words are compared by their Porter stems, as in published figures.
    """

    metric: Metric = "mean"
    max_sentences: int | None = None
    max_words: int | None = None
    stemmer: bool = True

    def __post_init__(self) -> None:
        if self.metric not in METRICS:
            raise ValueError(f"metric must be one of {', '.join(METRICS)}")
        for name in ("max_sentences", "max_words"):
            limit = getattr(self, name)
            if limit is not None and limit < 1:
                raise ValueError(f"{name} must be at least 1")


@dataclass(frozen=True, slots=True)
class Labels:
    """The targets of one document, parallel to its sentences.

    Attributes:
        labels: 1 for each sentence of the oracle's summary, else 0.
        order: the chosen sentences, in the order in which they were added.
        alone: soft target: ROUGE of the sentence alone against the reference, 0 to 1.
        gain: soft target at the greedy step: for a chosen sentence, by how much it raised ROUGE when it was
            added; for another, by how much it would change the ROUGE of the finished summary, which is 0 or
            less unless a limit kept the sentence out.
        rouge: ROUGE of the oracle's summary, in the metric of the settings.
    """

    labels: tuple[int, ...]
    order: tuple[int, ...]
    alone: tuple[float, ...]
    gain: tuple[float, ...]
    rouge: float


def label(sentences: Sequence[str], summary: Sequence[str], settings: OracleSettings | None = None) -> Labels:
    """The oracle's labels of one document.

    Args:
        sentences: the document's sentences, in order.
        summary: the reference's sentences; they are joined by newlines.
        settings: the metric and the limits; the defaults if None.

    Returns:
        Labels and soft targets. Without a sentence, or without a word in common, nothing is chosen.
    """
    settings = settings or OracleSettings()
    counts = RougeCounts(sentences, "\n".join(summary), stemmer=settings.stemmer)
    words = np.array([len(sentence.split()) for sentence in sentences], np.int64)
    room = settings.max_words if settings.max_words is not None else int(words.sum())
    limit = len(sentences) if settings.max_sentences is None else settings.max_sentences
    free = np.ones(len(sentences), bool)
    scores = alone = counts.scores(settings.metric)
    gain = np.zeros(len(sentences))
    order: list[int] = []
    best = 0.0
    while len(order) < limit:
        open_scores = np.where(free & (words <= room), scores, -1.0)
        row = int(open_scores.argmax()) if len(sentences) else -1
        if row < 0 or not open_scores[row] > best:
            break
        gain[row] = open_scores[row] - best
        best = float(open_scores[row])
        counts.add(row)
        free[row] = False
        room -= int(words[row])
        order.append(row)
        scores = counts.scores(settings.metric)
    gain[free] = scores[free] - best
    return Labels(
        labels=tuple((~free).astype(int).tolist()),
        order=tuple(order),
        alone=tuple(alone.tolist()),
        gain=tuple(gain.tolist()),
        rouge=best,
    )
