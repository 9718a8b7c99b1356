"""A backfill by many processes: Ray Data runs the stages of a pass, each in processes of its own.

    pieces -> Reading (find, decode) -> Scoring (holds the model) -> Writing (server, ledger) -> this process

The ledger is the record and its leases keep the processes apart, as for several pollers. What goes from one
to the next are the batches of a pass. This process hears of each batch that is written, and says of a piece
that it is done only then; what is left over in the end it works off itself.
"""

import asyncio
import logging
import os
import pickle
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from types import FrameType
from typing import Any

import structlog

from jobs.backfill.actors import Job, Reading, Scoring, Told, Writing
from jobs.backfill.local import Ended, over_pieces
from jobs.backfill.patience import ENVIRONMENT, patient
from jobs.backfill.plan import Plan, Request, StoppedError, Wait, make_plan
from jobs.backfill.walk import finish
from jobs.exits import UsageError
from jobs.ledger.backfills import Reached, reached
from jobs.ledger.leases import renew_all
from jobs.ledger.ledger import Ledger
from jobs.ledger.rows import LedgerError
from jobs.passes.leases import LEASE
from jobs.passes.outcome import Outcome, Totals
from jobs.passes.watch import Watch
from jobs.runtime import runtime
from jobs.schedule import stop_on_signals
from jobs.settings import Settings

log = structlog.get_logger("clinsum.backfill")

MISSING = (
    "Several workers need Ray: pip install 'clinical-ai-summarizer[ray]'. "
    "With --local all of it runs in this process, without Ray."
)
_BLOCK = 1 << 10  # bytes: less than any batch, so that each goes on at once
_STORE = 256 << 20  # bytes of batches between the stages, on a machine of our own
_RENEWALS = 4  # of all leases, in the time of one
_SMALL = 0.25  # of a processor: what waits for the server more than it computes


def ray_or_say() -> Any:
    """The package. Raises UsageError: it is not installed; one sentence on what to do."""
    try:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would tell its makers of this cluster
        os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
        for name, value in ENVIRONMENT.items():
            os.environ.setdefault(name, value)
        import_module("ray.data")
        return import_module("ray")
    except ImportError:
        raise UsageError(MISSING) from None


@dataclass(frozen=True, slots=True)
class Cluster:
    """Who does the work.

    Attributes:
        workers: processes that score.
    """

    workers: int

    @contextmanager
    def started(self, ray: Any) -> Iterator[None]:
        """Ray, here or where RAY_ADDRESS says it is."""
        address = os.environ.get("RAY_ADDRESS")
        own = {"num_cpus": self.workers + 2, "object_store_memory": _STORE, "include_dashboard": False}
        _start(
            ray,
            {"address": address, "logging_level": "ERROR", "log_to_driver": False} | ({} if address else own),
        )
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.target_max_block_size = _BLOCK
        logging.getLogger("ray").setLevel(logging.ERROR)
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        try:
            yield
        finally:
            ray.shutdown()


def _start(ray: Any, options: dict[str, Any]) -> None:
    """Starts it or connects to it.

    Raises:
        UsageError: it cannot be.
    """
    try:
        with patient(ray._private.services):
            ray.init(**options)
    except Exception as error:  # Ray raises a bare one
        log.warning("ray-not-started", error=type(error).__name__)
        ray.shutdown()
        raise UsageError(
            "Ray cannot be started, or reached where RAY_ADDRESS says; --local does without it."
        ) from None


@dataclass(slots=True)
class _Attempt:
    """What is known of one reading of a piece; a process that died is replaced, and its piece read anew."""

    written: set[int] = field(default_factory=set)
    marks: dict[int, Callable[[Ledger], None]] = field(default_factory=dict)

    def due(self) -> list[Callable[[Ledger], None]]:
        """Marks of which everything before is written; each once."""
        ready = [number for number in self.marks if self.written.issuperset(range(number))]
        found = [self.marks.pop(number) for number in sorted(ready)]
        self.written.update(ready)
        return found


class _Progress:
    """What this process makes of what the last stage tells.

    Args:
        ledger: where places are kept.
        whole: weight of all pieces.
        before: of it, what an earlier run has done.
        watch: is told.
    """

    def __init__(self, ledger: Ledger, whole: int, before: int, watch: Watch) -> None:
        self._ledger, self._whole, self._before, self._watch = ledger, whole, before, watch
        self._attempts: dict[str, _Attempt] = {}
        self._done: dict[str, int] = {}
        self.broken: list[str] = []

    def take(self, told: Told) -> None:
        """Takes note of a batch that went through."""
        attempt = self._attempts.setdefault(told.attempt, _Attempt())
        if told.broken:
            self.broken.append(told.broken)
            log.error("piece", message=told.broken)
        if told.then:
            attempt.marks[told.number] = told.then
        else:
            attempt.written.add(told.number)
        for mark in attempt.due():
            mark(self._ledger)
        self._done[told.piece] = max(told.done, self._done.get(told.piece, 0))
        own = sum(self._done.values())
        self._watch.reached(min((self._before + own) / self._whole, 1.0), min(own / self._whole, 1.0))


