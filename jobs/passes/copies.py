"""Notes whose text another resource of the same patient holds too: one summary, which names them all.

The first one handled has the summary; each further one is named in it. Nobody has to be the only one at work:
whoever has written looks afterwards whether another summary of the same text is there by now, and whether
what is named in a summary still belongs there. As all write first and look then, at least one of two sees the
other.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from fhir_adapter.errors import HttpStatusError, NoteError
from fhir_adapter.reading.copies import same_note, same_text
from fhir_adapter.reading.note_text import read_note
from fhir_adapter.reasons import Reason
from fhir_adapter.writing.copies import Copies, Owner
from fhir_adapter.writing.holding import single
from fhir_adapter.writing.links import Link, check_withdrawn
from fhir_adapter.writing.summary import SummaryDraft
from fhir_adapter.writing.writer import Chain
from jobs.ledger.copies import look_again, named_in, with_summary
from jobs.passes.parts import Parts
from jobs.passes.work import Job

log = structlog.get_logger("clinsum.poll")


@dataclass(slots=True)
class Around:
    """What there is of the texts of a batch.

    Attributes:
        owners: the summaries of each text, by its key.
        links: of the batch's sources, by `Type/id`, as far as they were asked for.
    """

    owners: dict[str, list[Owner]] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)

    def others(self, draft: SummaryDraft) -> list[Owner]:
        """The summaries of a draft's text that are made from other sources, the one that stays first."""
        own = draft.reading.note.reference
        return sorted((o for o in self.owners.get(draft.text_key, ()) if o.source != own), key=_rank)


def _rank(owner: Owner) -> tuple[bool, bool, str]:
    return owner.rank


