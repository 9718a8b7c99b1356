"""Passes with a ledger that knows more and more notes: none of it may slow them, or take more memory.

Each size has a ledger, a sandbox with the same new notes and a process of its own. What the ledger knows
already stands in it as notes that were left as they are, with all that a row has; the sandbox does not have
these, so that what grows is the ledger alone.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from fhir_adapter.reasons import Reason
from jobs.bench.passes import apart, loaded_server
from jobs.ledger.ledger import Ledger
from jobs.ledger.rows import NoteRow
from jobs.runtime import open_ledger
from jobs.settings import Settings

_BATCH = 1000


@dataclass(frozen=True, slots=True)
class LedgerFigures:
    """Two passes with a ledger of one size.

    Attributes:
        rows: that the ledger had before.
        ledger_mb: of its files then, in 10^6 bytes.
        filling_seconds: of writing these rows, a thousand in each transaction.
        pass_seconds: of a pass over the new notes.
        again_seconds: of the next one, which finds nothing new.
        peak_mb: largest resident memory of the first pass's process, in 10^6 bytes.
        counting_seconds: of counting all rows by status and reason, as `/metrics` does.
    """

    rows: int
    ledger_mb: float
    filling_seconds: float
    pass_seconds: float
    again_seconds: float
    peak_mb: int
    counting_seconds: float

    def to_json(self) -> dict[str, Any]:
        """The line that `--json` prints."""
        return asdict(self)


def measure(settings: Settings, rows: int, notes: int) -> LedgerFigures:
    """Two passes over so many new notes, with a SQLite ledger that has so many rows."""
    with loaded_server(notes) as (base_url, folder):
        url = f"sqlite:///{folder / 'ledger.sqlite'}"
        own = settings.model_copy(update={"fhir_base_url": base_url, "database_url": url})
        with open_ledger(own) as ledger:
            filling = _seconds(lambda: _fill(ledger, rows))
        size = sum(file.stat().st_size for file in folder.glob("ledger.sqlite*"))
        first = apart(own, base_url, folder, "jobs.bench.passes")
        again = apart(own, base_url, folder, "jobs.bench.passes")
        with open_ledger(own) as ledger:
            counting = _seconds(ledger.counts)
    if first.summary["written"] != notes:
        raise RuntimeError("a pass did not write what was to be written")
    return LedgerFigures(
        rows,
        size / 1e6,
        filling,
        first.summary["seconds"],
        again.summary["seconds"],
        round(first.peak / 1e6),
        counting,
    )


def _fill(ledger: Ledger, rows: int) -> None:
    for start in range(0, rows, _BATCH):
        ledger.record([_row(number) for number in range(start, min(start + _BATCH, rows))])


def _row(number: int) -> NoteRow:
    """As long in each column as those of real notes."""
    digest = hashlib.sha256(str(number).encode()).hexdigest()
    return NoteRow(
        source=f"DocumentReference/known-{number}",
        version="1",
        pipeline_version=digest[:16],
        status="skipped",
        reason=Reason.NOT_FINAL,
        composition=digest[:36],
        text_sha256=digest,
        text_key=digest,
        media_type="text/plain",
        milliseconds=20,
    )


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
