"""Speed, memory and the ledger's size of backfills of growing size, each in a process of its own."""

import asyncio
from dataclasses import asdict, dataclass
from typing import Any

from jobs.bench.passes import measure_apart, tell
from jobs.settings import Settings


@dataclass(frozen=True, slots=True)
class BackfillFigures:
    """One backfill.

    Attributes:
        notes: on the server.
        written: how many were summarised.
        seconds: from the request of the export to its end.
        peak_mb: largest resident memory of its process, in 10^6 bytes.
        ledger_mb: of the ledger's files, in 10^6 bytes.
    """

    notes: int
    written: int
    seconds: float
    peak_mb: int
    ledger_mb: float

    def to_json(self) -> dict[str, Any]:
        """The line that `--json` prints."""
        return asdict(self)


def measure_backfill(settings: Settings, notes: int) -> BackfillFigures:
    """Loads so many generated notes of about 1.5 kB into a sandbox and backfills them by its export."""
    told = measure_apart(settings, notes, "jobs.bench.backfills")
    summary = told.summary
    return BackfillFigures(
        notes, summary["written"], summary["seconds"], round(told.peak / 1e6), told.ledger / 1e6
    )


def run_and_tell() -> None:
    """Runs one backfill in this process and prints its counts and the peak of its memory as JSON."""
    from jobs.backfill.local import run_local
    from jobs.backfill.pieces import Wanted
    from jobs.backfill.plan import Request
    from jobs.passes.watch import Watch
    from jobs.runtime import open_ledger
    from jobs.settings import load_settings

    settings = load_settings()
    request = Request(Wanted(settings.resource_types))
    with open_ledger(settings) as ledger:
        ended = asyncio.run(run_local(settings, ledger, request, lambda _: None, Watch()))
    tell(ended.totals)
