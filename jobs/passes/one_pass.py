"""One pass: source, text, summary, Composition, ledger.

Three stages run side by side with a queue of one batch between them: while a page of the server's answers is
read and decoded, the batch before is scored and the one before that is written. Memory therefore holds a few
batches, whatever the number of notes.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace

import structlog

from fhir_adapter.elements import local
from fhir_adapter.errors import (
    FhirAdapterError,
    GoneError,
    HttpStatusError,
    NoteError,
    NotFhirError,
    NotFoundError,
    ResponseTooLargeError,
    ServerUnreachableError,
    read_fault,
)
from fhir_adapter.note import Reading, SourceNote
from fhir_adapter.reading.note_text import read_note
from fhir_adapter.reading.replacements import in_force
from fhir_adapter.reading.source import Unreadable
from fhir_adapter.reasons import Reason
from fhir_adapter.writing.recall import RecalledError
from fhir_adapter.writing.summary import Written
from fhir_adapter.writing.writer import Chain
from jobs.ledger.rows import LedgerError, NoteRow, next_retry
from jobs.passes.outcome import Outcome, Totals
from jobs.passes.pace import Pace
from jobs.passes.parts import Parts
from jobs.passes.scoring import internal_error
from summarizer.types import Summary

log = structlog.get_logger("clinsum.poll")

BATCH_NOTES = 32
_RETRIES_A_PASS = 500
# These end the pass; anything else is the note's own failure.
_FATAL = (ServerUnreachableError, NotFhirError, LedgerError, RecalledError)
# These end the reading of one resource type; what was read before is written all the same.
_OF_ONE_TYPE = (ServerUnreachableError, NotFhirError, HttpStatusError, ResponseTooLargeError)
# 404 with one of these is said by what stands before the server, or for now.
_NOT_OF_THE_NOTE = frozenset({"login", "security", "forbidden", "timeout", "throttled", "transient"})
_KEPT = "a summary that a person changed or attested stays"


@dataclass(slots=True)
class _Job:
    """One note on its way through the stages; each stage fills in its part, or the error."""

    note: SourceNote
    before: NoteRow | None
    error: NoteError | None = None
    reading: Reading | None = None
    summary: Summary | None = None
    composition: str = ""
    changed: bool = False
    kept: bool = False
    started: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, slots=True)
class _Batch:
    """Jobs to do, ends that need no work, and the watermark that holds once all of it is recorded."""

    jobs: tuple[_Job, ...] = ()
    rows: tuple[NoteRow, ...] = ()
    unchanged: tuple[Outcome, ...] = ()
    watermark: tuple[str, str] | None = None


_Queue = asyncio.Queue[_Batch | None]


class _Relations:
    """Which documents are replaced, or not any more, by what a pass has read; they need a second look."""

    def __init__(self) -> None:
        self._targets: dict[str, bool] = {}
        self._handled: set[str] = set()

    def see(self, note: SourceNote, base_url: str, before: NoteRow | None) -> None:
        """Takes note of a document that the pass works on, and of the ledger's row of it."""
        if before:
            self._handled.add(note.reference)
        now = in_force(note.status, note.doc_status)
        self._targets.update(dict.fromkeys(local(note.replaces, base_url), now))

    def taken(self) -> dict[str, bool]:
        """`Type/id` of each replaced document to whether the replacement is in force; each once."""
        found = {source: now for source, now in self._targets.items() if source not in self._handled}
        self._targets.clear()
        return found


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
        self._retried: set[tuple[str, str]] = set()
        self._relations = _Relations()
        self._fault: FhirAdapterError | None = None

    async def run(self, resource_types: Sequence[str]) -> Totals:
        """Handles what is due for another try, then everything changed since the watermark.

        Raises:
            ServerUnreachableError, NotFhirError: the walk could not go on; what was done is recorded.
            RecalledError: this pipeline version must not write any more.
            LedgerError: the database could not be used.
        """
        return await self._staged(self._changes(resource_types))

    async def handle(self, references: Sequence[str], pace: Pace | None = None) -> Totals:
        """Handles these sources again, whatever the ledger says of them. Raises as `run`.

        Args:
            references: as `Type/id`.
            pace: how fast, where that is limited.
        """
        return await self._staged(self._again(references, pace))

    async def _staged(self, batches: AsyncIterator[_Batch]) -> Totals:
        started = time.monotonic()
        await self.parts.writer.register()
        read, scored = _Queue(maxsize=1), _Queue(maxsize=1)
        try:
            async with asyncio.TaskGroup() as stages:
                stages.create_task(self._read_stage(batches, read))
                stages.create_task(self._score_stage(read, scored))
                stages.create_task(self._write_stage(scored))
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None
        if self._fault:
            raise self._fault
        self._totals.seconds = time.monotonic() - started
        return self._totals

    # Stage one: which notes, and their text.

    async def _changes(self, resource_types: Sequence[str]) -> AsyncIterator[_Batch]:
        due = await asyncio.to_thread(self.parts.ledger.due, _RETRIES_A_PASS)
        async for batch in self._again([row.source for row in due]):
            yield batch
        for resource_type in resource_types:
            # A fault of one type loses neither what was read of it nor the types after it.
            try:
                async for batch in self._changes_of(resource_type):
                    yield batch
            except _OF_ONE_TYPE as error:
                self._fault = self._fault or error
                log.warning(
                    "type", resource_type=resource_type, error=type(error).__name__, message=str(error)
                )
            if self.stop.is_set():
                return

    async def _changes_of(self, resource_type: str) -> AsyncIterator[_Batch]:
        watermark = await asyncio.to_thread(self.parts.ledger.watermark, resource_type)
        strategy = await self.parts.source.strategy(resource_type)
        if strategy.fallback:
            log.warning("fallback", message=strategy.fallback)
        newest, whole = None, True
        async for page in self.parts.source.changed_since(resource_type, watermark):
            newest, whole = page.newest or newest, page.whole
            if page.notice:
                log.warning("page", resource_type=resource_type, notice=page.notice)
            async for batch in self._triaged(page.notes):
                yield batch
            if self.stop.is_set():
                return
        async for batch in self._again(await self._affected(resource_type, watermark)):
            yield batch
        if newest and newest != watermark and whole and not self.stop.is_set():
            yield _Batch(watermark=(resource_type, newest))

    async def _affected(self, resource_type: str, watermark: str | None) -> list[str]:
        """Sources that have a summary and whose standing was changed by something else than a new version."""
        replaced = self._relations.taken()
        gone = await self._gone(resource_type, watermark) if watermark else []
        known = await asyncio.to_thread(self.parts.ledger.known, [*replaced, *gone])
        affected = [
            source
            for source, in_force_now in replaced.items()
            if source in known and (known[source].reason == Reason.SUPERSEDED) != in_force_now
        ]
        left = [source for source in gone if source not in known]
        chains = await self.parts.writer.chains(left) if left else {}
        affected += [s for s in gone if s in chains or (s in known and known[s].reason != Reason.DELETED)]
        return affected

    async def _gone(self, resource_type: str, watermark: str) -> list[str]:
        try:
            return await self.parts.source.deleted_since(resource_type, watermark)
        except HttpStatusError as error:
            if error.status >= 500 or error.status == 429:
                raise
            log.warning("no-deletions", resource_type=resource_type, status=error.status)
            return []

    async def _again(self, references: Sequence[str], pace: Pace | None = None) -> AsyncIterator[_Batch]:
        size = pace.batch(BATCH_NOTES) if pace else BATCH_NOTES
        for start in range(0, len(references), size):
            if pace and start:
                await pace.wait(size, self.stop)
            if self.stop.is_set():
                return
            part = references[start : start + size]
            known = await asyncio.to_thread(self.parts.ledger.known, part)
            jobs = await asyncio.gather(*(self._reread(ref, known.get(ref)) for ref in part))
            self._retried.update((job.note.reference, job.note.version_id) for job in jobs)
            yield _Batch(jobs=tuple(jobs))

    async def _reread(self, reference: str, before: NoteRow | None) -> _Job:
        async with self._slots:
            resource_type, _, resource_id = reference.partition("/")
            version = before.version if before else ""
            job = _Job(SourceNote(resource_type, resource_id, version, ""), before)
            try:
                job.note = await self.parts.source.read(reference)
                job.error = self._refusal(job.note)
            except ServerUnreachableError:
                if not await self.parts.client.answers():
                    raise
                job.error = NoteError(Reason.SERVER_ERROR, "no answer to this read")
            except FhirAdapterError as error:
                job.error = NoteError(Reason.DELETED) if _deleted(error) else read_fault(error)
        return job

    async def _triaged(self, notes: Sequence[SourceNote | Unreadable]) -> AsyncIterator[_Batch]:
        """Splits a page into what is known already, what cannot be read, and batches to work on."""
        readable = [note for note in notes if isinstance(note, SourceNote)]
        known = await asyncio.to_thread(self.parts.ledger.known, [note.reference for note in notes])
        rows = [self._unreadable(n, known.get(n.reference)) for n in notes if isinstance(n, Unreadable)]
        unchanged: list[Outcome] = []
        jobs: list[_Job] = []
        for note in readable:
            before = known.get(note.reference)
            if (note.reference, note.version_id) in self._retried:
                continue  # this pass has handled it already
            same = before and note.version_id and before.version == note.version_id
            replaced = self.parts.source.ineligible(note) is Reason.SUPERSEDED
            if before and same and replaced == (before.reason == Reason.SUPERSEDED):
                unchanged.append(Outcome.of(before, "failed" if before.status == "failed" else "unchanged"))
            else:
                self._relations.see(note, self.parts.client.base_url, before)
                jobs.append(_Job(note, before, error=self._refusal(note)))
        yield _Batch(rows=tuple(rows), unchanged=tuple(unchanged))
        for start in range(0, len(jobs), BATCH_NOTES):
            yield _Batch(jobs=tuple(jobs[start : start + BATCH_NOTES]))

    def _refusal(self, note: SourceNote) -> NoteError | None:
        reason = self.parts.source.ineligible(note)
        return NoteError(reason) if reason else None

    def _unreadable(self, found: Unreadable, before: NoteRow | None) -> NoteRow:
        row = NoteRow(found.reference or "unknown", found.version_id, self.parts.pipeline.version, "failed")
        failed = _failed(row, NoteError(found.reason, found.detail), before)
        return failed if found.reference else replace(failed, retry_at=None)

    async def _read_stage(self, batches: AsyncIterator[_Batch], read: _Queue) -> None:
        async for batch in batches:
            await asyncio.gather(*(self._step(job, "read", self._read(job)) for job in batch.jobs))
            await read.put(batch)
        await read.put(None)

    async def _step(self, job: _Job, name: str, work: Coroutine[None, None, None]) -> None:
        """Runs one job's step in a free slot; a failure ends the job and nothing else."""
        async with self._slots:
            try:
                await work
            except NoteError as error:
                job.error = error
            except _FATAL:
                raise
            except Exception as error:
                job.error = internal_error(error, name)

    async def _read(self, job: _Job) -> None:
        job.started = time.monotonic()
        if not job.error:
            job.reading = await read_note(
                job.note, self.parts.client, self.parts.extractor, self.parts.limits
            )

    # Stage two: scores, in a worker thread, so that the event loop never waits for the model.

    async def _score_stage(self, read: _Queue, scored: _Queue) -> None:
        while (batch := await read.get()) is not None:
            ready = [(job, job.reading.text) for job in batch.jobs if job.reading]
            results = await asyncio.to_thread(self.parts.scorer.score, [text for _, text in ready])
            for (job, _), result in zip(ready, results, strict=True):
                if isinstance(result, NoteError):
                    job.error = result
                else:
                    job.summary = result
            await scored.put(batch)
        await scored.put(None)

    # Stage three: the server, then the ledger, then the world.

    async def _write_stage(self, scored: _Queue) -> None:
        while (batch := await scored.get()) is not None:
            await self._write_all(batch.jobs)
            await self._end_all(batch.jobs)
            rows = [*batch.rows, *(self._row(job) for job in batch.jobs)]
            await asyncio.to_thread(self.parts.ledger.record, rows)
            for outcome in [*batch.unchanged, *(Outcome.of(row) for row in rows)]:
                self._totals.add(outcome)
                self.emit(outcome)
            if batch.watermark:
                await asyncio.to_thread(self.parts.ledger.move_watermark, *batch.watermark)

    async def _write_all(self, jobs: Sequence[_Job]) -> None:
        ready: list[tuple[_Job, Written]] = []
        for job in jobs:
            if job.reading and job.summary:
                try:
                    written = Written(
                        job.reading, job.summary, self.parts.pipeline, self.parts.client.base_url
                    )
                    ready.append((job, written))
                except NoteError as error:
                    job.error = error
        chains = await self.parts.writer.chains([job.note.reference for job, _ in ready])
        await asyncio.gather(
            *(
                self._step(job, "write", self._write(job, written, chains.get(job.note.reference, ())))
                for job, written in ready
            )
        )

    async def _write(self, job: _Job, written: Written, chain: Chain) -> None:
        job.composition, job.changed = await self.parts.writer.write(written, chain)

    async def _end_all(self, jobs: Sequence[_Job]) -> None:
        """A note that is not to be summarised, by a decision, takes its earlier summary along."""
        ends = [
            (job, job.error.reason)
            for job in jobs
            if job.error and not job.error.reason.failure and job.error.reason is not Reason.WITHDRAWN
        ]
        chains = await self.parts.writer.chains([job.note.reference for job, _ in ends])
        await asyncio.gather(
            *(
                self._step(job, "end", self._end(job, reason, chains[job.note.reference]))
                for job, reason in ends
                if job.note.reference in chains
            )
        )

    async def _end(self, job: _Job, reason: Reason, chain: Chain) -> None:
        done = await self.parts.writer.end(job.note.reference, reason.value, chain)
        job.composition, job.kept = (done.ids or ("",))[-1], bool(done.kept)

    def _row(self, job: _Job) -> NoteRow:
        text = job.reading.text if job.reading else None
        row = NoteRow(
            source=job.note.reference,
            version=job.note.version_id,
            pipeline_version=self.parts.pipeline.version,
            status="written" if job.changed else "unchanged",
            detail=text.notice if text else "",
            composition=job.composition or (job.before.composition if job.before else ""),
            sentences=len(job.summary.summary) if job.summary else 0,
            text_sha256=text.sha256 if text else "",
            declared_type=text.declared_type if text else "",
            media_type=text.media_type if text else "",
            milliseconds=round((time.monotonic() - job.started) * 1000),
        )
        if not job.error:
            return row
        failed = _failed(row, job.error, job.before)
        return replace(failed, detail=failed.detail or _KEPT) if job.kept else failed


def _deleted(error: FhirAdapterError) -> bool:
    """The server itself says that the note is not there; a gateway's 404 holds no OperationOutcome."""
    if isinstance(error, NotFoundError):
        return bool(error.codes) and not _NOT_OF_THE_NOTE & set(error.codes)
    return isinstance(error, GoneError)


def _failed(row: NoteRow, error: NoteError, before: NoteRow | None) -> NoteRow:
    earlier = before.attempts if before and before.version == row.version else 0
    return replace(
        row,
        status="failed" if error.reason.failure else "skipped",
        reason=error.reason.value,
        detail=error.detail,
        sentences=0,
        attempts=earlier + 1,
        retry_at=next_retry(earlier + 1) if error.reason.transient else None,
    )
