"""The one exception tree of this package. Each message is one sentence that says what to change."""


class TrainingError(Exception):
    """Base of all errors raised here."""


class CorpusError(TrainingError):
    """A corpus cannot be read, or a record has none of the known forms."""


class LabelFileError(TrainingError):
    """A file of labels cannot be read, or belongs to other data or other settings."""


class RunError(TrainingError):
    """A training run cannot begin or go on: its folder, settings or data do not allow it."""
