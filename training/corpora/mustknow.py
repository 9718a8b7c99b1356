"""Notes with the facts that a clinician must know, marked as character spans by a reader of the whole note.

A line of the marks is `{"id", "sha256", "note_kind", "facts", "traps"}` with `facts` of `{"fact", "kind",
"importance": "must" | "should", "spans": [[start, end], ...]}`, each span a place that states the fact by
itself, and `traps` of `{"shown": [start, end], "needs": [[start, end], ...], "why"}`: `shown` misleads
where none of `needs` is shown with it. The text is that of the record with this `id` in another file; the
SHA-256 is over its UTF-8. Offsets are code points, half-open.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from summarizer.types import Span
from training.corpora.holdout import bucket
from training.corpora.records import Corpus
from training.errors import CorpusError

__all__ = ["Fact", "Importance", "MarkedNote", "Part", "Trap", "covered", "is_found", "read_marked"]

FOUND = 0.8  # share of a span's characters that a summary has to hold
_HELD_OUT, _CHOOSING = 33, 47  # buckets of a hundred below these


class Importance(StrEnum):
    """`must`: the patient may come to harm without it. `should`: useful."""

    MUST = "must"
    SHOULD = "should"


class Part(StrEnum):
    """What a marked note is used for; decided by the hash of its words, so that it never changes."""

    TRAINING = "training"
    CHOOSING = "choosing"
    HELD_OUT = "held-out"


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact of a note; `kind` such as `allergy`, `plan`, `result`. It is found at any one of `spans`."""

    kind: str
    importance: Importance
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Trap:
    """`shown` misleads where none of `needs` is shown with it."""

    shown: Span
    needs: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class MarkedNote:
    """A note and what was marked in it; `line` is its place in the file of marks, from 1."""

    line: int
    id: str
    kind: str
    text: str
    facts: tuple[Fact, ...]
    traps: tuple[Trap, ...]

    @property
    def part(self) -> Part:
        """A third is held out, of the others about a fifth is for choosing between models."""
        place = bucket({"text": self.text})
        if place < _HELD_OUT:
            return Part.HELD_OUT
        return Part.CHOOSING if place < _CHOOSING else Part.TRAINING


def read_marked(marks: Corpus, notes: Corpus) -> Iterator[MarkedNote]:
    """The marked notes, in the order of the marks.

    Args:
        marks: lines as above.
        notes: records with `id` and `text`.

    Raises:
        CorpusError: a file cannot be read, a line is no such mark, its note is missing or has another hash.
    """
    wanted = {str(row["id"]): row for row in _objects(marks) if row.get("id")}
    texts = {
        str(row["id"]): row["text"]
        for row in _objects(notes)
        if str(row.get("id")) in wanted and isinstance(row.get("text"), str)
    }
    for line, (name, row) in enumerate(wanted.items(), 1):
        text = texts.get(name)
        if text is None or hashlib.sha256(text.encode("utf-8")).hexdigest() != row.get("sha256"):
            raise CorpusError(f"{notes.name} does not hold the note of line {line} of {marks.name}.")
        try:
            yield _note(line, row, text)
        except (KeyError, TypeError, ValueError):
            raise CorpusError(f"Line {line} of {marks.name} marks no facts of its note.") from None


def covered(span: Span, shown: Iterable[Span]) -> int:
    """How many characters of a span stand in others that are disjoint."""
    return sum(max(0, min(span.end, other.end) - max(span.start, other.start)) for other in shown)


def is_found(spans: Sequence[Span], shown: Sequence[Span]) -> bool:
    """Whether what is shown holds 80% of the characters of one of the spans."""
    return any(covered(span, shown) >= FOUND * (span.end - span.start) for span in spans)


def _objects(corpus: Corpus) -> Iterator[Mapping[str, Any]]:
    return (record.fields for record in corpus.records() if record.fields is not None)


def _note(line: int, row: Mapping[str, Any], text: str) -> MarkedNote:
    return MarkedNote(
        line,
        str(row["id"]),
        str(row["note_kind"]),
        text,
        tuple(
            Fact(str(f["kind"]), Importance(f["importance"]), tuple(_span(s, text) for s in f["spans"]))
            for f in row["facts"]
        ),
        tuple(Trap(_span(t["shown"], text), tuple(_span(s, text) for s in t["needs"])) for t in row["traps"]),
    )


def _span(value: Sequence[int], text: str) -> Span:
    start, end = value
    if not 0 <= start < end <= len(text):
        raise ValueError("a span outside the text")
    return Span(start, end)
