"""What one note may cost: counted before the work, and ended in it."""

import os
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from summarizer import Document, Summarizer
from summarizer.errors import (
    LimitError,
    OutOfTimeError,
    TextTooLongError,
    TooManySentencesError,
    TooManyTokensError,
    UnwantedError,
)
from summarizer.limits import NoteLimits, Work, check_time, working
from summarizer.splitting import apart
from summarizer.splitting.split import Split, split_document

LONG = "PLAN:\n" + "He was well today and takes aspirin 81 mg. " * 1500
LIMITS = NoteLimits()


def held(text: str, limits: NoteLimits = LIMITS) -> Split:
    with working(Work(limits)):
        return apart.split(Document(text))


@pytest.mark.parametrize(
    ("text", "limits", "error"),
    [
        ("He was well. " * 30, replace(LIMITS, sentences=29), TooManySentencesError),
        (LONG, replace(LIMITS, sentences=1499), TooManySentencesError),
        (LONG, replace(LIMITS, sentences=1499, tokens=100), TooManySentencesError),
        ("word " * 101, replace(LIMITS, tokens=100), TooManyTokensError),
        ("word", replace(LIMITS, characters=3), TextTooLongError),
        (LONG, replace(LIMITS, seconds=0.01), OutOfTimeError),
        (LONG, replace(LIMITS, memory=1 << 24), TextTooLongError),
    ],
)
def test_a_note_beyond_a_limit_ends_with_its_kind(
    text: str, limits: NoteLimits, error: type[LimitError]
) -> None:
    with pytest.raises(error) as raised:
        held(text, limits)
    assert "well" not in str(raised.value)


def test_a_long_note_is_split_apart_as_it_is_here() -> None:
    assert len(LONG) > apart.LONG
    assert held(LONG) == split_document(Document(LONG))


def test_without_limits_nothing_is_limited() -> None:
    [summary] = Summarizer.from_pretrained(engine="lead").summarize(["He was well. " * 6000])
    assert len(summary.sentences) == 6000


def test_what_nobody_waits_for_is_ended() -> None:
    left = threading.Event()
    threading.Timer(0.3, left.set).start()
    text = "a   b: " * 250_000
    with working(Work(NoteLimits(tokens=10**9), lambda: not left.is_set())), pytest.raises(UnwantedError):
        apart.split(Document(text))


def test_the_process_apart_knows_no_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CLINSUM_TOKEN", "secret")
    assert "CLINSUM_TOKEN" in os.environ
    assert not [name for name in apart._environment() if name.startswith("CLINSUM")]


class Slow:
    """An engine that looks at the clock as the encoder does."""

    def __init__(self) -> None:
        lead = Summarizer.from_pretrained(engine="lead")._engine
        self.model, self.device, self.precision, self.fits_length = lead.model, "cpu", "", False
        self._score = lead.score

    def score(self, documents: Sequence[object], asked: Sequence[int]) -> object:
        for _ in range(100):
            time.sleep(0.01)
            check_time()
        return self._score(documents, asked)  # type: ignore[arg-type]


def test_scoring_that_takes_too_long_is_ended() -> None:
    with working(Work(NoteLimits(seconds=0.1))), pytest.raises(OutOfTimeError):
        Summarizer(Slow()).summarize(["He was well."])  # type: ignore[arg-type]


def test_tokens_are_counted_before_they_are_read() -> None:
    text = " ".join("pneumonoultramicroscopicsilicovolcanoconiosis" for _ in range(90))
    with working(Work(NoteLimits(tokens=100))), pytest.raises(TooManyTokensError):
        Summarizer.from_pretrained().summarize([text])
