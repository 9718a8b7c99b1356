"""Intervals of means, and of differences of means, over the same documents.

Documents are drawn with replacement, as many as there are; the mean of each column is taken; this is
repeated, and the interval is from the 2.5th to the 97.5th percentile of these means (Efron's percentile
bootstrap). Every column sees the same draws, so the difference of two columns is paired: what makes a
document hard for both cancels.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]

RESAMPLES = 2000
LEVEL = 0.95
_DECIMALS = 6  # what is left of a sum when its order changes


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over documents with its 95% interval."""

    mean: float
    low: float
    high: float

    def to_json(self) -> dict[str, float]:
        """Ready for `json.dumps`."""
        return {"mean": self.mean, "low": self.low, "high": self.high}


def resampled_means(values: Values, seed: int, resamples: int = RESAMPLES) -> Values:
    """Means of each column over documents drawn with replacement.

    Args:
        values: shape (documents, columns).
        seed: the same seed and number of documents give the same draws.
        resamples: how often to draw.

    Returns:
        Shape (resamples, columns).
    """
    random = np.random.default_rng(seed)
    count = len(values)
    return np.stack([values[random.integers(0, count, count)].mean(axis=0) for _ in range(resamples)])


def estimate(values: Values, means: Values) -> Estimate:
    """The mean of one column of values, and the interval from its resampled means."""
    tail = (1 - LEVEL) / 2 * 100
    low, high = np.percentile(means, [tail, 100 - tail])
    return Estimate(*(round(float(v), _DECIMALS) + 0.0 for v in (values.mean(), low, high)))
