"""The one exception tree of this package. Each message is one sentence that says what to change."""


class SummarizerError(Exception):
    """Base of all errors raised here."""


class EngineError(SummarizerError):
    """No engine of that name, or the engine cannot work with the model, device or precision it was given."""


class ModelError(SummarizerError):
    """The model cannot be used."""


class ModelNotFoundError(ModelError):
    """There is no such folder or it lacks a file, or the hub has no such model."""


class UnsupportedModelError(ModelError):
    """The folder holds something else than an encoder of the BERT family, or weights that do not fit it."""


class HubError(ModelError):
    """The model was named by its hub name and the hub gave no answer."""


class LimitError(SummarizerError):
    """A note costs more than `summarizer.limits.NoteLimits` allows; the message holds nothing of its text.

    Attributes:
        code: for machines, stable.
    """

    code = ""


class TextTooLongError(LimitError):
    """Its text is too long, or took more memory than there may be."""

    code = "too-large"


class TooManySentencesError(LimitError):
    """It has too many sentences."""

    code = "too-many-sentences"


class TooManyTokensError(LimitError):
    """Its sentences have too many tokens."""

    code = "too-many-tokens"


class OutOfTimeError(LimitError):
    """It took too long."""

    code = "timeout"


class UnwantedError(LimitError):
    """Whoever asked for the summary has left."""

    code = "unwanted"