def run_cluster(
    settings: Settings,
    ledger: Ledger,
    request: Request,
    cluster: Cluster,
    emit: Callable[[Outcome], None],
    watch: Watch,
) -> Ended:
    """Works off everything by many processes; SIGTERM ends it after the notes in hand. Raises as `run_local`.

    Raises:
        UsageError: Ray is not installed, or several machines are to share an SQLite file.
    """
    ray = ray_or_say()
    if os.environ.get("RAY_ADDRESS") and ledger.dialect == "sqlite":
        raise UsageError("Several machines need a ledger on PostgreSQL: set CLINSUM_DATABASE_URL.")
    started = time.monotonic()
    with ledger.one_pass("backfill"):
        plan = asyncio.run(_planned(settings, ledger, request, watch))
        if plan is None:
            return Ended(Totals(), stopped=True)
        totals = Totals()

        def counted(outcome: Outcome) -> None:
            watch.found(1)
            totals.add(outcome)
            emit(outcome)

        with cluster.started(ray):
            stopped, broken = _run(ray, settings, ledger, request, plan, cluster, counted, watch)
        if not stopped:
            rest = asyncio.run(_rest(settings, ledger, request, plan, counted, watch))
            stopped, broken = rest.stopped, [*rest.broken]
        totals.seconds = time.monotonic() - started
    return Ended(totals, tuple(dict.fromkeys((*plan.lacks, *broken))), stopped)


async def _planned(settings: Settings, ledger: Ledger, request: Request, watch: Watch) -> Plan | None:
    stop = asyncio.Event()
    stop_on_signals(stop)
    async with runtime(settings, ledger) as parts:
        try:
            plan = await make_plan(parts, request, Wait(stop, watch.waiting))
        except StoppedError:
            return None
    watch.planned(plan.way)
    return plan


async def _rest(
    settings: Settings,
    ledger: Ledger,
    request: Request,
    plan: Plan,
    emit: Callable[[Outcome], None],
    watch: Watch,
) -> Ended:
    """What the processes left: pieces with notes that somebody else had in hand, or that broke."""
    stop = asyncio.Event()
    stop_on_signals(stop)
    state = await asyncio.to_thread(reached, ledger, request.walk)
    async with runtime(settings, ledger) as parts:
        if all(state.get(piece.name, Reached("")).finished for piece in plan.pieces):
            await finish(parts, plan, request.walk)
            return Ended(Totals())
        return await over_pieces(parts, request, plan, stop, emit, watch)


def _run(
    ray: Any,
    settings: Settings,
    ledger: Ledger,
    request: Request,
    plan: Plan,
    cluster: Cluster,
    emit: Callable[[Outcome], None],
    watch: Watch,
) -> tuple[bool, list[str]]:
    """The pipeline; returns whether it was stopped, and what broke."""
    before = reached(ledger, request.walk)
    open_ = [piece for piece in plan.pieces if not before.get(piece.name, Reached("")).finished]
    if not open_:
        return False, []
    control = ray.remote(import_module("jobs.backfill.actors").Control).remote(request.pace, cluster.workers)
    job = Job(settings, request.walk, uuid.uuid4().hex[:16], LEASE, control)
    rows = [pickle.dumps((piece, before.get(piece.name, Reached("")))) for piece in open_]
    whole = sum(piece.weight for piece in plan.pieces)
    progress = _Progress(ledger, whole, whole - sum(piece.weight for piece in open_), watch)
    with _renewed(ledger, job.run), _signals(ray, control) as stopped:
        for row in _pipeline(ray, job, rows, cluster).iter_rows():
            told: Told = pickle.loads(row["batch"])  # noqa: S301 - from our own processes
            for outcome in told.outcomes:
                emit(outcome)
            progress.take(told)
    return stopped.is_set(), progress.broken


def _pipeline(ray: Any, job: Job, rows: list[bytes], cluster: Cluster) -> Any:
    pools = ray.data.ActorPoolStrategy
    few = max(1, min(len(rows), (cluster.workers + 1) // 2))
    device = job.settings.device
    gpus = int(ray.cluster_resources().get("GPU", 0))
    gpu = device == "cuda" or (device == "auto" and gpus > 0)
    own = {"batch_size": 1, "batch_format": "numpy", "fn_constructor_args": (job, few)}
    scoring = {"num_gpus": 1} if gpu else {"num_cpus": 1}
    scorers = min(cluster.workers, max(1, gpus)) if gpu else cluster.workers  # more would wait for ever
    data = ray.data.from_items([{"piece": row} for row in rows], override_num_blocks=len(rows))
    data = data.map_batches(Reading, compute=pools(size=few), num_cpus=_SMALL, **own)
    data = data.map_batches(Scoring, compute=pools(size=scorers), **scoring, **own)
    return data.map_batches(Writing, compute=pools(size=few), num_cpus=_SMALL, **own)


@contextmanager
def _renewed(ledger: Ledger, run: str) -> Iterator[None]:
    """Renews the leases of all processes of this run, as long as this one lives."""
    ended = threading.Event()

    def renewing() -> None:
        while not ended.wait(LEASE.total_seconds() / _RENEWALS):
            try:
                renew_all(ledger, run, LEASE)
            except LedgerError as error:  # whoever records next says so; the leases last a while
                log.warning("leases", message=str(error))

    thread = threading.Thread(target=renewing, name="leases", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@contextmanager
def _signals(ray: Any, control: Any) -> Iterator[threading.Event]:
    """SIGTERM and SIGINT let the notes in hand be finished; a second one ends the process at once."""
    stopped = threading.Event()
    numbers = (signal.SIGTERM, signal.SIGINT)

    def asked(number: int, _: FrameType | None) -> None:
        log.info("stopping", signal=signal.Signals(number).name)
        stopped.set()
        threading.Thread(target=partial(ray.get, control.stop.remote()), daemon=True).start()
        for one in numbers:
            signal.signal(one, signal.SIG_DFL)

    former = [signal.signal(number, asked) for number in numbers]
    try:
        yield stopped
    finally:
        for number, handler in zip(numbers, former, strict=True):
            signal.signal(number, handler)
