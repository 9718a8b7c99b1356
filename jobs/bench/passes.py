"""Speed and memory of a pass, each measured in a process of its own over a sandbox of its own."""

import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fhir_adapter.sandbox.load import load
from jobs.passes.outcome import Totals
from jobs.sandboxes import EngineName, running
from jobs.settings import Settings

_WORDS = [
    "patient",
    "reports",
    "mild",
    "chest",
    "pain",
    "since",
    "yesterday",
    "without",
    "fever",
    "cough",
    "or",
    "shortness",
    "of",
    "breath",
    "lungs",
    "are",
    "clear",
    "heart",
    "rate",
    "regular",
    "abdomen",
    "soft",
    "continue",
    "metoprolol",
    "follow",
    "up",
    "in",
    "clinic",
    "after",
    "two",
    "weeks",
    "labs",
    "show",
    "stable",
    "creatinine",
    "potassium",
    "within",
    "normal",
    "limits",
    "wound",
    "healing",
    "well",
    "no",
    "sign",
    "of",
    "infection",
]


@dataclass(frozen=True, slots=True)
class PassFigures:
    """One pass.

    Attributes:
        notes: how many the pass handled.
        written: how many were summarised.
        peak_mb: largest resident memory of the pass's process, in 10^6 bytes.
    """

    notes: int
    written: int
    seconds: float
    peak_mb: int

    def to_json(self) -> dict[str, Any]:
        """The line that `--json` prints."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Apart:
    """What work in a process of its own told, over a sandbox of its own.

    Attributes:
        summary: the counts and seconds of a pass or a backfill.
        peak: largest resident memory of that process, in bytes.
        ledger: size of the ledger's files, in bytes.
    """

    summary: dict[str, Any]
    peak: int
    ledger: int


def measure_pass(settings: Settings, notes: int) -> PassFigures:
    """Loads so many generated notes of about 1.5 kB into a sandbox and runs one pass over them."""
    told = measure_apart(settings, notes, "jobs.bench.passes")
    summary = told.summary
    return PassFigures(summary["seen"], summary["written"], summary["seconds"], round(told.peak / 1e6))


def measure_apart(settings: Settings, notes: int, module: str) -> Apart:
    """Loads generated notes into a sandbox and has `run_and_tell` of a module work on them elsewhere."""
    with loaded_server(notes) as (base_url, folder):
        return apart(settings, base_url, folder, module)


@contextmanager
def loaded_server(notes: int, engine: EngineName = "embedded") -> Iterator[tuple[str, Path]]:
    """A server with so many generated notes, and a folder beside it; gone after the block."""
    with tempfile.TemporaryDirectory() as name, running(engine) as base_url:
        folder = Path(name)
        with open(folder / "notes.ndjson", "w") as file:
            for resource in generated_notes(notes):
                file.write(json.dumps(resource) + "\n")
        asyncio.run(load(base_url, [folder / "notes.ndjson"]))
        yield base_url, folder


def apart(settings: Settings, base_url: str, folder: Path, module: str) -> Apart:
    """Has `run_and_tell` of a module work on a server in a process of its own; its ledger in the folder.

    Of the settings, the engine, the model, the name of the pipeline, AuditEvents and concurrency count.
    """
    environment = {
        **os.environ,
        "CLINSUM_FHIR_BASE_URL": base_url,
        "CLINSUM_DATABASE_URL": f"sqlite:///{folder / 'ledger.sqlite'}",
        "CLINSUM_ENGINE": settings.engine,
        "CLINSUM_MODEL": settings.model,
        "CLINSUM_PIPELINE": settings.pipeline,
        "CLINSUM_AUDIT_EVENTS": str(settings.audit_events),
        "CLINSUM_CONCURRENCY": str(settings.concurrency),
    }
    # As a command begins: what it costs is measured, not what the bench does.
    code = f"import jobs.memory, {module} as work; jobs.memory.keep_little(); work.run_and_tell()"
    done = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True
    )
    summary, peak = json.loads(done.stdout.splitlines()[-1])
    return Apart(summary, peak, sum(file.stat().st_size for file in folder.glob("ledger.sqlite*")))


def run_and_tell() -> None:
    """Runs one pass in this process and prints its counts and the peak of its memory as JSON."""
    from jobs.runtime import open_ledger
    from jobs.schedule import one_pass
    from jobs.settings import load_settings

    settings = load_settings()
    with open_ledger(settings) as ledger:
        totals = asyncio.run(one_pass(settings, ledger, None, lambda _: None))
    tell(totals)


def tell(totals: Totals) -> None:
    """Prints counts and the peak of this process's memory as the JSON that `measure_apart` reads."""
    sys.stdout.write(json.dumps([totals.to_json()["summary"], peak_memory()]) + "\n")


def peak_memory() -> int:
    """Largest resident memory of this process, in bytes.

    What the system counts for `getrusage` begins, on Linux, with that of the process which started this one.
    """
    import resource

    status = Path("/proc/self/status")
    for line in status.read_text(encoding="utf-8").splitlines() if status.exists() else ():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def generated_notes(count: int) -> Iterator[dict[str, Any]]:
    """DocumentReferences of about 25 sentences each, all different, the same in every run."""
    import base64

    chance = random.Random(20261124)
    for number in range(count):
        sentences = [f"Note {number} of the series."]
        for _ in range(24):
            words = chance.choices(_WORDS, k=chance.randint(5, 14))
            sentences.append(" ".join(words).capitalize() + ".")
        text = "\n".join(" ".join(sentences[i : i + 4]) for i in range(0, len(sentences), 4))
        yield {
            "resourceType": "DocumentReference",
            "id": f"bench-{number}",
            "status": "current",
            "docStatus": "final",
            "subject": {"reference": f"Patient/bench-{number % 50}"},
            "content": [
                {
                    "attachment": {
                        "contentType": "text/plain; charset=utf-8",
                        "data": base64.b64encode(text.encode()).decode(),
                    }
                }
            ],
        }
