"""Probabilities that mean what they say: Platt scaling, and how far it holds.

Platt 1999, "Probabilistic outputs for support vector machines"; with his targets, which keep a small sample
from giving certainty. Reliability after DeGroot and Fienberg 1983, the expected calibration error after Guo
et al. 2017.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

BINS = 10
_STEPS = 100
_REFITS = 12
_STEEPEST = 1e3

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Bin:
    """Sentences of a probability from `low` to `high`: how many, its mean, and the share that is chosen."""

    low: float
    high: float
    count: int
    probability: float
    chosen: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """The probability of a sentence is that of `scale * logit + shift`, and its features by their weights.

    Attributes:
        scale, shift: fitted on all validation documents.
        features: likewise, where they have a part in it; else empty.
        error: expected calibration error: what the probabilities of a bin are off by, on average over
            sentences.
        raw_error: the same of the logits as they were.
        bins: the reliability table. Table and `error` are of probabilities fitted on the other half of the
            documents each time, so that nothing is measured on what it was fitted on.
    """

    scale: float
    shift: float
    error: float
    raw_error: float
    bins: tuple[Bin, ...]
    features: tuple[float, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As it stands in the log."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Fit:
    scale: float
    shift: float
    features: tuple[float, ...] = ()

    def probabilities(self, logits: Array, features: Array) -> Array:
        beside = features @ np.array(self.features) if self.features else 0.0
        return sigmoid(self.scale * logits + self.shift + beside)


def calibrate(
    logits: Sequence[Array],
    labels: Sequence[Array],
    features: Sequence[Array] | None = None,
    penalty: float = 0.0,
) -> Calibration | None:
    """Fits and measures.

    Args:
        logits: of the sentences of each validation document.
        labels: 1 for each sentence to be chosen, else 0.
        features: of these sentences, shape (sentences, features) each; weighed if `penalty` is above 0.
        penalty: half of it times the square of each weight is added to the loss, summed over all sentences;
            also of how far the weight of the logit goes from that of Platt scaling.

    Returns:
        None if it makes no sense: fewer than two documents, labels of one kind alone, or a model whose higher
        logits do not stand for chosen sentences.
    """
    halves = [slice(0, None, 2), slice(1, None, 2)]
    if len(logits) < len(halves):
        return None
    if features is None or not penalty:
        features, penalty = [np.zeros((len(part), 0)) for part in logits], 0.0

    def fitted(part: slice) -> _Fit | None:
        x, y = np.concatenate(logits[part]), np.concatenate(labels[part])
        found = _fit(x, y)
        return _with_features(found, x, y, np.concatenate(features[part]), penalty) if found else None

    whole = fitted(slice(None))
    if whole is None:
        return None
    probabilities, chosen, raw = [], [], []
    for own, other in zip(halves, reversed(halves), strict=True):
        x, y = np.concatenate(logits[own]), np.concatenate(labels[own])
        # A half too small to be fitted on lends the fit of the whole.
        fit = fitted(other) or whole
        probabilities.append(fit.probabilities(x, np.concatenate(features[own])))
        raw.append(sigmoid(x))
        chosen.append(y)
    y = np.concatenate(chosen)
    bins = reliability(np.concatenate(probabilities), y)
    return Calibration(
        whole.scale,
        whole.shift,
        features=whole.features,
        error=expected_error(bins),
        raw_error=expected_error(reliability(np.concatenate(raw), y)),
        bins=bins,
    )


def reliability(probabilities: Array, labels: Array) -> tuple[Bin, ...]:
    """The table: bins of equal width, those without a sentence left out."""
    place = np.minimum((probabilities * BINS).astype(np.int64), BINS - 1)
    found = []
    for number in range(BINS):
        inside = place == number
        if count := int(inside.sum()):
            probability, chosen = float(probabilities[inside].mean()), float(labels[inside].mean())
            low, high = number / BINS, (number + 1) / BINS
            found.append(Bin(low, high, count, round(probability, 6), round(chosen, 6)))
    return tuple(found)


def expected_error(bins: Sequence[Bin]) -> float:
    """Mean over sentences of what the mean probability of their bin is off by."""
    total = sum(part.count for part in bins)
    return round(sum(part.count * abs(part.probability - part.chosen) for part in bins) / total, 6)


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), without overflow at either end."""
    values: Array = 0.5 * (1 + np.tanh(0.5 * x.astype(np.float64)))
    return values


def _with_features(found: _Fit, logits: Array, labels: Array, features: Array, penalty: float) -> _Fit:
    """From Platt scaling on, with weights of the features: ridge logistic regression by Newton's method."""
    if not penalty:
        return found
    x = found.scale * logits.astype(np.float64) + found.shift
    design = np.column_stack([x, np.ones_like(x), features.astype(np.float64)])
    begun = np.zeros(design.shape[1])
    begun[0] = 1.0
    held = np.full(len(begun), penalty)
    held[1] = 0.0  # the shift is free
    weights = begun.copy()
    for _ in range(_REFITS):
        p = sigmoid(design @ weights)
        slope = design.T @ (p - labels) + held * (weights - begun)
        bend = (design * (p * (1 - p))[:, None]).T @ design + np.diag(held + 1e-9)
        weights = weights - np.linalg.solve(bend, slope)
    if not weights[0] > 0 or not np.isfinite(weights).all():
        return found
    rounded = tuple(round(float(weight), 6) for weight in weights[2:])
    return _Fit(float(weights[0]) * found.scale, float(weights[0] * found.shift + weights[1]), rounded)


def _fit(logits: Array, labels: Array) -> _Fit | None:
    """Scale and shift by Newton's method with halved steps; see `calibrate` for None."""
    positive = int(labels.sum())
    negative = len(labels) - positive
    if not positive or not negative:
        return None
    x = logits.astype(np.float64)
    target = np.where(labels > 0, (positive + 1) / (positive + 2), 1 / (negative + 2))
    design = np.stack([x, np.ones_like(x)], axis=1)
    weights = np.array([1.0, 0.0])
    for _ in range(_STEPS):
        p = sigmoid(design @ weights)
        slope = design.T @ (p - target)
        bend = (design * (p * (1 - p))[:, None]).T @ design + 1e-9 * np.eye(2)
        step = np.linalg.solve(bend, slope)
        length = 1.0
        while length > 1e-6 and _cost(design @ (weights - length * step), target) > _cost(
            design @ weights, target
        ):
            length /= 2
        weights = weights - length * step
        if np.abs(length * step).max() < 1e-9:
            break
    scale, shift = float(weights[0]), float(weights[1])
    return _Fit(scale, shift) if 0 < scale < _STEEPEST else None


def _cost(x: Array, target: Array) -> float:
    return float((np.logaddexp(0, x) - x * target).sum())
