"""The process that splits one long text: a pickled request in, a pickled answer out.

Run as `python -m summarizer.splitting.child`. The kernel holds it to memory and processor time.
"""

import os
import pickle
import resource
import signal
import sys
from contextlib import suppress

from summarizer.errors import LimitError
from summarizer.limits import NoteLimits, Work, working
from summarizer.splitting.split import Split, split_document
from summarizer.types import Document

_ANY = Document("PLAN:\nHome.")
"""Split before memory is bounded, for what is imported late: without room that would be an `ImportError`."""


def main() -> int:
    """Answers one request."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    document, limits = pickle.load(sys.stdin.buffer)  # noqa: S301  # of our parent
    split_document(_ANY)
    _lower(resource.RLIMIT_AS, limits.memory)
    _lower(resource.RLIMIT_CPU, int(limits.seconds) + 1)
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, 0)
    signal.setitimer(signal.ITIMER_REAL, limits.seconds + 1)
    try:
        answer = pickle.dumps(_attempt(document, limits))
    except MemoryError:
        answer = pickle.dumps(("TextTooLongError", "the text took too much memory"))
    sys.stdout.buffer.write(answer)
    sys.stdout.buffer.flush()
    os._exit(0)  # nothing is left to tidy, and taking so many objects apart takes time


def _attempt(document: Document, limits: NoteLimits) -> Split | tuple[str, str]:
    try:
        with working(Work(limits)):
            return split_document(document)
    except LimitError as error:
        return type(error).__name__, str(error)
    except MemoryError:
        return "TextTooLongError", "the text took too much memory"
    except Exception as error:  # its message may hold text of the note
        return "RuntimeError", f"the text could not be split ({type(error).__name__})"


def _lower(which: int, value: int) -> None:
    _, hard = resource.getrlimit(which)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    with suppress(ValueError, OSError):
        resource.setrlimit(which, (value, value))


if __name__ == "__main__":
    sys.exit(main())
