"""The command as a process of its own, to be killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

Process = subprocess.Popen[bytes]
# The command, with short leases: what a killed process held is taken over in seconds, not minutes.
COMMAND = (
    "from datetime import timedelta; import jobs.passes.leases as leases; "
    "leases.LEASE = timedelta(seconds=8); "
    "leases.Leases.__init__.__defaults__ = (timedelta(seconds=4), 0.2, ''); "
    "from jobs.cli import main; main()"
)


def start(base_url: str, database: Path, *arguments: str, page_size: int) -> Process:
    """Starts `clinsum ARGUMENTS --json` on a server, with a ledger of its own and without a model."""
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, *arguments, "--json"],
        env=environment(base_url, database, page_size=page_size),
        stdout=subprocess.PIPE,
    )


def environment(base_url: str, database: Path, *, page_size: int) -> dict[str, str]:
    """Settings for a command on a server, with a ledger of its own and without a model."""
    return {
        **os.environ,
        "CLINSUM_FHIR_BASE_URL": base_url,
        "CLINSUM_DATABASE_URL": f"sqlite:///{database}",
        "CLINSUM_ENGINE": "lead",
        "CLINSUM_CONCURRENCY": "2",
        "CLINSUM_PAGE_SIZE": str(page_size),
    }


def killed_after(process: Process, lines: int, pause: float) -> int:
    """Kills it once it has told of so many notes, a moment later; returns how many it told of."""
    assert process.stdout
    told = 0
    while told < lines and process.stdout.readline():
        told += 1
    time.sleep(pause)
    process.send_signal(signal.SIGKILL)
    rest, _ = process.communicate()
    return told + len(rest.splitlines())
