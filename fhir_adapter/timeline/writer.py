"""Writes timelines to the server: one Composition for each scope, pipeline name and window.

Once a person has changed or attested it, the next timeline becomes a new Composition after it, as the
summaries of single notes do (`fhir_adapter.writing.writer`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from fhir_adapter import canonical
from fhir_adapter.errors import HttpStatusError, write_fault
from fhir_adapter.lenient import JsonObject, as_dict, as_list, coded, dicts, reference_of
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.searching import search_by
from fhir_adapter.timeline.compare import differences
from fhir_adapter.timeline.composition import (
    WrittenTimeline,
    ids_of,
    timeline_composition,
    timeline_identifier,
    timeline_provenance,
)
from fhir_adapter.timeline.timeline import Timeline, TimelineScope
from fhir_adapter.writing.authorship import AuthorForm
from fhir_adapter.writing.bundles import conditional_transaction, transaction, with_labels_of
from fhir_adapter.writing.confirmed import composition_in
from fhir_adapter.writing.lifecycle import (
    NO_NOTE,
    Withdrawal,
    ended,
    ended_because,
    is_ours,
    read_existing,
    same_sources,
    sealed,
)
from fhir_adapter.writing.linked import Linked
from fhir_adapter.writing.pipeline import Pipeline
from fhir_adapter.writing.registrar import Registrar
from fhir_adapter.writing.retries import Retries
from fhir_adapter.writing.standing import protect

_LONGEST_CHAIN = 1000


class WriteStatus(StrEnum):
    """What became of a timeline on the server."""

    WRITTEN = "written"
    UNCHANGED = "unchanged"
    ATTESTED = "attested"
    WITHDRAWN = "withdrawn"
    STAYS_WITHDRAWN = "stays-withdrawn"
    NOTHING = "nothing"

    @property
    def words(self) -> str:
        """One plain sentence."""
        return _WORDS[self]


_WORDS = {
    WriteStatus.WRITTEN: "The timeline was written.",
    WriteStatus.UNCHANGED: "The server holds just this timeline; nothing was written.",
    WriteStatus.ATTESTED: "A person has taken over the timeline of these notes, so it was left as it is.",
    WriteStatus.WITHDRAWN: "No note is left, so the earlier timeline was marked as entered in error.",
    WriteStatus.STAYS_WITHDRAWN: "The earlier timeline was withdrawn, and nothing in it has changed since.",
    WriteStatus.NOTHING: "There is no note to write a timeline of.",
}


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What became of a timeline; `composition` is `Composition/id`, or "" where there is none."""

    status: WriteStatus
    composition: str = ""

    def to_json(self) -> JsonObject:
        """Part of the document that `clinsum timeline --write --json` prints."""
        return {"status": self.status.value, "composition": self.composition or None}


