"""One pass: source, text, summary, Composition, ledger.

Three stages run side by side with a queue of one batch between them: while a page of the server's answers is
read and decoded, the batch before is scored and the one before that is written. Memory therefore holds a few
batches, whatever the number of notes. Large notes are kept back until the others of a walk are done.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial

from fhir_adapter.errors import FhirAdapterError, NoteError
from fhir_adapter.reading.note_text import read_note
from fhir_adapter.reasons import Reason
from fhir_adapter.writing.recall import RecalledError
from fhir_adapter.writing.summary import SummaryDraft
from fhir_adapter.writing.writer import Chain
from jobs.ledger.rows import LedgerError
from jobs.passes.changes import Changes
from jobs.passes.deferred import Deferred
from jobs.passes.faults import note_fault
from jobs.passes.leases import Leases
from jobs.passes.outcome import Outcome, Totals
from jobs.passes.pace import Pace
from jobs.passes.parts import Parts
from jobs.passes.scoring import internal_error
from jobs.passes.work import Batch, Job, failed_row

# These end the pass; anything else is the note's own failure.
_FATAL = (LedgerError, RecalledError)

_Queue = asyncio.Queue[Batch | None]


@dataclass
class Pass:
    """One walk over everything that changed, or over given sources.

    Attributes:
        parts: of the process.
        emit: called with every note's outcome once it is safely in the ledger.
        stop: when set, no further page is begun; the notes in hand are finished.
    """

    parts: Parts
    emit: Callable[[Outcome], None]
    stop: asyncio.Event

    def __post_init__(self) -> None:
        self._slots = asyncio.Semaphore(self.parts.settings.concurrency)
        self._totals = Totals()
        self._failed: set[str] = set()
        self._leases = Leases(self.parts.ledger)
        self._changes = Changes(self.parts, self._leases, self._slots, self.stop)

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
        """
        return await self._staged(self._changes.again(references, pace))

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

    async def _staged(self, batches: AsyncIterator[Batch]) -> Totals:
        started = time.monotonic()
        await self.parts.writer.register()
        read, scored = _Queue(maxsize=1), _Queue(maxsize=1)
        async with self._leases.held():
            try:
                async with asyncio.TaskGroup() as stages:
                    stages.create_task(self._read_stage(batches, read))
                    stages.create_task(self._score_stage(read, scored))
                    stages.create_task(self._write_stage(scored))
            except BaseExceptionGroup as group:
                raise group.exceptions[0] from None
        self._totals.seconds = time.monotonic() - started
        return self._totals

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

    # Stage one: which notes, and their text.

    async def _read_stage(self, batches: AsyncIterator[Batch], read: _Queue) -> None:
        async for batch in batches:
            await asyncio.gather(*(self._step(job, "read", partial(self._read, job)) for job in batch.jobs))
            await read.put(batch)
        await read.put(None)

    async def _step(self, job: Job, name: str, work: Callable[[], Coroutine[None, None, None]]) -> None:
        """Runs one job's step in a free slot; a failure ends the job and nothing else.

        Where the server gives no answer, or none of FHIR, it is asked for something else: it ends the pass
        only if it does not answer that either.
        """
        async with self._slots:
            try:
                await work()
            except NoteError as error:
                job.error = error
            except _FATAL:
                raise
            except FhirAdapterError as error:
                job.error = await note_fault(self.parts.client, error)
            except Exception as error:
                job.error = internal_error(error, name)

    async def _read(self, job: Job) -> None:
        job.started = time.monotonic()
        if not job.error:
            parts = self.parts
            reading = await read_note(job.note, parts.client, parts.extractor, parts.limits)
            parts.scorer.check_characters(len(reading.text.text))
            job.reading = reading

    # Stage two: scores, in a worker thread, so that the event loop never waits for the model.

    async def _score_stage(self, read: _Queue, scored: _Queue) -> None:
        deferred, whole = Deferred(), True
        while (batch := await read.get()) is not None:
            if batch.watermark:
                whole = await self._score_large(deferred, scored) and whole
                if not whole:
                    continue  # what was left undone lies before this watermark
            rest = deferred.keep_back(batch)
            await self._score(rest.jobs)
            await scored.put(rest)
            if deferred.full:
                whole = await self._score_large(deferred, scored) and whole
        await self._score_large(deferred, scored)
        await scored.put(None)

    async def _score(self, jobs: Sequence[Job]) -> None:
        ready = [(job, job.reading.text) for job in jobs if job.reading]
        texts = [text for _, text in ready]
        results = await asyncio.to_thread(self.parts.scorer.score, texts) if texts else []
        for (job, _), result in zip(ready, results, strict=True):
            if isinstance(result, NoteError):
                job.error = result
            else:
                job.summary = result

    async def _score_large(self, deferred: Deferred, scored: _Queue) -> bool:
        """The notes that were kept back, one by one; False where the pass is to stop and some are left.

        What came before them is recorded by then. Each is in the ledger as interrupted while it is scored:
        should the process end in it, for memory or whatever else, the next one knows.
        """
        for job in deferred.taken():
            await scored.join()
            if self.stop.is_set():
                return False
            row = job.row(self.parts.pipeline.version)
            begun = failed_row(row, NoteError(Reason.INTERRUPTED), job.before)
            await asyncio.to_thread(self.parts.ledger.record, [begun])
            await self._score([job])
            await scored.put(Batch(jobs=(job,)))
        return True

    # Stage three: the server, then the ledger, then the world.

    async def _write_stage(self, scored: _Queue) -> None:
        ledger = self.parts.ledger
        while (batch := await scored.get()) is not None:
            await self._write_all(batch.jobs)
            await self._end_all(batch.jobs)
            rows = [*batch.rows, *(job.row(self.parts.pipeline.version) for job in batch.jobs)]
            await asyncio.to_thread(ledger.record, rows)
            if batch.jobs:
                await self._leases.give_back([job.note.reference for job in batch.jobs])
            for outcome in [*batch.unchanged, *(Outcome.of(row) for row in rows)]:
                self._say(outcome)
            if batch.watermark:
                await asyncio.to_thread(ledger.move_watermark, *batch.watermark)
            scored.task_done()

    async def _write_all(self, jobs: Sequence[Job]) -> None:
        ready: list[tuple[Job, SummaryDraft]] = []
        for job in jobs:
            if job.reading and job.summary:
                try:
                    base_url = self.parts.client.base_url
                    ready.append((job, SummaryDraft(job.reading, job.summary, self.parts.pipeline, base_url)))
                except NoteError as error:
                    job.error = error
        chains = await self.parts.writer.chains([job.note.reference for job, _ in ready])
        await asyncio.gather(
            *(
                self._step(
                    job, "write", partial(self._write, job, written, chains.get(job.note.reference, ()))
                )
                for job, written in ready
            )
        )

    async def _write(self, job: Job, written: SummaryDraft, chain: Chain) -> None:
        known = job.before.composition if job.before else ""
        job.composition, job.changed = await self.parts.writer.write(written, chain, known)

    async def _end_all(self, jobs: Sequence[Job]) -> None:
        """A note that is not to be summarised, by a decision, takes its earlier summary along."""
        ends = [
            (job, job.error.reason)
            for job in jobs
            if job.error and not job.error.reason.failure and job.error.reason is not Reason.WITHDRAWN
        ]
        chains = await self.parts.writer.chains([job.note.reference for job, _ in ends])
        await asyncio.gather(
            *(
                self._step(job, "end", partial(self._end, job, reason, chains[job.note.reference]))
                for job, reason in ends
                if job.note.reference in chains
            )
        )

    async def _end(self, job: Job, reason: Reason, chain: Chain) -> None:
        ended = await self.parts.writer.end(job.note.reference, reason.value, chain)
        job.composition, job.kept = (ended.ids or ("",))[-1], bool(ended.kept)
