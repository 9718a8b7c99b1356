"""The web service under twice the load that it holds, beside the model alone and a naive endpoint.

Three processes one after the other, each with the same notes: the summarizer given all of them in one call;
the service; and an endpoint as one writes it first, where every request is a forward pass of its own in a
thread of its own. The service and the naive endpoint get the same clients, more than the service has places
for: those that it refuses with 503 come again after the pause that it asks for.
"""

import asyncio
import base64
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import httpx

from jobs.bench.passes import generated_notes
from jobs.settings import Settings, load_settings

Way = Literal["model alone", "service", "naive endpoint"]

_START_SECONDS = 600.0
_CLIENT_SECONDS = 300.0  # a client's patience
_OVERLOAD = 2  # clients for each request that the service holds
_CODE = "from jobs.bench.serve import {0}; {0}()"


class ServerNotStartedError(Exception):
    """One of the measured processes did not start."""


@dataclass(frozen=True, slots=True)
class ServeFigures:
    """One way of serving.

    Attributes:
        notes: how many were summarised.
        clients: how many asked at a time; 0 for the model alone.
        per_second: notes summarised in a second.
        p50, p99: seconds from a request to its summary, refused ones left out; 0 for the model alone.
        refused: answers 503.
        errors: answers other than 200 and 503, and connections lost.
        memory_mb: resident memory of the process after a tenth of the notes, in 10^6 bytes.
        memory_end_mb: the same at the end.
    """

    way: Way
    notes: int
    clients: int
    per_second: float
    p50: float
    p99: float
    refused: int
    errors: int
    memory_mb: int
    memory_end_mb: int

    def to_json(self) -> dict[str, Any]:
        """The line that `--json` prints."""
        return asdict(self)


@dataclass(slots=True)
class _Seen:
    """What the clients saw."""

    seconds: list[float]
    refused: int = 0
    errors: int = 0
    memory: int = 0


def measure(settings: Settings, notes: int, clients: int | None = None) -> Iterator[ServeFigures]:
    """Measures the three ways, each in a process of its own.

    Args:
        settings: engine, model, batch and queue.
        notes: generated ones, of about 1.5 kB each.
        clients: at a time; twice as many as the service holds if not given.

    Raises:
        ServerNotStartedError: the model cannot be loaded, most likely.
    """
    clients = clients or _OVERLOAD * held_at_once(settings)
    environment = _environment(settings) | {"CLINSUM_BENCH_NOTES": str(notes)}
    yield _model_alone(environment, notes)
    service = ("from jobs.cli import main; main()", "serve", "--port", "0", "--preload")
    ways: dict[Way, tuple[str, ...]] = {"service": service, "naive endpoint": (_CODE.format("run_naive"),)}
    for way, command in ways.items():
        with tempfile.TemporaryDirectory() as folder:
            own = environment | {"CLINSUM_DATABASE_URL": f"sqlite:///{folder}/ledger.sqlite"}
            with _started(command, own) as (process, address):
                yield asyncio.run(_loaded(way, process.pid, address, texts(notes), clients))