class TimelineWriter:
    """Writes to one server.

    Args:
        client: the server.
        pipeline: from `timeline_composition.assembler`.
        summaries: name of the pipeline whose sentences are shown.
        retries: how a write is tried again.
        author: how the author is named.
    """

    def __init__(
        self,
        client: FhirClient,
        pipeline: Pipeline,
        summaries: str,
        retries: Retries | None = None,
        author: AuthorForm = "auto",
    ) -> None:
        self._client, self._pipeline, self._summaries = client, pipeline, summaries
        self._client_ids = True
        self._linked = Linked(client)
        self._registrar = Registrar(client, pipeline, author)
        self._retries = retries or Retries()

    async def write(self, timeline: Timeline) -> WriteResult:
        """Writes a timeline unless the server holds just that, or a person's of the same notes.

        Raises:
            NoteError: `rejected-by-server` or `server-error`, with the status and issue codes; `malformed`.
            ServerUnreachableError: no answer after all retries.
            RecalledError: what puts timelines together must not write any more.
        """
        await self._register()

        return await self._retries.run(lambda _: self._attempt(timeline))

    async def _attempt(self, timeline: Timeline) -> WriteResult:
        chain = await self._chain(timeline.scope)
        if not timeline.entries:
            return await self._withdrawn(chain)
        head = chain[-1] if chain else None
        place = head if head and is_ours(head) else None
        before = chain[:-1] if place else chain
        contained = self._registrar.contained
        author = "" if self._client_ids or contained else await self._device()
        written = WrittenTimeline(
            timeline,
            timeline_identifier(timeline.scope, self._summaries, len(before) + 1),
            self._pipeline,
            self._client.base_url,
            f"#{self._pipeline.device_id}" if contained else author,
            str(before[-1]["id"]) if before else "",
        )
        wanted = sealed(timeline_composition(written))
        for person in chain:
            if not is_ours(person):
                await protect(self._client, read_existing(person), written.source_security)
        if head and (self._same(head, wanted) if place else same_sources(head, wanted)):
            over = ended_because(head)
            if over in tuple(Withdrawal):
                return WriteResult(WriteStatus.STAYS_WITHDRAWN, reference_of(head))
            if not over:
                status = WriteStatus.UNCHANGED if place else WriteStatus.ATTESTED
                return WriteResult(status, reference_of(head))
        return await self._put(written, wanted, place)

    async def _put(
        self, written: WrittenTimeline, wanted: JsonObject, place: JsonObject | None
    ) -> WriteResult:
        """Writes it over the version of ours that was read, or as a new one."""
        resources = [with_labels_of(place or {}, wanted), timeline_provenance(written)]
        existing = read_existing(place) if place else None
        signed, contained = (
            self._registrar.signed(resources, wanted.get("subject")),
            self._registrar.contained,
        )
        if self._client_ids:
            bundle = transaction(signed, existing)
        else:
            bundle = conditional_transaction(self._pipeline, signed, existing, contained=contained)
        composition = composition_in(await self._linked.post(bundle))
        if self._client_ids and composition != wanted["id"]:
            self._client_ids = False
        return WriteResult(WriteStatus.WRITTEN, f"Composition/{composition}")

    async def _register(self) -> None:
        """The author, by its own id; a server that refuses it gives out the ids itself."""
        try:
            self._client_ids = await self._registrar.register()
        except HttpStatusError as error:
            raise write_fault(error) from None

    async def _chain(self, scope: TimelineScope) -> list[JsonObject]:
        """The timelines of a scope, oldest first: those that a person has taken over, and what came after."""
        chain: list[JsonObject] = []
        while len(chain) < _LONGEST_CHAIN:
            identifier = timeline_identifier(scope, self._summaries, len(chain) + 1)
            found = await self._existing(identifier)
            if found is None:
                break
            chain.append(found)
        return chain

    async def _existing(self, identifier: str) -> JsonObject | None:
        if self._client_ids:
            return await self._client.read_if_there(f"Composition/{ids_of(identifier)[0]}")
        found = await self._found("Composition", canonical.TIMELINES, identifier)
        # A search may be behind what a person has done to it since.
        return await self._client.read_if_there(reference_of(found)) if found else None

    async def _device(self) -> str:
        device = await self._found("Device", canonical.DEVICES, self._pipeline.device_id)
        return reference_of(device) if device else ""

    async def _found(self, kind: str, system: str, value: str) -> JsonObject | None:
        tagged = [("_tag", "|".join(canonical.TIMELINE_TAG))] if kind == "Composition" else []
        async for page in search_by(self._client, kind, [[("identifier", f"{system}|{value}")], tagged]):
            for resource in page.resources:
                stated = dicts(as_list(resource.get("identifier")))
                if any((i.get("system"), i.get("value")) == (system, value) for i in stated):
                    return resource
        return None

    async def _withdrawn(self, chain: Sequence[JsonObject]) -> WriteResult:
        """No note is left: what is ours ends, and a person's stays."""
        valid = [one for one in chain if one.get("status") != "entered-in-error"]
        ours = [one for one in valid if is_ours(one)]
        for one in ours:
            await self._client.update(ended(one, NO_NOTE), if_match=_version(one))
        if ours:
            return WriteResult(WriteStatus.WITHDRAWN, reference_of(ours[-1]))
        return WriteResult(
            WriteStatus.ATTESTED if valid else WriteStatus.NOTHING, *map(reference_of, valid[-1:])
        )

    def _same(self, existing: JsonObject, wanted: JsonObject) -> bool:
        labels = coded(wanted["meta"]["security"]) <= coded(as_dict(existing.get("meta")).get("security"))
        return labels and not differences(existing, wanted, self._client.base_url)


def _version(resource: JsonObject | None) -> str:
    return str(as_dict((resource or {}).get("meta")).get("versionId", ""))
