"""How one note ended in one pass, and the sum over a pass."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from fhir_adapter.reasons import Reason
from jobs.ledger.rows import NoteRow, Status


@dataclass(frozen=True, slots=True)
class Outcome:
    """One note's end: a Composition, unchanged, or a reason code.

    Attributes:
        source: `Type/id`.
        reason: for `unchanged`, the reason of the earlier end where there was one.
        composition: id of the Composition, of a copy that of the one that names it, or "".
        sentences: how many were chosen.
        milliseconds: from the start of reading to the note's entry in the ledger.
        waiting: it failed in an earlier pass, and its next try is not due yet.
    """

    source: str
    version: str
    status: Status
    reason: str = ""
    composition: str = ""
    sentences: int = 0
    milliseconds: int = 0
    waiting: bool = False

    @classmethod
    def of(cls, row: NoteRow, status: Status | None = None, *, waiting: bool = False) -> "Outcome":
        """The outcome that a ledger row records."""
        return cls(
            row.source,
            row.version,
            status or row.status,
            row.reason,
            row.composition if status or row.reason in ("", Reason.COPY) else "",
            row.sentences,
            0 if status or waiting else row.milliseconds,
            waiting,
        )

    def to_json(self) -> dict[str, Any]:
        """The line that `clinsum poll --json` prints."""
        return {
            "source": self.source,
            "version": self.version,
            "status": self.status,
            "reason": self.reason or None,
            "composition": f"Composition/{self.composition}" if self.composition else None,
            "sentences": self.sentences,
            "ms": self.milliseconds,
        }


@dataclass
class Totals:
    """Counts of one pass.

    Attributes:
        missed: of a walk over everything: notes that the ledger lacked, or had of another version.
        unknown: of named notes: those that neither the server nor the ledger has.
    """

    seconds: float = 0.0
    missed: int | None = None
    unknown: tuple[str, ...] = ()
    by_status: Counter[str] = field(default_factory=Counter)
    by_reason: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: Outcome) -> None:
        """Counts one note."""
        self.by_status[outcome.status] += 1
        if outcome.reason and outcome.status in ("skipped", "failed"):
            self.by_reason[outcome.reason] += 1

    @property
    def seen(self) -> int:
        """Notes handled."""
        return self.by_status.total()

    def to_json(self) -> dict[str, Any]:
        """The last line that `clinsum poll --json` prints."""
        counts = {s: self.by_status[s] for s in ("written", "unchanged", "skipped", "failed")}
        missed = {} if self.missed is None else {"missed": self.missed}
        unknown = {"unknown": list(self.unknown)} if self.unknown else {}
        seconds = round(self.seconds, 3)
        return {"summary": {"seen": self.seen, **counts, **missed, **unknown, "seconds": seconds}}