def held_at_once(settings: Settings) -> int:
    """How many of these notes the service holds: a batch with the model, and the queue."""
    from jobs.web.batching import estimated_tokens

    a_batch = max(1, settings.serve_batch_tokens // estimated_tokens(texts(1)[0]))
    return a_batch + settings.serve_queue


def texts(count: int) -> list[str]:
    """The notes' texts, the same in every process."""
    found = []
    for note in generated_notes(count):
        found.append(base64.b64decode(note["content"][0]["attachment"]["data"]).decode())
    return found


def _environment(settings: Settings) -> dict[str, str]:
    names = ("engine", "model", "device", "budget", "serve_batch_tokens", "serve_wait", "serve_queue")
    given = {f"CLINSUM_{name.upper()}": str(getattr(settings, name)) for name in names}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CLINSUM_")}
    root = str(Path(__file__).parents[2])
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH", ""))))
    # All clients come from one address, which has its own bounds of requests and connections.
    free = {"CLINSUM_SERVE_RATE": "0", "CLINSUM_SERVE_CLIENT_CONNECTIONS": "1024"}
    return {**kept, **given, **free, "CLINSUM_LOG_LEVEL": "error", "PYTHONPATH": path}


# The model alone.


def _model_alone(environment: dict[str, str], notes: int) -> ServeFigures:
    done = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", _CODE.format("run_alone")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ServerNotStartedError("The model cannot be used; `clinsum doctor` says why.")
    seconds, before, after = json.loads(done.stdout)
    return ServeFigures("model alone", notes, 0, notes / seconds, 0, 0, 0, 0, before, after)


def run_alone() -> None:
    """In a process of its own: all notes in one call; prints seconds and memory."""
    from jobs.runtime import make_summarizer

    settings = load_settings()
    given = texts(int(os.environ["CLINSUM_BENCH_NOTES"]))
    summarizer = make_summarizer(settings)
    summarizer.summarize(given[: max(1, len(given) // 10)], settings.summary_budget)
    before, started = _memory(os.getpid()), time.perf_counter()
    summarizer.summarize(given, settings.summary_budget)
    sys.stdout.write(json.dumps([time.perf_counter() - started, before, _memory(os.getpid())]))


# The naive endpoint.


def run_naive() -> None:
    """In a process of its own: an endpoint that runs the model for each request, in FastAPI's own threads."""
    import socket

    import uvicorn
    from fastapi import FastAPI

    from jobs.runtime import make_summarizer
    from jobs.web.schemas import SummaryRequest, as_budget

    settings = load_settings()
    summarizer = make_summarizer(settings)
    summarizer.summarize(["Ready."])
    app = FastAPI()

    @app.post("/v1/summaries")
    def summarise(asked: SummaryRequest) -> dict[str, object]:
        budget = as_budget(asked.budget, settings.summary_budget)
        return summarizer.summarize([asked.text], budget)[0].to_json()

    @app.get("/health/ready")
    def ready() -> str:
        return "ready"

    listener = socket.create_server(("127.0.0.1", 0))
    sys.stderr.write(f"naive endpoint serves on http://127.0.0.1:{listener.getsockname()[1]} \n")
    sys.stderr.flush()
    uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False)).run(sockets=[listener])


# The clients.


@contextmanager
def _started(
    command: Sequence[str], environment: dict[str, str]
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    code, *arguments = command
    with subprocess.Popen(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", code, *arguments],
        env=environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            said = process.stderr.readline() if process.stderr else ""
            words = [word for word in said.split() if word.startswith("http")]
            if not words or not _ready(words[0], process):
                raise ServerNotStartedError("The service did not start; `clinsum doctor` may say why.")
            yield process, words[0]
        finally:
            process.terminate()


def _ready(address: str, process: "subprocess.Popen[str]") -> bool:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if httpx.get(f"{address}/health/ready", timeout=10, trust_env=False).status_code == 200:
                return True
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    return False


async def _loaded(way: Way, pid: int, address: str, given: list[str], clients: int) -> ServeFigures:
    limits = httpx.Limits(max_connections=clients, max_keepalive_connections=clients)
    seen = _Seen([])
    async with httpx.AsyncClient(
        base_url=address, limits=limits, timeout=_CLIENT_SECONDS, trust_env=False
    ) as http:
        await http.post("/v1/summaries", json={"text": given[0]})
        waiting = iter(given)
        started = time.perf_counter()
        await asyncio.gather(*(_client(http, waiting, seen, pid, len(given)) for _ in range(clients)))
        took = time.perf_counter() - started
    ordered = sorted(seen.seconds) or [0.0]
    return ServeFigures(
        way,
        notes=len(seen.seconds),
        clients=clients,
        per_second=len(seen.seconds) / took,
        p50=ordered[len(ordered) // 2],
        p99=ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)],
        refused=seen.refused,
        errors=seen.errors,
        memory_mb=seen.memory,
        memory_end_mb=_memory(pid),
    )


async def _client(http: httpx.AsyncClient, waiting: Iterator[str], seen: _Seen, pid: int, all_: int) -> None:
    """Takes one note after the other until there are none."""
    for text in waiting:
        while True:
            started = time.perf_counter()
            try:
                answer = await http.post("/v1/summaries", json={"text": text})
            except httpx.TransportError:
                seen.errors += 1
                break
            if answer.status_code == 503:
                seen.refused += 1
                await asyncio.sleep(float(answer.headers["retry-after"]))
                continue
            if answer.status_code == 200:
                seen.seconds.append(time.perf_counter() - started)
            else:
                seen.errors += 1
            break
        if not seen.memory and len(seen.seconds) >= all_ / 10:
            seen.memory = _memory(pid)


def _memory(pid: int) -> int:
    """Resident memory of a process, in 10^6 bytes (Linux)."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6)
