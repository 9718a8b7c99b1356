"""From what score on a sentence is worth a place: fitted to how long summaries should be on average."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from summarizer.engines.base import Salience
from summarizer.selection.select import count_words, own_choice
from summarizer.types import round_scores
from training.fit.calibration import sigmoid
from training.fit.validation import Reference

_HALVINGS = 20


def find_threshold(
    references: Sequence[Reference],
    logits: Sequence[npt.NDArray[np.float32]],
    scale: float,
    shift: float,
    words: int,
) -> float:
    """The threshold with which summaries of an own length have so many words on average.

    Every document has the same one, so those with much to say get more of the words.

    Args:
        references: the documents.
        logits: of the sentences of each.
        scale: of the calibration.
        shift: of the calibration.
        words: on average over the documents.

    Returns:
        The lowest with which they have at most so many, within a millionth.
    """
    documents = [
        (reference.sentences, round_scores(sigmoid(scale * found + shift).tolist()))
        for reference, found in zip(references, logits, strict=True)
    ]
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        used = sum(
            count_words(sentences[i])
            for sentences, scores in documents
            for i in own_choice(sentences, Salience(scores, calibrated=True, threshold=middle))
        )
        low, high = (middle, high) if used > words * len(documents) else (low, middle)
    return round(high, 6)
