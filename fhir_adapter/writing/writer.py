"""Writes summaries to the server, each once, and ends them; a person's work is never overwritten.

Each source has a chain of Compositions, as a rule of one. What this software wrote last is brought up to
date in its place, and only over the version that was read (`If-Match`). Once a person has changed or attested
that, the next summary of the source becomes a new Composition after it, with an id of its own that is the
same in every run and worker.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fhir_adapter import canonical
from fhir_adapter.errors import ConflictError, FhirAdapterError, NoteError, write_fault
from fhir_adapter.lenient import JsonObject, as_dict
from fhir_adapter.reasons import Reason
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.matches import matches
from fhir_adapter.writing.authorship import AuthorForm
from fhir_adapter.writing.bundles import (
    conditional_transaction,
    criteria,
    summary_resources,
    transaction,
)
from fhir_adapter.writing.chains import compositions_at, read_chains
from fhir_adapter.writing.confirmed import composition_in
from fhir_adapter.writing.holding import blocked, doubles, holds, single
from fhir_adapter.writing.lifecycle import (
    Existing,
    Withdrawal,
    read_existing,
)
from fhir_adapter.writing.linked import Linked
from fhir_adapter.writing.links import read_link
from fhir_adapter.writing.pipeline import Pipeline
from fhir_adapter.writing.registrar import Registrar
from fhir_adapter.writing.retries import Retries
from fhir_adapter.writing.standing import end, end_texts, protect
from fhir_adapter.writing.summary import SummaryDraft, summary_identifier, written_id
from fhir_adapter.writing.together import Together, write_new

Chain = tuple[Existing, ...]

_SOURCES = 24  # in one search: keeps the URL of 48 ids under 2 kB, of 48 identifiers under 8 kB
_LONGEST_CHAIN = 1000
_REFUSED = 3  # transactions of several summaries in a row, after which each goes by itself
_SAME_CONFLICT = 3  # conflicts over one state of the server, after which it is no race


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of the summaries of a source that is no longer to be summarised.

    Attributes:
        ids: Compositions that are marked now.
        kept: Compositions that a person has changed or attested, and that stay as they are.
    """

    ids: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


