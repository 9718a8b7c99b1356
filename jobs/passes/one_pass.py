"""One pass: source, text, summary, Composition, ledger.

Three stages run side by side with a queue of one batch between them: while a page of the server's answers is
read and decoded, the batch before is scored and the one before that is written. Memory therefore holds a few
batches, whatever the number of notes. Large notes are kept back until the others of a walk are done.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from jobs.ledger.ledger import Ledger
from jobs.passes.changes import Changes
from jobs.passes.deferred import Deferred
from jobs.passes.leases import Leases
from jobs.passes.outcome import Outcome, Totals
from jobs.passes.pace import Pace, Rate
from jobs.passes.parts import Parts
from jobs.passes.stages import Stages
from jobs.passes.unknown import without_unknown
from jobs.passes.watch import Watch
from jobs.passes.work import Batch

_Queue = asyncio.Queue[Batch | None]

_ROUNDS = 4  # of notes handled again for what became of others, which may leave some in their turn


async def _first_of(*events: asyncio.Event) -> None:
    """Waits until one of them is set."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()


@dataclass
class Pass:
    """One walk over everything that changed, or over given sources.

    Attributes:
        parts: of the process.
        emit: called with every note's outcome once it is safely in the ledger.
        stop: when set, no further page is begun; the notes in hand are finished.
        rate: how fast summaries are written, where that is limited.
        watch: is told what is going on.
    """

    parts: Parts
    emit: Callable[[Outcome], None]
    stop: asyncio.Event
    rate: Rate | None = None
    watch: Watch = field(default_factory=Watch)

    def __post_init__(self) -> None:
        slots = asyncio.Semaphore(self.parts.settings.concurrency)
        self._totals = Totals()
        self._failed: set[str] = set()
        grace = timedelta(seconds=self.parts.settings.timeout)
        self._leases = Leases(self.parts.ledger, grace=grace)
        self._changes = Changes(self.parts, self._leases, slots, self.stop)
        self._stages = Stages(self.parts, self._leases, slots, self.rate, self.watch)

    async def run(self, resource_types: Sequence[str]) -> Totals:
        """Handles what is due for another try, then everything changed since the watermark.

        Notes that failed earlier and still wait for their next try are counted too: a pass is not well while
        there are any.

        Raises:
            ServerUnreachableError, NotFhirError: the walk could not go on; what was done is recorded.
            RecalledError: this pipeline version must not write any more.
            LedgerError: the database could not be used.
            SummarizerError: the model could not be loaded.
        """
        totals = await self._staged(self._changes.changed(resource_types))
        await self._count_waiting()
        if self._changes.fault:
            raise self._changes.fault
        return totals

    async def handle(self, references: Sequence[str], pace: Pace | None = None) -> Totals:
        """Handles these sources again, whatever the ledger says of them. Raises as `run`.

        Args:
            references: as `Type/id`.
            pace: how fast, where that is limited.

        Returns:
            Totals whose `unknown` names those that neither the server nor the ledger has; no row is left of
            them.
        """
        unknown: list[str] = []
        batches = self._changes.again(references, pace)
        totals = await self._staged(without_unknown(batches, self.parts.writer, unknown))
        totals.unknown = tuple(unknown)
        return totals

    async def reconcile(
        self, resource_types: Sequence[str], since: str | None = None, pace: Pace | None = None
    ) -> Totals:
        """Walks over everything by another order than `run` and handles what was missed; moves no watermark.

        Args:
            resource_types: that hold notes.
            since: only what the server stamped then or later; None for everything.
            pace: how fast, where that is limited.

        Returns:
            Totals whose `missed` says how many notes the ledger lacked, or had of another version.

        Raises:
            ValueError: `since` is no instant. Else as `run`.
        """
        totals = await self._staged(self._changes.missed_ones(resource_types, since, pace))
        totals.missed = self._changes.missed
        return totals

    async def work(self, batches: Callable[[Changes], AsyncIterator[Batch]]) -> Totals:
        """Works on the batches that the caller makes with this pass's `Changes`. Raises as `run`."""
        return await self._staged(batches(self._changes))

    async def _staged(self, batches: AsyncIterator[Batch]) -> Totals:
        started = time.monotonic()
        await self.parts.writer.register()
        read, scored = _Queue(maxsize=1), _Queue(maxsize=1)
        async with self._leases.held():
            try:
                async with asyncio.TaskGroup() as stages:
                    stages.create_task(self._read_stage(self._with_copies(batches), read))
                    stages.create_task(self._score_stage(read, scored))
                    stages.create_task(self._write_stage(scored))
            except BaseExceptionGroup as group:
                raise group.exceptions[0] from None
        self._totals.seconds = time.monotonic() - started
        return self._totals

    async def _with_copies(self, batches: AsyncIterator[Batch]) -> AsyncIterator[Batch]:
        """The batches, then the notes that these left to be handled again; the rest is the next pass's."""
        loop = asyncio.get_running_loop()

        def tell(event: asyncio.Event) -> Callable[[Ledger], None]:
            def told(_: Ledger) -> None:  # from a worker thread
                loop.call_soon_threadsafe(event.set)

            return told

        async for batch in batches:
            yield batch
        for _ in range(_ROUNDS):
            written = asyncio.Event()
            yield Batch(then=tell(written))
            await _first_of(written, self.stop)
            again = [] if self.stop.is_set() else self._stages.copies.taken()
            if not again:
                return
            async for batch in self._changes.again(again):
                yield batch
            async for batch in self._changes.left_by_others():
                yield batch

    async def _count_waiting(self) -> None:
        """Notes that failed in an earlier pass and were not due in this one."""
        rows = await asyncio.to_thread(lambda: list(self.parts.ledger.notes(status="failed")))
        for row in rows:
            if row.source not in self._failed and "/" in row.source:
                self._say(Outcome.of(row, waiting=True))

    def _say(self, outcome: Outcome) -> None:
        if outcome.status == "failed":
            self._failed.add(outcome.source)
        self._totals.add(outcome)
        self.emit(outcome)

    async def _read_stage(self, batches: AsyncIterator[Batch], read: _Queue) -> None:
        async for batch in batches:
            self.watch.found(len(batch.jobs) + len(batch.rows) + len(batch.unchanged))
            await self._stages.read(batch)
            await read.put(batch)
        await read.put(None)

    async def _score_stage(self, read: _Queue, scored: _Queue) -> None:
        deferred, whole = Deferred(), True
        while (batch := await read.get()) is not None:
            if batch.then:
                whole = await self._score_large(deferred, scored) and whole
                if not whole:
                    continue  # what was left undone comes before this
            rest = deferred.keep_back(batch)
            await self._stages.score(rest.jobs)
            await scored.put(rest)
            if deferred.full:
                whole = await self._score_large(deferred, scored) and whole
        await self._score_large(deferred, scored)
        await scored.put(None)

    async def _score_large(self, deferred: Deferred, scored: _Queue) -> bool:
        """The notes that were kept back, one by one; False where the pass is to stop and some are left.

        What came before them is recorded by then.
        """
        for job in deferred.taken():
            await scored.join()
            if self.stop.is_set():
                return False
            await self._stages.score_large(job)
            await scored.put(Batch(jobs=(job,)))
        return True

    async def _write_stage(self, scored: _Queue) -> None:
        while (batch := await scored.get()) is not None:
            for outcome in await self._stages.write(batch):
                self._say(outcome)
            scored.task_done()
