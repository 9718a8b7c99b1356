"""The processes of a backfill on Ray: each holds the parts of a pass and runs one stage over batches.

A row between two of them is one batch, pickled: the types of a pass, and nothing of their own.
"""

import asyncio
import pickle
import time
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, TypeVar

from jobs.backfill.pieces import Piece, PieceError, Place
from jobs.backfill.walk import piece_batches
from jobs.ledger.backfills import Reached
from jobs.ledger.ledger import Ledger
from jobs.logs import configure_logging
from jobs.passes.changes import Changes
from jobs.passes.deferred import is_large
from jobs.passes.leases import Leases
from jobs.passes.outcome import Outcome
from jobs.passes.pace import Pace
from jobs.passes.parts import Parts
from jobs.passes.stages import Stages
from jobs.passes.work import Batch
from jobs.runtime import open_ledger, runtime
from jobs.settings import Settings

T = TypeVar("T")
Row = dict[str, Any]
_IN_HAND = 256  # notes between the reader and the ledger, for each process that scores
_LEAST = 32
_SECONDS = 60.0  # within which a note that is read is written at the pace that is asked for
_FORGET = 300.0
_LOOK = 0.1  # seconds between two questions for room


@dataclass(frozen=True, slots=True)
class Job:
    """What every process of a run is told.

    Attributes:
        walk: names the backfill.
        run: begins the name of every holder of leases in it, 16 characters.
        lease: how long leases last unless they are renewed.
        control: the actor that says when to stop, and how fast to write.
    """

    settings: Settings
    walk: str
    run: str
    lease: timedelta
    control: Any


@dataclass(frozen=True, slots=True)
class Told:
    """A batch on its way, and in the end what became of it.

    Attributes:
        piece: its name.
        attempt: names one reading of it.
        number: of the batch in that, from 0.
        done: of the piece's weight, read by then.
        holder: of the leases on its notes.
        batch: what is to be done.
        then: what the ledger is told when this and all before it are written.
        outcomes: of its notes, once they are recorded.
        broken: why the piece ends here, or "".
    """

    piece: str
    attempt: str
    number: int
    done: int = 0
    holder: str = ""
    batch: Batch | None = None
    then: Callable[[Ledger], None] | None = None
    outcomes: tuple[Outcome, ...] = ()
    broken: str = ""


