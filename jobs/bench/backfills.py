"""Speed, memory and the ledger's size of backfills of growing size, each in a process of its own."""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fhir_adapter.sandbox.load import load
from fhir_adapter.sandbox.running import running_embedded
from jobs.bench.passes import generated_notes
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
    with tempfile.TemporaryDirectory() as name, running_embedded(own_process=True) as base_url:
        folder = Path(name)
        with open(folder / "notes.ndjson", "w") as file:
            for resource in generated_notes(notes):
                file.write(json.dumps(resource) + "\n")
        asyncio.run(load(base_url, [folder / "notes.ndjson"]))
        environment = {
            **os.environ,
            "CLINSUM_FHIR_BASE_URL": base_url,
            "CLINSUM_DATABASE_URL": f"sqlite:///{folder / 'ledger.sqlite'}",
            "CLINSUM_ENGINE": settings.engine,
            "CLINSUM_MODEL": settings.model,
        }
        code = "from jobs.bench.backfills import run_and_tell; run_and_tell()"
        done = subprocess.run(  # noqa: S603 - our own interpreter and code
            [sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True
        )
        summary, peak = json.loads(done.stdout.splitlines()[-1])
        size = sum(file.stat().st_size for file in folder.glob("ledger.sqlite*"))
    return BackfillFigures(notes, summary["written"], summary["seconds"], round(peak / 1e6), size / 1e6)


def run_and_tell() -> None:
    """Runs one backfill in this process and prints its counts and the peak of its memory as JSON."""
    import resource

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
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    sys.stdout.write(json.dumps([ended.totals.to_json()["summary"], peak]) + "\n")
