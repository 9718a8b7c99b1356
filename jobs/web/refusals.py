"""What the model's queue says instead of giving a summary, as a problem."""

from jobs.web.batching import ClosedError, ModelUnavailableError, QueueFullError, ScoringError
from jobs.web.problems import ProblemError
from summarizer.errors import LimitError, OutOfTimeError

REFUSALS = (QueueFullError, ClosedError, ModelUnavailableError, ScoringError, LimitError)
"""What the model's queue raises instead of giving a summary."""


def refusal(error: Exception) -> ProblemError:
    """What to answer where the model's queue gave no summary."""
    match error:
        case QueueFullError(pause=pause):
            return ProblemError("queue-full", headers={"Retry-After": str(pause)})
        case ClosedError():
            return ProblemError("shutting-down")
        case ModelUnavailableError():
            return ProblemError("model-unavailable")
        case OutOfTimeError():
            return ProblemError("timeout", "The model took too long.", reason=error.code)
        case LimitError():
            return ProblemError("too-large", f"The note has {error}.", reason=error.code)
    return ProblemError("internal-error", "The model failed on the text.")