class Control:
    """One for all processes of a run.

    It bounds the notes between the reader and the ledger: one that is read long before it is written may have
    changed in between, and passes look back by their overlap alone.

    Args:
        pace: how fast summaries are written in all, where that is limited.
        workers: processes that score.
        clock: seconds, for tests.
    """

    def __init__(self, pace: Pace | None, workers: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._pace = Pace(pace.per_second) if pace else None  # the clock of this process
        most = _IN_HAND * workers
        self._most = max(_LEAST, min(most, int(pace.per_second * _SECONDS))) if pace else most
        self._clock, self._moved = clock, clock()
        self._in_hand = 0
        self._stopped = False

    def room(self, notes: int) -> bool:
        """Whether so many more notes may be read now; they are counted then.

        Notes of a process that died are never said to be done: after some minutes none is in hand.
        """
        if self._clock() - self._moved > _FORGET:
            self._in_hand = 0
        if self._in_hand and self._in_hand + notes > self._most:
            return False
        self._in_hand += notes
        self._moved = self._clock()
        return True

    def done(self, notes: int) -> None:
        """So many notes are recorded."""
        self._in_hand = max(0, self._in_hand - notes)
        self._moved = self._clock()

    def stop(self) -> None:
        """Has the readers end."""
        self._stopped = True

    def stopped(self) -> bool:
        """Whether they are to end."""
        return self._stopped

    def reserve(self) -> float:
        """Seconds until one more may be written; none once all is to end."""
        return self._pace.reserve(1) if self._pace and not self._stopped else 0.0


class _SharedRate:
    """The limit of all processes together."""

    def __init__(self, control: Any) -> None:
        self._control = control

    async def turn(self) -> None:
        """Waits until one more is due."""
        seconds = await self._control.reserve.remote()
        if seconds:
            await asyncio.sleep(seconds)


class _Process:
    """Holds the parts for as long as the process lives.

    Args:
        job: what is to be done.
        share: so many processes of the kind divide the requests at a time.
    """

    def __init__(self, job: Job, share: int) -> None:
        self.job = job
        configure_logging(job.settings.log_format, job.settings.log_level)
        self._loop = asyncio.new_event_loop()
        self._stack = AsyncExitStack()
        at_once = max(1, job.settings.concurrency // share)
        self.settings = job.settings.model_copy(update={"concurrency": at_once})
        self.slots = asyncio.Semaphore(at_once)
        self.ledger = open_ledger(self.settings)
        self.parts: Parts = self.run(self._stack.enter_async_context(runtime(self.settings, self.ledger)))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs it in the loop of this process."""
        return self._loop.run_until_complete(work)

    def each(self, items: AsyncIterator[T]) -> Iterator[T]:
        """The items, one by one."""
        while True:
            try:
                yield self.run(_next(items))
            except StopAsyncIteration:
                return

    def leases(self, holder: str) -> Leases:
        """In the name of a holder."""
        return Leases(self.ledger, self.job.lease, holder=holder)


async def _next(items: AsyncIterator[T]) -> T:
    return await anext(items)


class Reading(_Process):
    """Finds the notes of a piece and reads their texts."""

    def __call__(self, rows: Row) -> Iterator[Row]:
        """The batches of each piece; none of one that is not begun when all is to end."""
        for row in rows["piece"]:
            if self.run(self._stopped()):
                return
            piece, before = pickle.loads(row)  # noqa: S301 - from our own process
            for told in self._told(piece, before):
                yield _row(told)

    async def _stopped(self) -> bool:
        return bool(await self.job.control.stopped.remote())

    def _told(self, piece: Piece, before: Reached) -> Iterator[Told]:
        attempt, number, done = uuid.uuid4().hex, 0, 0
        leases = self.leases(f"{self.job.run}{attempt[:16]}")
        stop = asyncio.Event()
        changes = Changes(self.parts, leases, self.slots, stop)
        stages = Stages(self.parts, leases, self.slots)
        batches = piece_batches(piece, self.job.walk, self.parts, changes, before, stop)
        told = Told(piece.name, attempt, 0, holder=leases.holder)
        try:
            for found in self.each(batches):
                if isinstance(found, Place):
                    done = found.done
                    if stop.is_set():
                        return
                    continue
                self.run(self._room(len(found.jobs), stop))
                self.run(stages.read(found))
                bare = replace(found, then=None)
                yield replace(told, number=number, done=done, batch=bare, then=found.then)
                number += 1
        except PieceError as error:
            yield replace(told, number=number, done=done, broken=str(error))
            return
        if not stop.is_set():
            yield replace(told, number=number, done=piece.weight)

    async def _room(self, notes: int, stop: asyncio.Event) -> None:
        """Waits until so many more notes may be read; takes note of being told to stop."""
        if await self._stopped():
            stop.set()
        while notes and not await self.job.control.room.remote(notes):
            await asyncio.sleep(_LOOK)


class Scoring(_Process):
    """Holds the model and chooses the sentences."""

    def __call__(self, rows: Row) -> Row:
        """The batches with their summaries."""
        return _each_row(rows, self._scored)

    def _scored(self, told: Told) -> Told:
        if told.batch and told.batch.jobs:
            stages = Stages(self.parts, self.leases(told.holder), self.slots)
            self.run(stages.score([job for job in told.batch.jobs if not is_large(job)]))
            for job in filter(is_large, told.batch.jobs):
                self.run(stages.score_large(job))
        return told


class Writing(_Process):
    """Writes to the server, then to the ledger."""

    def __init__(self, job: Job, share: int) -> None:
        super().__init__(job, share)
        self.run(self.parts.writer.register())

    def __call__(self, rows: Row) -> Row:
        """What became of the batches."""
        return _each_row(rows, self._written)

    def _written(self, told: Told) -> Told:
        if told.batch is None:
            return told
        rate = _SharedRate(self.job.control)
        stages = Stages(self.parts, self.leases(told.holder), self.slots, rate)
        outcomes = self.run(stages.write(told.batch))
        self.job.control.done.remote(len(told.batch.jobs))
        return replace(told, batch=None, outcomes=tuple(outcomes))


def _row(told: Told) -> Row:
    return {"batch": [pickle.dumps(told)]}


def _each_row(rows: Row, work: Callable[[Told], Told]) -> Row:
    done = [work(pickle.loads(one)) for one in rows["batch"]]  # noqa: S301 - from our own processes
    return {"batch": [pickle.dumps(told) for told in done]}
