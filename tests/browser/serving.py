"""`clinsum serve` as a process on a free loopback port, for a browser to look at."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.places import ROOT

PROJECT = ROOT
PATIENCE = 600  # seconds; a machine that is busy with other things starts a process in a minute or two


@dataclass(frozen=True, slots=True)
class Web:
    """A service that runs.

    Attributes:
        address: such as `http://127.0.0.1:40123`, without a slash at its end.
        fhir: base URL of its FHIR server; nothing may be there.
        ledger: its ledger's URL.
        log: file that holds all it wrote to standard output and error so far.
    """

    address: str
    fhir: str
    ledger: str
    log: Path

    @property
    def said(self) -> str:
        """Everything that it wrote."""
        return self.log.read_text("utf-8")


@contextmanager
def serving(
    folder: Path,
    *arguments: str,
    fhir: str = "http://127.0.0.1:9/fhir",
    ledger: str = "",
    **settings: str,
) -> Iterator[Web]:
    """Serves for as long as the block lasts.

    Args:
        folder: where it runs, with its log, and its ledger unless another is named.
        arguments: of `clinsum serve`.
        fhir: base URL of the FHIR server; by default one where nothing answers.
        ledger: URL of the ledger's database.
        settings: by their names without `CLINSUM_`, in small letters.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ledger = ledger or f"sqlite:///{folder / 'ledger.sqlite'}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CLINSUM_")}
    given = {"fhir_base_url": fhir, "database_url": ledger, "serve_rate": "0", "serve_timeout": str(PATIENCE)}
    given |= settings
    environment |= {f"CLINSUM_{name.upper()}": value for name, value in given.items()}
    environment |= {"PYTHONPATH": str(PROJECT), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-c", "from jobs.cli import main; main()", "serve", "--port", "0", *arguments]
    log = folder / "serve.log"
    with (
        log.open("w", encoding="utf-8") as output,
        subprocess.Popen(command, stdout=output, stderr=output, env=environment, cwd=folder) as running,
    ):
        try:
            web = Web(_address(log, running), fhir, ledger, log)
            _wait_until_live(web.address)
            yield web
            running.terminate()
            running.wait(PATIENCE)
        finally:
            running.kill()


def _address(log: Path, running: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for line in log.read_text("utf-8").splitlines():
            if line.startswith("clinsum serves on "):
                return line.split()[3]
        assert running.poll() is None, log.read_text("utf-8")
        time.sleep(0.05)
    raise AssertionError("clinsum serve never said its address")


def _wait_until_live(address: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{address}/health/live", trust_env=False, timeout=PATIENCE).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError("clinsum serve never answered")
