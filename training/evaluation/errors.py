"""The error of this package; its message is one sentence that says what to change."""


class EvaluationError(Exception):
    """The data, an engine or a place to write to cannot be used."""
