"""What one note may cost: counted before the work begins where it can be, and ended in it where not.

Without `working` nothing is limited: a corpus that is evaluated, a note that somebody gave by hand.
"""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import islice

from summarizer.errors import (
    OutOfTimeError,
    TextTooLongError,
    TooManySentencesError,
    TooManyTokensError,
    UnwantedError,
)

_WORD = re.compile(r"\S+")
_END = re.compile(r"[.!?]\s|\n")


@dataclass(frozen=True, slots=True)
class NoteLimits:
    """What one note may cost.

    Attributes:
        characters: code points of the text.
        sentences: that it is cut into.
        tokens: of the encoder over all sentences.
        seconds: wall clock to split it, and again to score it.
        memory: bytes of address space of the process that cuts a long text into sentences.
    """

    characters: int = 2_000_000
    sentences: int = 5_000
    tokens: int = 100_000
    seconds: float = 60.0
    memory: int = 1_500_000_000


class Work:
    """One piece of work under limits; its clock is set anew for each note.

    Args:
        limits: of each note.
        wanted: asked now and then; the work ends soon after it says False.
    """

    def __init__(self, limits: NoteLimits, wanted: Callable[[], bool] = lambda: True) -> None:
        self.limits = limits
        self.wanted = wanted
        self.begin()

    def begin(self, notes: int = 1) -> None:
        """Starts the clock of the next note, or of so many that are scored together."""
        self._ends = time.monotonic() + self.limits.seconds * notes

    @property
    def left(self) -> float:
        """Seconds until the note in hand is out of time."""
        return self._ends - time.monotonic()

    def check(self) -> None:
        """Raises OutOfTimeError where its time is up, UnwantedError where nobody waits for it any more."""
        if self.left < 0:
            raise OutOfTimeError(f"more than {self.limits.seconds:g} s")
        if not self.wanted():
            raise UnwantedError("nobody waits for it any more")


_work: ContextVar[Work | None] = ContextVar("note_work", default=None)


@contextmanager
def working(work: Work) -> Iterator[None]:
    """Holds what is done in the block, in this thread, to the limits."""
    token = _work.set(work)
    try:
        yield
    finally:
        _work.reset(token)


def begin_note(text: str) -> Work | None:
    """Starts the clock for a note and counts what can be counted at once.

    Every white-space separated word is one token at least, so a text of more words than that is
    refused unread; what it is said to have too many of is what it seems to be made of.

    Returns:
        The work that the note is part of, if there is one.

    Raises:
        TextTooLongError, TooManySentencesError, TooManyTokensError.
    """
    work = _work.get()
    if work is None:
        return None
    work.begin()
    limits = work.limits
    if len(text) > limits.characters:
        raise TextTooLongError(f"{len(text)} characters, at most {limits.characters}")
    if _more(_WORD, text, limits.tokens):
        if _more(_END, text, limits.sentences):
            raise TooManySentencesError(f"more than {limits.sentences} ends of sentences or lines")
        raise TooManyTokensError(f"more than {limits.tokens} words")
    return work


def _more(pattern: re.Pattern[str], text: str, most: int) -> bool:
    return sum(1 for _ in islice(pattern.finditer(text), most + 1)) > most


def begin_scoring(notes: int) -> None:
    """Starts the clock for so many notes that are scored together."""
    work = _work.get()
    if work is not None:
        work.begin(notes)


def check_time() -> None:
    """Ends the work where its time is up, or nobody waits for it any more; call it between steps.

    Raises:
        OutOfTimeError, UnwantedError.
    """
    work = _work.get()
    if work is not None:
        work.check()


def check_sentences(count: int) -> None:
    """Raises TooManySentencesError for a note of so many sentences."""
    work = _work.get()
    if work is not None and count > work.limits.sentences:
        raise TooManySentencesError(f"more than {work.limits.sentences} sentences")


def check_tokens(count: int) -> None:
    """Raises TooManyTokensError for a note of so many tokens."""
    work = _work.get()
    if work is not None and count > work.limits.tokens:
        raise TooManyTokensError(f"more than {work.limits.tokens} tokens")
