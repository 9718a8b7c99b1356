"""The three stages of a note's way through a pass: its text, its summary, its Composition.

Each takes a batch and fills in its part of every job; a pass runs them side by side (`jobs.passes.one_pass`),
a cluster each in processes of its own (`jobs.backfill.actors`).
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from functools import partial

from fhir_adapter.errors import FhirAdapterError, NoteError
from fhir_adapter.note import NoteText
from fhir_adapter.reading.note_text import read_note
from fhir_adapter.reasons import Reason
from fhir_adapter.writing.recall import RecalledError
from fhir_adapter.writing.summary import SummaryDraft
from fhir_adapter.writing.writer import Chain
from jobs.ledger.rows import LedgerError
from jobs.passes.copies import Around, CopyKeeper
from jobs.passes.faults import note_fault
from jobs.passes.leases import Leases
from jobs.passes.outcome import Outcome
from jobs.passes.pace import Rate
from jobs.passes.parts import Parts
from jobs.passes.scoring import internal_error
from jobs.passes.watch import Watch
from jobs.passes.work import Batch, Job, failed_row
from summarizer.types import Summary

# These end the pass; anything else is the note's own failure.
_FATAL = (LedgerError, RecalledError)
# With these a note keeps what was written of it, or that is ended already.
_NO_END = (Reason.WITHDRAWN, Reason.COPY)
_TOGETHER = 10  # notes whose summaries are read, and written, in one request

_Ready = tuple[Job, SummaryDraft]


class Stages:
    """What is done to the notes of a batch.

    Args:
        parts: of the process.
        leases: what may be worked on.
        slots: how many requests are made at a time.
        rate: how fast summaries are written, where that is limited.
        watch: is told when the model is loaded.

    Attributes:
        copies: keeps one summary for each text of a patient.
    """

    def __init__(
        self,
        parts: Parts,
        leases: Leases,
        slots: asyncio.Semaphore,
        rate: Rate | None = None,
        watch: Watch | None = None,
    ) -> None:
        self._parts, self._leases, self._slots, self._rate = parts, leases, slots, rate
        self._watch = watch or Watch()
        self.copies = CopyKeeper(parts)
        self._parts_at_once = asyncio.Semaphore(parts.settings.concurrency)

    # Which notes, and their text.

    async def read(self, batch: Batch) -> None:
        """Reads the text of each note."""
        await asyncio.gather(*(self._step(job, "read", partial(self._read, job)) for job in batch.jobs))

    async def _read(self, job: Job) -> None:
        job.started = time.monotonic()
        if not job.error:
            parts = self._parts
            reading = await read_note(job.note, parts.client, parts.extractor, parts.limits)
            parts.scorer.check_characters(len(reading.text.text))
            job.reading = reading

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
                job.error = await note_fault(self._parts.client, error)
            except Exception as error:
                job.error = internal_error(error, name)

    # Scores, in a worker thread, so that the event loop never waits for the model.

    async def score(self, jobs: Sequence[Job]) -> None:
        """Chooses the sentences of each note that has a text."""
        ready = [(job, job.reading.text) for job in jobs if job.reading]
        texts = [text for _, text in ready]
        results = await self._scores(texts) if texts else []
        for (job, _), result in zip(ready, results, strict=True):
            if isinstance(result, NoteError):
                job.error = result
            else:
                job.summary = result

    async def _scores(self, texts: Sequence[NoteText]) -> list[Summary | NoteError]:
        scorer = self._parts.scorer
        if scorer.ready:
            return await asyncio.to_thread(scorer.score, texts)
        self._watch.loading()
        results = await asyncio.to_thread(scorer.score, texts)
        self._watch.loaded()
        return results

    async def score_large(self, job: Job) -> None:
        """Scores a large note by itself.

        It is in the ledger as interrupted while it is scored: should the process end in it, for memory or
        whatever else, the next one knows.
        """
        row = job.row(self._parts.pipeline.version)
        begun = failed_row(row, NoteError(Reason.INTERRUPTED), job.before)
        await asyncio.to_thread(self._parts.ledger.record, [begun])
        await self.score([job])

    # The server, then the ledger.

    async def write(self, batch: Batch) -> list[Outcome]:
        """Writes the summaries, ends those of notes that are to have none, and records how each ended."""
        ledger, version = self._parts.ledger, self._parts.pipeline.version
        await self._write_all(batch.jobs)
        await self._end_all(batch.jobs)
        await self.copies.look(batch.jobs)
        rows = [*batch.rows, *(job.row(version) for job in batch.jobs)]
        await asyncio.to_thread(ledger.record, rows)
        await self.copies.look_at_ledger(batch.jobs)
        if batch.jobs:
            await self._leases.give_back([job.note.reference for job in batch.jobs])
        if batch.then:
            await asyncio.to_thread(batch.then, ledger)
        return [*batch.unchanged, *(Outcome.of(row) for row in rows)]

    async def _write_all(self, jobs: Sequence[Job]) -> None:
        ready: list[_Ready] = []
        base_url, pipeline = self._parts.client.base_url, self._parts.pipeline
        for job in jobs:
            if job.reading and job.summary:
                try:
                    job.draft = SummaryDraft(job.reading, job.summary, pipeline, base_url)
                    ready.append((job, job.draft))
                except NoteError as error:
                    job.error = error
        chains = await self._parts.writer.chains([job.note.reference for job, _ in ready])
        around = await self.copies.around([draft for _, draft in ready], chains)
        texts: dict[str, list[_Ready]] = {}
        for job, draft in ready:
            texts.setdefault(draft.text_key or job.note.reference, []).append((job, draft))
        await asyncio.gather(*(self._write_part(part, chains, around) for part in _parts(texts.values())))

    async def _write_part(
        self, texts: Sequence[Sequence[_Ready]], chains: Mapping[str, Chain], around: Around
    ) -> None:
        """What there is of the summaries of some texts is read, and what is new written, in one request.

        All else, and whatever does not go well so, is written side by side.
        """
        async with self._parts_at_once:
            async with self._slots:
                read = dict(await self._parts.writer.read_together([d for t in texts for _, d in t], chains))
            new = [same[0] for same in texts if self._is_new(same, around, read)]
            async with self._slots:
                together = await self._parts.writer.write_new([draft for _, draft in new])
            for job, _ in new:
                if written := together.written.get(job.note.reference):
                    job.composition, job.changed, job.compositions = written, True, (written,)
                elif together.doubtful:
                    job.unsure = True
                    del read[job.note.reference]
            left = [same for same in texts if not same[0][0].changed]
            await asyncio.gather(*(self._write_text(same, chains, around, read) for same in left))

    def _is_new(self, same: Sequence[_Ready], around: Around, read: Mapping[str, Chain]) -> bool:
        """Whether nothing is known of a note, or of a summary of its text: one that need only be written."""
        (job, draft), source = same[0], same[0][0].note.reference
        return (
            len(same) == 1
            and self._rate is None
            and job.before is None
            and read.get(source) == ()
            and source not in around.links
            and not around.others(draft)
        )

    async def _write_text(
        self,
        same: Sequence[_Ready],
        chains: Mapping[str, Chain],
        around: Around,
        read: Mapping[str, Chain],
    ) -> None:
        """The notes of one text, one after the other, in the order of `Owner.rank`."""
        in_order = sorted(same, key=lambda one: (not one[0].note.encounter, one[0].note.reference))
        for job, draft in in_order:
            chain, now = chains.get(job.note.reference, ()), read.get(job.note.reference)
            await self._step(job, "write", partial(self._write, job, draft, chain, around, now))
            if len(same) > 1 and job.composition and not job.error:
                await self._step(job, "write", partial(self.copies.wrote, job, draft, around))

    async def _write(
        self, job: Job, draft: SummaryDraft, chain: Chain, around: Around, read: Chain | None
    ) -> None:
        if self._rate:
            await self._rate.turn()
        owner = await self.copies.named(job, draft, chain, around)
        if owner:
            job.composition, job.compositions = owner.id, tuple(one.id for one in chain)
            raise NoteError(Reason.COPY, f"of {owner.source}")
        link = around.links.get(job.note.reference)
        known = job.before.composition if job.before else ""
        known = known or (link.composition if link else "")
        unsure = job.unsure or (job.before is not None and job.before.status == "failed")
        write = self._parts.writer.write(draft, chain, known, unsure=unsure, read=read)
        job.composition, changed = await write
        job.changed = changed or job.unsure
        job.compositions = (*(one.id for one in chain if one.id != job.composition), job.composition)

    async def _end_all(self, jobs: Sequence[Job]) -> None:
        """A note that is not to be summarised, by a decision, takes its earlier summary along."""
        ends = [
            (job, job.error.reason)
            for job in jobs
            if job.error and not job.error.reason.failure and job.error.reason not in _NO_END
        ]
        for job, link in await self.copies.left([job for job, _ in ends]):
            if job.error:
                await self._step(job, "end", partial(self.copies.leave, link, job.error.reason))
        chains = await self._parts.writer.chains([job.note.reference for job, _ in ends])
        await asyncio.gather(
            *(
                self._step(job, "end", partial(self._end, job, reason, chains[job.note.reference]))
                for job, reason in ends
                if job.note.reference in chains
            )
        )

    async def _end(self, job: Job, reason: Reason, chain: Chain) -> None:
        ended = await self._parts.writer.end(job.note.reference, reason.value, chain)
        job.composition, job.kept = (ended.ids or ("",))[-1], bool(ended.kept)
        job.compositions = (*ended.ids, *ended.kept)


def _parts(texts: Iterable[Sequence[_Ready]]) -> Iterator[list[Sequence[_Ready]]]:
    """Texts by some notes at a time; those of one text stay together."""
    part: list[Sequence[_Ready]] = []
    for same in texts:
        part.append(same)
        if sum(map(len, part)) >= _TOGETHER:
            yield part
            part = []
    if part:
        yield part