class Writer:
    """Writes to one server under one pipeline.

    Args:
        client: the server.
        pipeline: the author of what is written.
        retries: how a write is tried again after others came first, or after an answer was lost.
        author: how the author is named.
    """

    def __init__(
        self,
        client: FhirClient,
        pipeline: Pipeline,
        retries: Retries | None = None,
        author: AuthorForm = "auto",
    ) -> None:
        self._client = client
        self._pipeline = pipeline
        self._retries = retries or Retries()
        self._client_ids = True
        self._refused = 0  # transactions of several summaries, one after the other
        self._linked = Linked(client)
        self._registrar = Registrar(client, pipeline, author)

    @property
    def pipeline(self) -> Pipeline:
        """The author of what is written."""
        return self._pipeline

    @property
    def client_ids(self) -> bool:
        """Whether the server takes ids from clients, as far as that is known."""
        return self._client_ids

    async def register(self) -> None:
        """Makes sure that the author is there, in the form it has here; call once before the first write.

        Raises:
            RecalledError: this pipeline version, or its model, must not write any more.
            HttpStatusError: the server states `updateCreate` and refuses, or does not let us write at all.
        """
        self._client_ids = await self._registrar.register()

    async def chains(self, sources: Sequence[str]) -> dict[str, Chain]:
        """The summaries of these sources under this pipeline's name, oldest first.

        Args:
            sources: as `Type/id`.

        Returns:
            A chain for each source that has one.

        Raises:
            RecalledError: as `register`; a pass in progress ends with it.
        """
        found: dict[str, list[Existing]] = {}
        open_ends = list(dict.fromkeys(sources))
        if open_ends:
            await self._registrar.check()
        # Two places at a time: the second is almost always empty, which ends the chain.
        for first in range(1, _LONGEST_CHAIN, 2):
            second: set[str] = set()
            parts = [open_ends[i : i + _SOURCES] for i in range(0, len(open_ends), _SOURCES)]
            for there in await asyncio.gather(*(self._at(part, first) for part in parts)):
                for source, one in there:
                    found.setdefault(source, []).append(one)
                    second |= {source} if one.ordinal > first else set()
            open_ends = [source for source in open_ends if source in second]
            if not open_ends:
                break
        return {source: tuple(sorted(chain, key=_ordinal)) for source, chain in found.items()}

    async def chain(self, source: str, known: str = "", found: Chain | None = None) -> Chain:
        """The summaries of one source, read by their ids: a search may be behind what was just written.

        Args:
            source: as `Type/id`.
            known: id of a Composition of it, as far as that is remembered; what a server that gives out the
                ids itself is asked for beside the search.
            found: what such a search gave just now; None to have it made.

        Raises:
            FhirAdapterError: as the client raises it.
        """
        if not self._client_ids:
            if found is None:
                found = (await self.chains([source])).get(source, ())
            wanted = dict.fromkeys(filter(None, [*(one.id for one in found), known]))
            fresh = [await self._by_id(source, ident) for ident in wanted]
            return tuple(sorted((one for one in fresh if one), key=_ordinal))
        chain: list[Existing] = []
        while len(chain) < _LONGEST_CHAIN:
            ordinal = len(chain) + 1
            ident = written_id("Composition", source, self._pipeline.name, ordinal)
            resource = await self._client.look(f"Composition/{ident}")
            if resource is None:
                break
            chain.append(read_existing(resource, ordinal))
        return tuple(chain)

    async def read_together(
        self, drafts: Sequence[SummaryDraft], found: Mapping[str, Chain]
    ) -> dict[str, Chain]:
        """As `chain` of each that is to be written, in one request; call it right before they are.

        Args:
            drafts: of different sources.
            found: what `chains` found for them.

        Returns:
            By source; those are left out of which the one answer does not say all.
        """
        if not self._client_ids:
            return {}
        return await read_chains(self._client, self._pipeline.name, drafts, found)

    async def write_new(self, drafts: Sequence[SummaryDraft]) -> Together:
        """First summaries in one transaction; see `fhir_adapter.writing.together`."""
        # Where summaries contain their author, each patient has a partition, and a transaction is in one.
        if not self._client_ids or self._registrar.contained or self._refused >= _REFUSED:
            return Together({})
        done = await write_new(
            self._linked, drafts, lambda d: self._bundle(summary_resources(d), d.subject, again=False)
        )
        self._refused = self._refused + 1 if done.doubtful else 0
        for draft in drafts:
            source = draft.reading.note.reference
            if source in done.written:
                done.written[source] = await self._standing_as(draft, done.written[source])
        return done

    async def _standing_as(self, written: SummaryDraft, named: str) -> str:
        """The id under which a summary stands that was put to its own, where the answer names another one.

        A server may state that it takes ids from clients, and give out its own; or name what is not there.
        """
        if not self._client_ids or named == written.composition_id:
            return named
        source = written.reading.note.reference
        try:
            if not await self._by_id(source, named) and await self._by_id(source, written.composition_id):
                return written.composition_id
        except FhirAdapterError:
            pass  # the answer is all there is
        self._client_ids = False
        return named

    async def existing(self, ident: str) -> Existing | None:
        """A Composition by its id as it stands now, whichever source it is of; None where it is gone."""
        resource = await self._client.look(f"Composition/{ident}")
        return None if resource is None else read_existing(resource)

    async def _by_id(self, source: str, ident: str) -> Existing | None:
        """A Composition as it stands now; None where it is gone, or no summary of this source."""
        resource = await self._client.look(f"Composition/{ident}")
        return None if resource is None else self._of(source, resource)

    def _of(self, source: str, resource: JsonObject) -> Existing | None:
        """A Composition where it is a summary of this source under this pipeline's name."""
        identifier = as_dict(resource.get("identifier"))
        value = str(identifier.get("value", ""))
        first = summary_identifier(source, self._pipeline.name)
        place = value.removeprefix(f"{first}~") if value != first else "1"
        if identifier.get("system") != canonical.SUMMARIES or not place.isdecimal():
            return None
        return read_existing(resource, int(place))

    async def _at(self, sources: Sequence[str], first: int) -> list[tuple[str, Existing]]:
        """The Compositions of these sources at two places of their chains."""
        places = [(source, n) for source in sources for n in (first, first + 1)]
        return await compositions_at(self._client, self._pipeline.name, places, client_ids=self._client_ids)

    async def write(
        self,
        written: SummaryDraft,
        chain: Chain,
        known: str = "",
        *,
        unsure: bool = False,
        read: Chain | None = None,
    ) -> tuple[str, bool]:
        """Writes one summary unless the server holds just that.

        Before anything is written, the chain is read by its ids, whatever the search said.

        Args:
            written: the summary.
            chain: what `chains` found for its source.
            known: as of `chain`.
            unsure: an earlier attempt failed, so a server that runs batches may hold a part of it alone.
            read: the chain, where it was read by its ids just now (`read_together`).

        Returns:
            The Composition's id, and False where nothing had to be written.

        Raises:
            NoteError: `withdrawn`, `rejected-by-server` or `server-error`, with the status and issue codes.
            ServerUnreachableError: no answer after all retries.
            RecalledError: as `register`.
        """
        source, lost = written.reading.note.reference, False
        conflicts: Counter[tuple[tuple[str, str], ...]] = Counter()

        async def attempt(number: int) -> tuple[str, bool]:
            there = chain
            if number:
                await self._registrar.check()
            if read is not None and not number:
                there = read
            elif number or not chain or not holds(single(chain)[-1], written):
                there = await self.chain(source, known, None if number else chain)
            try:
                spare = doubles(there)
                for one in spare:
                    await end(self._client, one, Reason.COPY)
                again = bool(spare) or (bool(known) and not there)
                return await self._write(written, single(there), again=again, unsure=unsure or number > 0)
            except ConflictError as error:
                stand = tuple((one.id, one.version) for one in there)
                conflicts[stand] += 1
                if error.status == 409 and conflicts[stand] == _SAME_CONFLICT:
                    # Nobody else wrote in between: what it refers to is not there, or the like.
                    raise NoteError(Reason.REJECTED_BY_SERVER, write_fault(error).detail) from None
                raise

        def in_doubt() -> None:
            nonlocal lost
            lost = True

        composition, changed = await self._retries.run(attempt, in_doubt)
        return composition, changed or lost

    async def write_beside(self, resource: JsonObject, patient: object) -> None:
        """Writes what belongs to a patient's Composition, over what has its id or key; raises as `write`."""
        bundle = self._bundle([resource], patient, again=True)

        async def attempt(_: int) -> None:
            await self._linked.post(bundle)

        await self._retries.run(attempt)

    async def _write(
        self, written: SummaryDraft, chain: Chain, *, again: bool, unsure: bool
    ) -> tuple[str, bool]:
        head = chain[-1] if chain else None
        if head and blocked(head, written):
            raise NoteError(Reason.WITHDRAWN, head.ended)
        for person in chain:
            if not person.ours:
                await protect(self._client, person, written.reading.note.security)
        if head and holds(head, written) and not again and not (unsure and await self._lacks(written, head)):
            return head.id, False
        place = head if head and head.ours else None
        if head:
            before = chain[:-1] if place else chain
            ordinal = head.ordinal if place else head.ordinal + 1
            written = replace(written, ordinal=ordinal, replaced=before[-1].id if before else "")
        resources = summary_resources(written, place)
        bundle = self._bundle(resources, written.subject, place, again=again)
        composition = composition_in(await self._linked.post(bundle))
        if not self._client_ids and place is None:
            await self._check_own(written, composition)
        return await self._standing_as(written, composition), True

    async def _check_own(self, written: SummaryDraft, ident: str) -> None:
        """Raises NoteError where a conditional create, its criterion ignored, found another summary."""
        there = await self._client.look(f"Composition/{ident}")
        if there is not None and self._of(written.reading.note.reference, there) is None:
            raise NoteError(Reason.REJECTED_BY_SERVER, "a conditional create found another summary")

    def _bundle(
        self,
        resources: Sequence[JsonObject],
        patient: object,
        place: Existing | None = None,
        *,
        again: bool,
    ) -> JsonObject:
        """What is to be written as a transaction, with its author named as the server takes it."""
        signed, contained = self._registrar.signed(resources, patient), self._registrar.contained
        if self._client_ids:
            return transaction(signed, place)
        return conditional_transaction(self._pipeline, signed, place, again=again, contained=contained)

    async def _lacks(self, written: SummaryDraft, head: Existing) -> bool:
        """Whether something that belongs to our Composition is not there."""
        own = replace(written, ordinal=head.ordinal)
        for resource in summary_resources(own, head) if head.ours else ():
            kind = resource["resourceType"]
            if kind == "Composition":
                continue
            if self._client_ids:
                found = [await self._client.look(f"{kind}/{resource['id']}")]
            else:
                name, _, value = criteria(resource).partition("=")
                found = [one async for one in matches(self._client, kind, [(name, value)])]
            # A Provenance may still name the source in the summary of another one.
            if not any(one and read_link(one, self._client.base_url) is None for one in found):
                return True
        return False

    async def end(self, source: str, why: str, chain: Chain) -> Ended:
        """Marks the summaries of a source as no longer current; a person's stay as they are.

        Args:
            source: `Type/id`.
            why: a reason code of the note.
            chain: what `chains` found for the source.

        Raises:
            NoteError, ServerUnreachableError: as `write`.
        """

        async def attempt(number: int) -> Ended:
            if number:
                await self._registrar.check()
            there = await self.chain(source, "", None if number else chain)
            for one in there:
                if one.ours and one.ended not in (why, *Withdrawal):
                    await end(self._client, one, why)
                elif one.ours and one.ended == why:
                    await end_texts(self._client, one, why)
            return Ended(
                ids=tuple(c.id for c in there if c.ours),
                kept=tuple(c.id for c in there if not c.ours and not c.in_error),
            )

        return await self._retries.run(attempt)


def _ordinal(existing: Existing) -> int:
    return existing.ordinal
