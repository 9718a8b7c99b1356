"""The error of this package; its message is one sentence that says what to change."""

from training.errors import TrainingError


class EvaluationError(TrainingError):
    """The data, an engine or a place to write to cannot be used."""
