"""The limits under which a note's bytes are read, held by the kernel against a hostile file.

A worker sets its limits with the kernel, not with Python: a parser that loops in C, or eats memory, is ended
by the kernel whether or not it ever returns to the interpreter.
"""

import contextlib
import resource
import signal
from dataclasses import dataclass

from fhir_adapter.errors import NoteError
from fhir_adapter.reasons import Reason


@dataclass(frozen=True, slots=True)
class Limits:
    """What one note may cost.

    Attributes:
        max_bytes: bytes of the attachment as it came.
        max_unpacked: bytes after gzip or ZIP, over all layers of one note.
        max_characters: code points of the text.
        max_depth: layers of wrapping (a PDF in a C-CDA in a gzip is three).
        seconds: wall clock for one note in a worker; processor time likewise.
        memory: bytes of address space of a worker (its own code takes about 150 MB of it).
    """

    max_bytes: int = 20_000_000
    max_unpacked: int = 100_000_000
    max_characters: int = 5_000_000
    max_depth: int = 4
    seconds: float = 30.0
    memory: int = 1_500_000_000

    def check_size(self, size: int) -> None:
        """Raises NoteError(TOO_LARGE) for an attachment over `max_bytes`."""
        if size > self.max_bytes:
            raise NoteError(Reason.TOO_LARGE, f"{size} bytes, at most {self.max_bytes}")

    def check_characters(self, count: int) -> None:
        """Raises NoteError(TOO_LARGE) for a text over `max_characters`."""
        if count > self.max_characters:
            raise NoteError(Reason.TOO_LARGE, f"{count} characters of text, at most {self.max_characters}")


def confine(limits: Limits) -> None:
    """Sets what holds for a worker's whole life: memory, no files written, no core dump with a note in it."""
    _lower(resource.RLIMIT_AS, limits.memory)
    _lower(resource.RLIMIT_FSIZE, 0)
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_NOFILE, 64)


def arm(limits: Limits) -> None:
    """Starts the clocks for one note: the kernel ends the process when either runs out."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    spent = used.ru_utime + used.ru_stime
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    # The kernel counts whole seconds, so one more is given.
    resource.setrlimit(resource.RLIMIT_CPU, (int(spent + limits.seconds) + 1, hard))
    signal.setitimer(signal.ITIMER_REAL, limits.seconds)


def disarm() -> None:
    """Stops the wall clock between notes."""
    signal.setitimer(signal.ITIMER_REAL, 0)


def overdue() -> NoteError:
    """The reason for a note whose reading did not end in time."""
    return NoteError(Reason.TIMEOUT, "the reader ran out of time")


def nonsense() -> NoteError:
    """The reason for a note whose reader answered with what is no answer."""
    return NoteError(Reason.MALFORMED, "the reader gave no sensible answer")


def death(status: int) -> NoteError:
    """What the end of a worker in the middle of a note means.

    Args:
        status: exit status as `subprocess` gives it: negative for a signal.
    """
    if status in (-signal.SIGALRM, -signal.SIGXCPU):
        return overdue()
    if status == -signal.SIGKILL:
        return NoteError(Reason.TOO_LARGE, "the reader was ended by the system, most likely for memory")
    name = signal.Signals(-status).name if -status in set(signal.Signals) else f"exit status {status}"
    return NoteError(Reason.MALFORMED, f"the reader died ({name})")


def _lower(which: int, value: int) -> None:
    """Lowers a limit; some systems do not enforce every one, which must not keep a worker from working."""
    _, hard = resource.getrlimit(which)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(which, (value, value))
