"""Summaries for a batch of texts, each distinct text scored once; one text's failure is its own."""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Protocol

import structlog

from fhir_adapter.errors import NoteError
from fhir_adapter.note import NoteText
from fhir_adapter.reasons import Reason
from summarizer.errors import LimitError, SummarizerError
from summarizer.limits import NoteLimits, Work, working
from summarizer.types import Budget, Document, ModelInfo, Summary

log = structlog.get_logger("clinsum.scoring")

BATCH_CHARACTERS = 500_000
LARGE = 50_000  # characters from which a note is scored by itself, after the others
_REMEMBERED = 2048  # summaries; servers file one text under several resources and versions


class Summarizing(Protocol):
    """What a pass needs of a summarizer."""

    @property
    def model(self) -> ModelInfo:
        """Which model chooses."""

    def summarize(self, texts: Sequence[str | Document], budget: Budget | None = None) -> list[Summary]:
        """A summary of each text."""


class Scorer:
    """The summarizer as passes use it: one thread at a time, the others wait.

    Args:
        summarizer: the one that chooses.
        budget: of each summary.
        limits: what one note may cost.
    """

    def __init__(
        self, summarizer: Summarizing, budget: Budget | None, limits: NoteLimits | None = None
    ) -> None:
        self._summarizer = summarizer
        self._budget = budget
        self._limits = limits or NoteLimits()
        self._remembered: OrderedDict[tuple[object, ...], Summary | NoteError] = OrderedDict()
        self._turn = threading.Lock()
        self.ready = not summarizer.model.sha256
        """Whether the weights are loaded, or there are none to load."""

    def check_characters(self, count: int) -> None:
        """Raises NoteError(TOO_LARGE) for a text that would not be scored: it need not be kept till then."""
        if count > self._limits.characters:
            raise NoteError(Reason.TOO_LARGE, f"{count} characters, at most {self._limits.characters}")

    def score(self, texts: Sequence[NoteText]) -> list[Summary | NoteError]:
        """Returns for each text its summary, or why there is none."""
        with self._turn:
            scored = self._scored(texts)
            self.ready = True
            return scored

    def _scored(self, texts: Sequence[NoteText]) -> list[Summary | NoteError]:
        keys = [_key(text) for text in texts]
        fresh = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._remembered}
        for part in _parts(list(fresh.values())):
            for text, result in zip(part, self._attempt(part), strict=True):
                self._remembered[_key(text)] = result
        results = [self._remembered[key] for key in keys]
        for key in dict.fromkeys(keys):
            self._remembered.move_to_end(key)
            if isinstance(self._remembered[key], NoteError):
                del self._remembered[key]  # the next pass tries it anew
        while len(self._remembered) > _REMEMBERED:
            self._remembered.popitem(last=False)
        return results

    def _attempt(self, part: Sequence[NoteText]) -> list[Summary | NoteError]:
        documents = [text.document() for text in part]
        try:
            with working(Work(self._limits)):
                return list(self._summarizer.summarize(documents, self._budget))
        except LimitError as error:
            if len(part) == 1:
                return [over_limit(error)]
            return [result for text in part for result in self._attempt([text])]
        except SummarizerError:  # the model itself, which is loaded with the first text: no note's fault
            raise
        except Exception as error:  # whatever a model may raise: find the text at fault, spare the others
            if len(part) == 1:
                return [internal_error(error, "score")]
            log.warning("batch-failed", error=type(error).__name__, notes=len(part))
            return [result for text in part for result in self._attempt([text])]


def over_limit(error: LimitError) -> NoteError:
    """The end of a note that costs too much."""
    return NoteError(Reason(error.code), str(error))


def internal_error(error: Exception, step: str) -> NoteError:
    """An error of ours as a note's end; its type is kept, its message may hold note text and is not."""
    log.error("note-failed", step=step, error=type(error).__name__)
    return NoteError(Reason.INTERNAL_ERROR, f"{step}: {type(error).__name__}")


def _key(text: NoteText) -> tuple[object, ...]:
    return (text.sha256, text.headings, text.marks, text.parts)


def _parts(texts: Sequence[NoteText]) -> Iterator[list[NoteText]]:
    """Cuts a batch so that no part holds more than so many characters, or holds a single, large text."""
    part: list[NoteText] = []
    size = 0
    for text in texts:
        if len(text.text) >= LARGE:
            yield [text]
            continue
        if part and size + len(text.text) > BATCH_CHARACTERS:
            yield part
            part, size = [], 0
        part.append(text)
        size += len(text.text)
    if part:
        yield part
