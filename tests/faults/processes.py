"""The command as a process of its own, to be killed."""

import multiprocessing
import os
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.faults import pollers

# Each is a process of its own, forked from one that has imported what it needs.
FORKED = multiprocessing.get_context("forkserver")


class Process:
    """A command that runs; what of `subprocess.Popen` the tests ask for.

    Attributes:
        output: the streams that were asked for, as bytes.
    """

    def __init__(
        self, arguments: Sequence[str], environment: Mapping[str, str], streams: Sequence[int] = (1,)
    ) -> None:
        """Starts it.

        Args:
            arguments: without the command's name.
            environment: all of it.
            streams: which are read here: of its standard output (1) and error (2).
        """
        FORKED.set_forkserver_preload([pollers.__name__])
        reading, writing = FORKED.Pipe(duplex=False)
        self._process = FORKED.Process(
            target=pollers.command, args=(arguments, dict(environment), writing, streams)
        )
        self._process.start()
        writing.close()
        self.output = os.fdopen(os.dup(reading.fileno()), "rb")
        reading.close()

    @property
    def returncode(self) -> int | None:
        """As `subprocess` has it; minus the signal that ended it."""
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        """Sends one to a process that runs."""
        if self._process.is_alive() and self._process.pid:
            os.kill(self._process.pid, number)

    def kill(self) -> None:
        """Ends it at once where it still runs."""
        self._process.kill()

    def communicate(self) -> bytes:
        """Waits for its end; the rest of what it told."""
        with self.output:
            rest = self.output.read()
        self._process.join(600)
        assert self.returncode is not None, "does not end"
        return rest


def start(base_url: str, database: Path, *arguments: str, page_size: int) -> Process:
    """Starts `clinsum ARGUMENTS --json` on a server, with a ledger of its own and without a model."""
    return Process((*arguments, "--json"), environment(base_url, database, page_size=page_size))


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
    told = 0
    while told < lines and process.output.readline():
        told += 1
    time.sleep(pause)
    process.send_signal(signal.SIGKILL)
    return told + len(process.communicate().splitlines())
