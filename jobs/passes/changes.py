"""Which notes a pass works on: what is due again, what changed, and what these change for others."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

import structlog

from fhir_adapter.errors import (
    FhirAdapterError,
    HttpStatusError,
    NoteError,
    NotFhirError,
    ResponseTooLargeError,
    ServerUnreachableError,
)
from fhir_adapter.note import SourceNote
from fhir_adapter.reading.consent import Consents
from fhir_adapter.reading.source import Page, Unreadable
from fhir_adapter.reasons import Reason
from fhir_adapter.writing.copies import Copies
from jobs.ledger.forget import forget
from jobs.ledger.ledger import Ledger
from jobs.ledger.rows import NoteRow
from jobs.ledger.walks import mark_seen, unseen
from jobs.passes.deletions import deleted_notes
from jobs.passes.faults import note_fault, says_deleted
from jobs.passes.leases import Leases
from jobs.passes.outcome import Outcome
from jobs.passes.pace import Pace
from jobs.passes.parts import Parts
from jobs.passes.relations import Relations
from jobs.passes.stale import as_they_stand
from jobs.passes.standing import Stand, disagreeing, fallen
from jobs.passes.work import Batch, Job, failed_row

log = structlog.get_logger("clinsum.poll")

BATCH_NOTES = 32
_RETRIES_A_PASS = 500
_OF_ONE_TYPE = (HttpStatusError, NotFhirError, ResponseTooLargeError, ServerUnreachableError)


# Reasons that lie outside of the note, so that its version does not tell of them.
_OUTSIDE = (Reason.SUPERSEDED, Reason.NOT_SELECTED, Reason.CONSENT)


# What stands in the ledger for notes of a page of which nobody can tell which they are.
_UNNAMED = "unknown"


def _forget_unnamed(ledger: Ledger) -> None:
    """A walk over all pages has read them, so that no such failure is left."""
    forget(ledger, [_UNNAMED])


def _has_summary(row: NoteRow | None) -> bool:
    """Of a note that the settings leave out: one that this software has written, or tries to."""
    return row is not None and (row.status != "skipped" or row.reason in (Reason.NOT_SELECTED, Reason.COPY))


class Changes:
    """The notes of one pass, a batch at a time.

    Args:
        parts: of the process.
        leases: what this pass may work on.
        slots: how many requests are made at a time.
        stop: when set, no further page is begun.

    Attributes:
        missed: of a walk over everything, what the ledger lacked.
        fault: the first that ended the reading of a type; for the end of the pass.
    """

    def __init__(self, parts: Parts, leases: Leases, slots: asyncio.Semaphore, stop: asyncio.Event) -> None:
        self._parts, self._leases, self._slots, self._stop = parts, leases, slots, stop
        self._retried: set[tuple[str, str]] = set()
        self._relations = Relations()
        self._consents = Consents(parts.client) if parts.settings.consent else None
        self._told = self._unnamed = False
        self.missed = 0
        self.fault: FhirAdapterError | None = None

    async def changed(self, resource_types: Sequence[str]) -> AsyncIterator[Batch]:
        """What is due for another try or fell away, then what changed since the watermark, type by type."""
        due = await asyncio.to_thread(self._parts.ledger.due, _RETRIES_A_PASS)
        async for batch in self.again([row.source for row in due], before={r.source: r for r in due}):
            yield batch
        async for rows in fallen(self._parts.writer, self._parts.ledger):
            async for batch in self.again([row.source for row in rows], before={r.source: r for r in rows}):
                yield batch
        for resource_type in resource_types:
            try:
                async for batch in self._changed_of(resource_type):
                    yield batch
            except _OF_ONE_TYPE as error:
                # Neither what was read of this type before nor the types after it are lost.
                self.fault = self.fault or error
                log.error("type", resource_type=resource_type, error=type(error).__name__, message=str(error))
            if self._stop.is_set():
                return
        if not (self._unnamed or self.fault):
            known = await asyncio.to_thread(self._parts.ledger.known, [_UNNAMED])
            if any(row.reason == Reason.SERVER_ERROR.value for row in known.values()):
                yield Batch(then=_forget_unnamed)

    async def _changed_of(self, resource_type: str) -> AsyncIterator[Batch]:
        strategy = await self._parts.source.strategy(resource_type)
        if strategy.fallback:
            log.warning("fallback", message=strategy.fallback)
        mark = self._parts.source.mark(resource_type)
        watermark = await asyncio.to_thread(self._parts.ledger.watermark, mark)
        newest: str | None = None
        whole = True
        async for page in self._parts.source.changed_since(resource_type, watermark):
            newest, whole = page.newest or newest, page.whole
            async for batch in self.triaged(resource_type, page):
                yield batch
            if self._stop.is_set():
                return
        gone = await deleted_notes(self._parts, self._slots, resource_type, watermark)
        async for batch in self.again([*await self._affected(), *await self._not_ended(gone)]):
            yield batch
        async for batch in self.left_by_others():
            yield batch
        if newest and newest != watermark and whole and not self._stop.is_set():
            yield Batch(then=partial(Ledger.move_watermark, resource_type=mark, last_updated=newest))

    async def missed_ones(
        self, resource_types: Sequence[str], since: str | None, pace: Pace | None
    ) -> AsyncIterator[Batch]:
        """Everything on the server, by another order: what the ledger lacks, or has of another version.

        What the ledger has is held against the summaries that the server holds.
        At the end of a whole walk the ledger's summaries of notes that it did not meet are looked at too.
        """
        begun = datetime.now(UTC)
        for resource_type in resource_types:
            async for page in self._parts.source.everything(resource_type, since):
                async for batch in self.triaged(resource_type, page, look=True):
                    yield batch
                seen = [note.reference for note in page.notes if note.reference]
                await asyncio.to_thread(mark_seen, self._parts.ledger, seen, datetime.now(UTC))
                if pace and seen:
                    await pace.wait(len(seen), self._stop)
                if self._stop.is_set():
                    return
            async for batch in self.again(await self._affected()):
                yield batch
        if since is None:
            async for batch in self._not_met(resource_types, begun):
                yield batch
        async for batch in self.left_by_others():
            yield batch

    async def listed(self, resource_type: str, stated: Mapping[str, str]) -> AsyncIterator[Batch]:
        """Notes that a file or an export names, each as the server has it now.

        What the ledger has in the version named is not asked for again.

        Args:
            resource_type: of all of them.
            stated: `Type/id` to the version that is named, or "".
        """
        known = await asyncio.to_thread(self._parts.ledger.known, stated)
        done = {row.source: row for row in known.values() if row.version == (stated[row.source] or None)}
        done = {source: row for source, row in done.items() if row.status != "failed"}
        if done:
            yield Batch(unchanged=tuple(Outcome.of(row, "unchanged") for row in done.values()))
        rest = [source for source in stated if source not in done]
        if rest:
            page, missing = await self._parts.source.now(resource_type, rest)
            async for batch in self.triaged(resource_type, page):
                yield batch
            async for batch in self.again(missing):
                yield batch

    async def settled(self) -> AsyncIterator[Batch]:
        """What the notes so far change for others, and what is free of what other processes had taken."""
        async for batch in self.again(await self._affected()):
            yield batch
        async for batch in self.left_by_others(wait=False):
            yield batch

    @property
    def whole(self) -> bool:
        """All notes so far are in batches, or recorded by others."""
        return not self._leases.open

    async def unreadable(self, entries: Sequence[Unreadable]) -> Batch:
        """What gives no note, for the ledger."""
        return Batch(rows=tuple(await self._unreadable(entries)))

    async def _not_met(self, resource_types: Sequence[str], begun: datetime) -> AsyncIterator[Batch]:
        """Notes with a summary that a whole walk did not meet: deleted, or out of our sight."""
        last = 0
        while True:
            last, sources = await asyncio.to_thread(unseen, self._parts.ledger, resource_types, begun, last)
            if not sources:
                return
            self.missed += len(sources)
            async for batch in self.again(sources):
                yield batch

    async def left_by_others(self, *, wait: bool = True) -> AsyncIterator[Batch]:
        """Notes that other processes had taken and did not finish; waits for those still at work."""
        async for sources in self._leases.left(self._stop, wait=wait):
            log.info("taken-over", notes=len(sources))
            for start in range(0, len(sources), BATCH_NOTES):
                yield await self._reread_all(sources[start : start + BATCH_NOTES])

    async def again(
        self,
        references: Sequence[str],
        pace: Pace | None = None,
        before: Mapping[str, NoteRow] | None = None,
    ) -> AsyncIterator[Batch]:
        """These sources, read anew one by one, whatever the ledger says of them.

        Args:
            references: as `Type/id`.
            pace: how fast, where that is limited.
            before: the rows for which they were chosen; one that another process has changed since is left.
        """
        size = pace.batch(BATCH_NOTES) if pace else BATCH_NOTES
        for start in range(0, len(references), size):
            if pace and start:
                await pace.wait(size, self._stop)
            if self._stop.is_set():
                return
            part = references[start : start + size]
            mine = await self._leases.take(part)
            if before is not None:
                known = await asyncio.to_thread(self._parts.ledger.known, sorted(mine))
                done = [source for source in mine if known.get(source) != before[source]]
                await self._leases.give_back(done)
                mine.difference_update(done)
            yield await self._reread_all([reference for reference in part if reference in mine])

    async def _reread_all(self, references: Sequence[str]) -> Batch:
        known = await asyncio.to_thread(self._parts.ledger.known, references)
        jobs = await asyncio.gather(*(self._reread(ref, known.get(ref)) for ref in references))
        self._retried.update((job.note.reference, job.note.version_id) for job in jobs)
        return Batch(jobs=tuple(jobs))

    async def _reread(self, reference: str, before: NoteRow | None) -> Job:
        async with self._slots:
            resource_type, _, resource_id = reference.partition("/")
            version = before.version if before else ""
            job = Job(SourceNote(resource_type, resource_id, version, ""), before)
            try:
                job.note = await self._parts.source.read(reference)
                job.error = (await self._refused([job.note])).get(job.note.reference)
            except FhirAdapterError as error:
                deleted = says_deleted(error)
                job.error = (
                    NoteError(Reason.DELETED) if deleted else await note_fault(self._parts.client, error)
                )
        return job

    async def _affected(self) -> list[str]:
        """Sources that have a summary and whose standing was changed by what another note says of them."""
        replaced = self._relations.taken()
        known = await asyncio.to_thread(self._parts.ledger.known, replaced)
        return [
            source
            for source, in_force_now in replaced.items()
            if source in known and (known[source].reason == Reason.SUPERSEDED) != in_force_now
        ]

    async def _not_ended(self, gone: Sequence[str]) -> list[str]:
        """Of notes that are deleted, those that the ledger or the server's summaries say otherwise of."""
        known = await asyncio.to_thread(self._parts.ledger.known, gone)
        left = [source for source in gone if source not in known]
        chains = await self._parts.writer.chains(left) if left else {}
        return [s for s in gone if s in chains or (s in known and known[s].reason != Reason.DELETED)]

    async def deleted(self, sources: Sequence[str]) -> AsyncIterator[Batch]:
        """Notes that are said to be deleted, each looked at before its summary ends."""
        async for batch in self.again(await self._not_ended(sources)):
            yield batch

    async def triaged(self, resource_type: str, page: Page, *, look: bool = False) -> AsyncIterator[Batch]:
        """Splits a page into what is known already, what cannot be read, and batches to work on.

        Args:
            resource_type: of the notes.
            page: of the walk.
            look: known notes whose summary is not as the ledger says are worked on too.
        """
        if page.notice:
            log.warning("page", resource_type=resource_type, notice=page.notice)
        readable = [note for note in page.notes if isinstance(note, SourceNote)]
        known = await asyncio.to_thread(self._parts.ledger.known, [note.reference for note in readable])
        readable = await as_they_stand(self._parts.source, readable, known)
        readable = [note for note in readable if not note.left_out or _has_summary(known.get(note.reference))]
        refused = await self._refused(readable)
        unchanged, wanted = self._sorted(readable, known, refused)
        wrong: dict[str, NoteRow] = {}
        if look:
            rows_of = [known[outcome.source] for outcome in unchanged]
            wrong = {row.source: row for row, _ in await self._disagreeing(rows_of)}
            unchanged, wanted = self._sorted(readable, known, refused, wrong)
        rows = await self._unreadable([note for note in page.notes if isinstance(note, Unreadable)])
        yield Batch(rows=tuple(rows), unchanged=tuple(unchanged))
        mine = await self._leases.take([note.reference for note in wanted])
        if mine:  # what another process recorded between the two looks is not done twice
            known = await asyncio.to_thread(self._parts.ledger.known, sorted(mine))
            mine_now = [note for note in wanted if note.reference in mine]
            more, wanted = self._sorted(mine_now, known, refused, wrong)
            done = [outcome.source for outcome in more]
            if done:
                await self._leases.give_back(done)
                yield Batch(unchanged=tuple(more))
            for note in wanted:
                self._relations.see(note, self._parts.client.base_url, known.get(note.reference))
            self.missed += len(wanted)
            jobs = [Job(n, known.get(n.reference), error=refused.get(n.reference)) for n in wanted]
            for start in range(0, len(jobs), BATCH_NOTES):
                yield Batch(jobs=tuple(jobs[start : start + BATCH_NOTES]))

    async def _disagreeing(self, rows: Sequence[NoteRow]) -> list[tuple[NoteRow, Stand]]:
        return await disagreeing(self._parts.writer, rows, Copies(self._parts.client, self._parts.writer))

    def _sorted(
        self,
        notes: Sequence[SourceNote],
        known: dict[str, NoteRow],
        refused: Mapping[str, NoteError],
        wrong: Mapping[str, NoteRow] | None = None,
    ) -> tuple[list[Outcome], list[SourceNote]]:
        """Outcomes of notes that are as they were, and the notes to work on.

        A note that failed is neither: it is tried again when it is due, and counted at the end of the pass.
        One whose row is still among those that the server does not agree with is worked on.
        """
        unchanged: list[Outcome] = []
        wanted: list[SourceNote] = []
        for note in notes:
            before = known.get(note.reference)
            if (note.reference, note.version_id) in self._retried:
                continue  # this pass has handled it already
            same = before and note.version_id and before.version == note.version_id
            same = same and before != (wrong or {}).get(note.reference)
            reason = refused[note.reference].reason if note.reference in refused else None
            if before and same and not any((reason is one) != (before.reason == one) for one in _OUTSIDE):
                if before.status != "failed":
                    unchanged.append(Outcome.of(before, "unchanged"))
            else:
                wanted.append(note)
        return unchanged, wanted

    async def _refused(self, notes: Sequence[SourceNote]) -> dict[str, NoteError]:
        """Those of the notes that are not to be summarised, by their status or a Consent of their patient."""
        found = {
            n.reference: NoteError(reason) for n in notes if (reason := self._parts.source.ineligible(n))
        }
        if not self._consents:
            return found
        rest = [note for note in notes if note.reference not in found]
        try:
            forbidden = await self._consents.forbidden(rest)
        except HttpStatusError as error:
            fault = NoteError(Reason.SERVER_ERROR, f"search of Consent: HTTP {error.status}")
            return found | {note.reference: fault for note in rest}
        if self._consents.notice and not self._told:
            self._told = True
            log.warning("consents", notice=self._consents.notice)
        return found | {reference: NoteError(Reason.CONSENT) for reference in forbidden}

    async def _unreadable(self, entries: Sequence[Unreadable]) -> list[NoteRow]:
        """Rows for what gives no note; one that failed as it is already waits for its next try."""
        known = await asyncio.to_thread(
            self._parts.ledger.known, [e.reference for e in entries if e.reference]
        )
        rows = []
        for entry in entries:
            before = known.get(entry.reference)
            if (
                before
                and (before.status, before.version, before.reason)
                == ("failed", entry.version_id, entry.reason.value)
                and entry.version_id
            ):
                continue
            self._unnamed = self._unnamed or not entry.reference
            row = NoteRow(
                entry.reference or _UNNAMED, entry.version_id, self._parts.pipeline.version, "failed"
            )
            rows.append(failed_row(row, NoteError(entry.reason, entry.detail), before))
        return rows
