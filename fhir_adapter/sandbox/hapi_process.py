"""The process of a HAPI sandbox: what is said to it and what it says, a line each."""

import queue
import subprocess
import threading
import time
from pathlib import Path
from typing import IO

import httpx

from fhir_adapter.sandbox.hapi_build import StartError

_STOP_SECONDS = 20
_PATIENCE = 300.0


class HapiProcess:
    """A process that ends when its standard input does; our launcher answers in the order of the lines."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process = process
        self._log = log
        self._said: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
        if process.stdout is not None:
            threading.Thread(target=_listen, args=(process.stdout, self._said), daemon=True).start()

    def ready(self, seconds: float, known_url: str | None = None) -> str:
        """Waits for the line `ready URL`, or for an answer at an address known beforehand; the URL.

        Raises:
            StartError: neither came in time, or the process ended.
        """
        return self._answer("ready", seconds, known_url)

    def start(self, form: str, seconds: float) -> str:
        """Starts a further server from its options as a form; its URL.

        Raises:
            StartError: it did not come up in time, or the process ended.
        """
        self._say(f"start {form}")
        return self._answer("ready", seconds)

    def stop(self, base_url: str) -> None:
        """Stops one of several servers."""
        self._say(f"stop {base_url}")
        self._answer("stopped", _PATIENCE)

    def still_runs(self) -> None:
        """Nothing, while it runs.

        Raises:
            StartError: it has ended by itself.
        """
        if self._process.poll() is not None:
            raise StartError(
                f"HAPI ended by itself, code {self._process.returncode}; its log is {self._log}."
            )

    def end(self) -> None:
        """Ends the process with all its servers."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def _say(self, line: str) -> None:
        self.still_runs()
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())
        self._process.stdin.flush()

    def _answer(self, wanted: str, seconds: float, known_url: str | None = None) -> str:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                word, url = self._said.get(timeout=0.2)
                if word == wanted:
                    return url
            except queue.Empty:
                if self._process.poll() is not None:
                    raise StartError(f"HAPI ended before it was {wanted}; its log is {self._log}.") from None
            if known_url is not None and _answers(known_url):
                return known_url
        raise StartError(f"HAPI was not {wanted} after {seconds:.0f} seconds; its log is {self._log}.")


def _listen(output: IO[bytes], said: "queue.SimpleQueue[tuple[str, str]]") -> None:
    for line in output:
        word, _, url = line.decode("utf-8", "replace").strip().partition(" ")
        if word in ("ready", "stopped"):
            said.put((word, url))


def _answers(base_url: str) -> bool:
    try:
        return (
            httpx.get(f"{base_url}/metadata?_elements=fhirVersion", timeout=10, trust_env=False).status_code
            == 200
        )
    except httpx.HTTPError:
        return False