class CopyKeeper:
    """Keeps one summary for each text of a patient, for the notes of one pass.

    Args:
        parts: of the process.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._copies = Copies(parts.client, parts.writer)
        self._again: dict[str, None] = {}

    def taken(self) -> list[str]:
        """Notes to handle again for what became of others, as `Type/id`, each once."""
        found = list(self._again)
        self._again.clear()
        return found

    # Before the summaries are written.

    async def around(self, drafts: Sequence[SummaryDraft], chains: Mapping[str, Chain]) -> Around:
        """What there is of the texts of these drafts.

        Raises:
            FhirAdapterError: as the client raises it.
        """
        sources = [draft.reading.note.reference for draft in drafts if draft.text_key]
        bare = [s for s in sources if not chains.get(s) or chains[s][-1].ended == Reason.COPY]
        links = await self._copies.links_of(bare) if bare else {}
        return Around(await self._owners([draft.text_key for draft in drafts]), links)

    async def _owners(self, keys: Iterable[str]) -> dict[str, list[Owner]]:
        """By the server's search, and by the ledger, which a search may be behind."""
        wanted = [key for key in dict.fromkeys(keys) if key]
        found = await self._copies.owners(wanted)
        there = {owner.id for owners in found.values() for owner in owners}
        for row in await asyncio.to_thread(with_summary, self._parts.ledger, wanted):
            if row.composition and row.composition not in there:
                owner = await self._seen(row.composition)
                if owner and owner.key == row.text_key:
                    found.setdefault(owner.key, []).append(owner)
        return found

    async def wrote(self, job: Job, draft: SummaryDraft, around: Around) -> None:
        """A summary of this batch is there for the next notes of it that hold the same text."""
        owner = await self._seen(job.composition)
        if owner and owner.key == draft.text_key:
            around.owners.setdefault(owner.key, []).append(owner)

    async def named(self, job: Job, draft: SummaryDraft, chain: Chain, around: Around) -> Owner | None:
        """Names a note in the summary that there is of its text; None where it is to have its own.

        A summary of its own, that was written when another one was not known yet, ends.

        Raises:
            NoteError: `withdrawn`, or as the writer raises it.
        """
        source, link = draft.reading.note.reference, around.links.get(draft.reading.note.reference)
        check_withdrawn(link, draft)
        # A note with an encounter would be missed in the timeline of that stay.
        others = [owner for owner in around.others(draft) if owner.encounter or draft.encounter is None]
        if not others:
            return None
        chain = await self._parts.writer.chain(source, job.before.composition if job.before else "", chain)
        if any(not one.ours and not one.in_error for one in chain):
            return None  # a person's work has no other summary beside it
        own = self._copies.owner_of(single(chain)[-1].resource) if chain else None
        for owner in others:
            if own and own.key == draft.text_key and not own.yields_to(owner):
                continue
            if await self._is_copy(draft, owner) and await self._copies.join(draft, owner, link):
                await self._parts.writer.end(source, Reason.COPY.value, chain)
                return owner
        return None

    async def _is_copy(self, draft: SummaryDraft, owner: Owner) -> bool:
        """Whether the note of another summary is there, counts, and says the same as that of a draft."""
        parts, reading = self._parts, draft.reading
        try:
            note = await parts.source.read(owner.source)
            if note.left_out or parts.source.ineligible(note):
                return False
            other = await read_note(note, parts.client, parts.extractor, parts.limits)
        except (NoteError, HttpStatusError):
            return False  # what cannot be seen to be a copy has a summary of its own
        base_url = parts.client.base_url
        return same_note(reading.note, other.note, base_url) and same_text(reading.text, other.text)

    # After they are written, before the ledger is told.

    async def left(self, jobs: Sequence[Job]) -> list[tuple[Job, Link]]:
        """Those of notes not to be summarised that are named in a summary; raises as the client."""
        unknown = [job for job in jobs if job.before is None or job.before.reason == Reason.COPY]
        links = await self._copies.links_of([job.note.reference for job in unknown]) if unknown else {}
        pairs = [(job, links[job.note.reference]) for job in unknown if job.note.reference in links]
        return [(job, link) for job, link in pairs if not link.ended]

    async def leave(self, link: Link, reason: Reason) -> None:
        """The summary does not name the note any more. Raises as the writer."""
        await self._copies.leave(link.source, reason.value, link)

    async def look(self, jobs: Sequence[Job]) -> None:
        """Has those notes handled again that are named where they do not belong, or have a second summary.

        Args:
            jobs: as they are written or ended; what came before needs them no more.
        """
        for job in jobs:
            self._again.pop(job.note.reference, None)
        settled = [job for job in jobs if job.compositions]
        try:
            found = {*await self._misnamed(settled), *await self._second(settled)}
        except HttpStatusError as error:  # what is written is written; the ledger must be told
            log.warning("copies-not-looked-at", status=error.status)
            return
        await self._mark(sorted(found), jobs)

    async def _mark(self, sources: Sequence[str], jobs: Sequence[Job]) -> None:
        """In the ledger too, so that they are not forgotten with this process."""
        self._again.update(dict.fromkeys(sources))
        mine = {job.note.reference for job in jobs}
        others = [source for source in sources if source not in mine]
        if others:
            await asyncio.to_thread(look_again, self._parts.ledger, others, self._parts.pipeline.version)

    async def _misnamed(self, jobs: Sequence[Job]) -> list[str]:
        """Those named in summaries of these notes that are of another text by now, or no longer count.

        A summary that a person signed stays when its note ends or moves on, without being of it any more.
        """
        made_from = {ident: job.note.reference for job in jobs for ident in job.compositions}
        newest = {job.composition for job in jobs if not job.error}
        links = [
            (link.source, link.composition, link.key)
            for link in await self._copies.links(list(made_from))
            if link.source != made_from[link.composition]
        ]
        rows = await asyncio.to_thread(named_in, self._parts.ledger, made_from)
        named = {*links, *((row.source, row.composition, row.text_key) for row in rows)}
        looked = {ident for _, ident, _ in named if ident in newest}
        owners = {ident: await self._copies.owner(ident) for ident in looked}
        keys = {ident: owner.key for ident, owner in owners.items() if owner}
        return [source for source, ident, key in named if keys.get(ident) != key]

    async def _seen(self, ident: str) -> Owner | None:
        """The owner by its id, where it can be read."""
        try:
            return await self._copies.owner(ident)
        except HttpStatusError:
            return None

    async def _second(self, jobs: Sequence[Job]) -> list[str]:
        """Of two summaries of one text that came to be side by side, the source of the one that is to end."""
        owners = await self._owners([job.draft.text_key for job in jobs if job.draft])
        found: list[str] = []
        for job in jobs:
            if not job.draft or len(owners.get(job.draft.text_key, ())) < 2:
                continue
            around = Around(owners)
            own = await self._seen(job.composition)
            for other in around.others(job.draft) if own else ():
                job.looked_at.add(other.source)
                pairs = ((own, other), (other, own)) if own else ()
                ending = [one.source for one, stays in pairs if one.yields_to(stays)]
                if ending and await self._is_copy(job.draft, other):
                    found += ending
        return found

    # After the ledger is told.

    async def look_at_ledger(self, jobs: Sequence[Job]) -> None:
        """As `look`, for what another process recorded since on the same ledger, which a search may lack."""
        written = {job.draft.text_key: job for job in jobs if job.changed and job.draft and not job.error}
        found: set[str] = set()
        for row in await asyncio.to_thread(with_summary, self._parts.ledger, written):
            job = written[row.text_key]
            if row.source != job.note.reference and row.source not in job.looked_at:
                both = [await self._seen(ident) for ident in (job.composition, row.composition)]
                owners = [owner for owner in both if owner and owner.key == row.text_key]
                found |= {one.source for one in owners for other in owners if one.yields_to(other)}
        found |= {job.note.reference for job in jobs if job.note.reference in self._again}
        self._again.update(dict.fromkeys(sorted(found)))
        if found:
            await asyncio.to_thread(
                look_again, self._parts.ledger, sorted(found), self._parts.pipeline.version
            )
