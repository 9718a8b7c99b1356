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
