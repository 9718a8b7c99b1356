"""What a backfill is divided into: pieces that are worked on, resumed and done each for itself."""

import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from jobs.passes.changes import Changes
from jobs.passes.parts import Parts
from jobs.passes.work import Batch


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of the resources that a source holds.

    Attributes:
        types: that hold notes.
        since: only what the server stamped then or later, an instant; "" for everything.
    """

    types: tuple[str, ...]
    since: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """How far the reading of a piece is, behind the batches that came before.

    Attributes:
        lines: that it has passed.
        done: of the piece's weight.
    """

    lines: int
    done: int


class Piece(Protocol):
    """A file, a file of an export, a stretch of time, or a patient. It can be sent to another process."""

    @property
    def name(self) -> str:
        """Tells it from the others of the same backfill, in this run and the next; at most 64 characters."""

    @property
    def weight(self) -> int:
        """What it is of the whole: bytes or notes; above 0."""

    def batches(self, parts: Parts, changes: Changes, after: int) -> AsyncIterator[Batch | Place]:
        """What is to be done for it.

        Args:
            parts: of the process.
            changes: of the pass, which makes the batches.
            after: lines that were passed before.

        Raises:
            PieceError: the rest of it cannot be read; other pieces may be.
            FhirAdapterError: the server does not answer.
        """


class PieceError(Exception):
    """A piece cannot be read to its end; one sentence without any text of a note."""


def digest(*parts: str) -> str:
    """A name for what these say together: 64 characters."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
