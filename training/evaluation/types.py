"""What is measured: items to summarise, in cases that count as one document each."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from summarizer.types import Budget


@dataclass(frozen=True, slots=True)
class Item:
    """One text to summarise, and what a good summary of it would say.

    Attributes:
        sentences: in order; none is blank.
        starts: the offset of each sentence: in `text`, or without one in the sentences joined by newlines.
        budget: how much the summary may hold.
        text: the note; None for an article, which is nothing but its sentences.
        reference: the sentences of the abstract; empty for a note.
        targets: what should be found in a note. Each is the set of the sentences of which any one will do.
        arrangement: how the sections of the note stand: the measure that this item counts for.
    """

    sentences: tuple[str, ...]
    starts: tuple[int, ...]
    budget: Budget
    text: str | None = None
    reference: tuple[str, ...] = ()
    targets: tuple[frozenset[int], ...] = ()
    arrangement: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """A line of the data: one item, or a note in several arrangements. `line` counts from 1."""

    line: int
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that could not be used, and why; never with any of its text."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Corpus:
    """What was read of a file.

    Attributes:
        name: the file's name without its folder.
        sha256: over the file's bytes as they are stored: `sha256sum FILE`.
        cases: what can be measured on.
        bad: lines that are damaged or lack something.
        left_out: sound lines on which nothing can be measured: the number for each reason.
    """

    name: str
    sha256: str
    cases: tuple[Case, ...]
    bad: tuple[BadLine, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
