"""Splits a long text in a process of its own, which can be ended at any moment.

A thread cannot be: a regular expression that takes hours on some line would take the pass, or the service,
with it. Short texts are split here, in time that their length bounds (`tests/faults/test_growth.py`).
"""

import os
import pickle
import subprocess
import sys
import threading
from contextlib import nullcontext, suppress
from dataclasses import replace
from pathlib import Path

from summarizer.errors import (
    LimitError,
    OutOfTimeError,
    TextTooLongError,
    TooManySentencesError,
)
from summarizer.limits import Work, begin_note
from summarizer.splitting.split import Split, split_document
from summarizer.types import Document

LONG = 50_000  # characters from which a text is split in a process of its own
_LOOK = 0.2  # seconds between two looks whether the result is still wanted
_ROOT = str(Path(__file__).resolve().parents[2])
_CHILD = ("-P", "-m", "summarizer.splitting.child")
_FAULTS = {error.__name__: error for error in (TooManySentencesError, TextTooLongError, OutOfTimeError)}


def split(document: Document) -> Split:
    """The split of a note, within the limits of the work in hand if there are any.

    Raises:
        LimitError: the note costs more than it may.
        RuntimeError: the other process failed; names the error's type alone.
    """
    work = begin_note(document.text)
    if work is None or len(document.text) < LONG:
        return split_document(document)
    return _apart(document, work)


def _apart(document: Document, work: Work) -> Split:
    limits = replace(work.limits, seconds=max(work.left, 0.1))
    process = subprocess.Popen(  # noqa: S603  # our own interpreter and module
        (sys.executable, *_CHILD),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_environment(),
    )
    feeding = _fed(process, pickle.dumps((document, limits)))
    try:
        answer = _answer(process, work)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        process.communicate()
        feeding.join()
    # Not what a hostile file could have made: the child runs our own Python on a string, and nothing else.
    try:
        found = pickle.loads(answer)  # noqa: S301
    except (EOFError, pickle.UnpicklingError):
        raise _death(process.returncode, work) from None
    if isinstance(found, Split):
        return found
    name, message = found
    raise _FAULTS.get(name, RuntimeError)(message)


def _fed(process: subprocess.Popen[bytes], request: bytes) -> threading.Thread:
    """Writes the request beside what else happens; `communicate` cannot go on with it after a timeout."""
    pipe, process.stdin = process.stdin, None

    def feed() -> None:
        with suppress(BrokenPipeError), pipe or nullcontext():
            if pipe:
                pipe.write(request)

    thread = threading.Thread(target=feed, name="split")
    thread.start()
    return thread


def _answer(process: subprocess.Popen[bytes], work: Work) -> bytes:
    while True:
        try:
            return process.communicate(timeout=_LOOK)[0]
        except subprocess.TimeoutExpired:
            work.check()


def _death(status: int, work: Work) -> LimitError:
    """What the end of the process without an answer means."""
    if work.left < 1:
        return OutOfTimeError(f"more than {work.limits.seconds:g} s")
    return TextTooLongError(f"the process that splits the text ended ({status}), most likely for memory")


def _environment() -> dict[str, str]:
    """What the child may know: where this package is, and no secrets of the parent."""
    kept = ("PATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH")
    path = os.pathsep.join([_ROOT, *([os.environ["PYTHONPATH"]] if os.environ.get("PYTHONPATH") else [])])
    return {"PYTHONPATH": path, **{name: os.environ[name] for name in kept if name in os.environ}}
