"""A patient's or an encounter's timeline, read from the server alone.

Every summary is audited first. A sentence that does not stand in its source word for word is never shown,
nor is any of a note that has changed since, is gone, or is filed under another patient.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Set
from dataclasses import replace

from fhir_adapter import canonical
from fhir_adapter.audit.claims import Claims, Span
from fhir_adapter.audit.findings import Finding
from fhir_adapter.audit.sources import SourceRead
from fhir_adapter.audit.verdict import AuditedSentence, Examined, Examining, Kind, SectionAudit, Subject
from fhir_adapter.errors import NoteError
from fhir_adapter.lenient import JsonObject, as_dict, dicts, has_tag, reference_of, relative
from fhir_adapter.reading.authors import Authors
from fhir_adapter.reading.policy import Policy, ineligible
from fhir_adapter.reading.source_note import read_source
from fhir_adapter.reasons import Reason
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.searching import search_by
from fhir_adapter.timeline.bare import Reasons, bare_notes, notes_in
from fhir_adapter.timeline.building import build
from fhir_adapter.timeline.merges import Merges
from fhir_adapter.timeline.notes import timeline_note
from fhir_adapter.timeline.pieces import Context, PinnedLine, Place, number_before
from fhir_adapter.timeline.proofs import Proofs, Proven
from fhir_adapter.timeline.timeline import (
    BareNote,
    LeftOut,
    Remark,
    Timeline,
    TimelineError,
    TimelineNote,
    TimelineScope,
)
from fhir_adapter.writing import recall
from fhir_adapter.writing.lifecycle import Withdrawal, ended_because

# With one of these no sentence is shown: what it says of the patient is not proven to be so, or no longer so.
_NOT_SHOWN = (
    Finding.NOT_OURS,
    Finding.SOURCE_GONE,
    Finding.SOURCE_CHANGED,
    Finding.SOURCE_UNREADABLE,
    Finding.SOURCE_MISMATCH,
    Finding.SUBJECT_DIFFERS,
    Finding.EXTRACTOR_DIFFERS,
    Finding.TEXT_DIFFERS,
    Finding.EXTRACTED_TEXT_DIFFERS,
    Finding.WRONG_PLACE,
    Finding.UNIT_UNKNOWN,
)
_IN_ERROR = "entered-in-error"
_IN_PART = ("http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "SUBSETTED")
_REPLACED = "replaced"


class TimelineReader:
    """Reads timelines of one server.

    Args:
        client: the server.
        auditor: of the same server.
        pipeline: the name of the kind of summary whose sentences are shown.
        page_size: Compositions in one page of the server's answers.
        concurrency: audits at a time.
        reasons: asked why notes have no summary; without it nothing but the server is.
        proofs: of the same server with the same rights, kept from earlier readings.
    """

    def __init__(
        self,
        client: FhirClient,
        auditor: Examining,
        pipeline: str,
        page_size: int = 50,
        concurrency: int = 8,
        reasons: Reasons | None = None,
        proofs: Proofs | None = None,
    ) -> None:
        self._client, self._auditor, self._pipeline, self._reasons = client, auditor, pipeline, reasons
        self._merges = Merges(client)
        self._page_size, self._slots = page_size, asyncio.Semaphore(concurrency)
        self._proofs = proofs or Proofs()

    async def read(
        self, reference: str, since: str = "", until: str = "", *, authors: bool = False
    ) -> Timeline:
        """The timeline of `Patient/id` or `Encounter/id`.

        Args:
            reference: whose.
            since: a day, or "" for no bound.
            until: a day, or "" for no bound.
            authors: ask also for the names of those who wrote the notes, where notes refer to them alone.

        Raises:
            ValueError: a bound is no date, or the reference is neither.
            TimelineError: the server has neither that patient or encounter nor any summary of it.
            FhirAdapterError: as the client raises it.
        """
        kind, _, ident = reference.partition("/")
        if kind not in ("Patient", "Encounter") or not ident or "/" in ident:
            raise ValueError("a timeline is that of Patient/ID or Encounter/ID")
        there = await self._client.read_if_there(reference)
        if kind == "Patient":
            scope = await self._patient_scope(reference, there)
        else:
            scope = await self._encounter_scope(reference, there)
        one_way = bool(scope.patients) and not await self._merges.searchable()
        scope = replace(scope, since=since, until=until, one_way=one_way)
        recalled = {one.reference for one in await recall.authors(self._client, ("Device",)) if one.recalled}
        gathered = _Gathered(scope, self._client.base_url, recalled)
        notes = await notes_in(self._client, scope, self._page_size)
        async for resource, proven in self._proven(scope, notes):
            gathered.add(resource, proven)
        if there is None and not gathered:
            raise TimelineError(f"There is no such {kind.lower()} on the server, nor any summary of one.")
        shown = gathered.sources()
        bare = await bare_notes(notes.values(), self._client.base_url, shown, self._reasons)
        if authors:
            names = Authors(self._client)
            await gathered.name(names)
            named = await names.named(one.note for one in bare)
            bare = [replace(one, note=note) for one, note in zip(bare, named, strict=True)]
        return gathered.timeline(bare)

    async def _patient_scope(self, reference: str, there: JsonObject | None) -> TimelineScope:
        survivor = await self._merges.survivor(reference, there)
        patients = await self._merges.merged_into(survivor)
        if reference not in patients:
            patients = (*patients, reference)
        return TimelineScope(survivor, patients, asked=reference if survivor != reference else "")

    async def _encounter_scope(self, reference: str, there: JsonObject | None) -> TimelineScope:
        subject = self._relative(as_dict((there or {}).get("subject")))
        if not subject.startswith("Patient/"):
            return TimelineScope(reference, ())
        survivor = await self._merges.survivor(subject, await self._client.read_if_there(subject))
        return TimelineScope(reference, await self._merges.merged_into(survivor))

    async def _proven(
        self, scope: TimelineScope, notes: Mapping[str, JsonObject]
    ) -> AsyncIterator[tuple[JsonObject, Proven | None]]:
        """Each summary in scope with its proof; None for one that was withdrawn."""
        whole = {name: note for name, note in notes.items() if not has_tag(note, _IN_PART)}
        system, tag = canonical.SUMMARY_TAG
        parameter, value = "subject", ",".join(scope.patients)
        if scope.reference.startswith("Encounter/"):
            parameter, value = "encounter", scope.reference
        wanted = value.split(",")  # looked at, since a server may ignore a parameter
        asked_for, tagged = (parameter, value), ("_tag", f"{system}|{tag}")
        count = ("_count", str(self._page_size))
        of_patient = [("subject", ",".join(scope.patients)), count]
        ways = [[asked_for, tagged, count], [asked_for, count], of_patient, [tagged, count], [count]]
        seen: set[str] = set()
        async for page in search_by(self._client, "Composition", ways):
            asked = [r for r in page.resources if self._relative(as_dict(r.get(parameter))) in wanted]
            mine = [r for r in asked if self._of_pipeline(r) and reference_of(r) not in seen]
            seen.update(map(reference_of, mine))
            valid = [resource for resource in mine if resource.get("status") != _IN_ERROR]
            for resource in mine:
                if resource.get("status") == _IN_ERROR:
                    yield resource, None
            subjects = await self._auditor.subjects(valid, whole)
            kept = await self._proofs.found(self._client, subjects)
            proofs = await asyncio.gather(*map(self._proof, subjects, kept))
            for pair in zip(valid, proofs, strict=True):
                yield pair

    def _relative(self, reference: JsonObject) -> str:
        return relative(reference.get("reference"), self._client.base_url)

    async def _proof(self, subject: Subject, kept: Proven | None) -> Proven:
        if kept is not None:
            return kept
        async with self._slots:
            examined = await self._auditor.proven(subject)
        proven = taken(subject.resource, examined)
        await self._proofs.keep(subject, examined, proven)
        return proven

    def _of_pipeline(self, resource: JsonObject) -> bool:
        """By its identifier, `Type-id.name`; a number after `~` tells summaries of one note apart."""
        identifier = as_dict(resource.get("identifier"))
        value = str(identifier.get("value", ""))
        name = value.partition(".")[2]  # ids of servers may hold dots, so that of the note is cut off first
        entry = (dicts((dicts(resource.get("section")) or [{}])[0].get("entry")) or [{}])[0]
        stem = self._relative(entry).replace("/", "-", 1)
        if stem and value.startswith(f"{stem}."):
            name = value[len(stem) + 1 :]
        return name == self._pipeline or name.startswith(f"{self._pipeline}~")


class _Gathered:
    """What was read of one scope so far; holds sentences, never whole notes."""

    def __init__(self, scope: TimelineScope, base_url: str, recalled: Set[str]) -> None:
        self._scope, self._base_url, self._recalled = scope, base_url, recalled
        self._notes: list[TimelineNote] = []
        self._left_out: list[LeftOut] = []
        self._remarks: list[Remark] = []
        self._replaced: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._notes or self._left_out)

    def add(self, resource: JsonObject, proven: Proven | None) -> None:
        composition = reference_of(resource)
        if proven is None:
            entry = (dicts((dicts(resource.get("section")) or [{}])[0].get("entry")) or [{}])[0]
            source = relative(entry.get("reference"), self._base_url)
            self._left_out.append(LeftOut(composition, source, _IN_ERROR))
            return
        self._replaced.update(
            relative(as_dict(relation.get("targetReference")).get("reference"), self._base_url)
            for relation in dicts(resource.get("relatesTo"))
            if relation.get("code") == "replaces"
        )
        if proven.kind is not Kind.SUMMARY:  # a timeline that somebody tagged as a summary too
            self._left_out.append(LeftOut(composition, "", Finding.NOT_OURS.value))
            return
        source = proven.source
        ended = ended_because(resource)
        if not ended and (proven.recalled or self._recalled & set(proven.authors)):
            ended = Withdrawal.RECALLED.value  # also one that a person signed, and that the recall left
        if ended:
            self._left_out.append(LeftOut(composition, source, ended))
            return
        if proven.in_error:
            self._left_out.append(LeftOut(composition, source, _IN_ERROR, "the note itself"))
            return
        found = list(proven.found)
        subject = relative(as_dict(resource.get("subject")).get("reference"), self._base_url)
        if self._scope.patients and subject not in self._scope.patients:
            found.append((Finding.SUBJECT_DIFFERS, "another patient than the encounter's"))
        self._remarks += [Remark(composition, source, *one) for one in found]
        bars = [one for one in found if one[0] in _NOT_SHOWN]
        if bars:
            self._left_out.append(LeftOut(composition, source, bars[0][0].value, bars[0][1]))
        elif proven.note:
            self._notes.append(proven.note)

    def sources(self) -> set[str]:
        """The notes that a summary is shown of, also those that it names beside the first."""
        return {source for note in self._notes for source in (note.note.reference, *note.copies)}

    async def name(self, authors: Authors) -> None:
        """Gives the notes the names of who wrote them."""
        named = await authors.named(note.note for note in self._notes)
        pairs = zip(self._notes, named, strict=True)
        self._notes = [replace(shown, note=note) for shown, note in pairs]

    def timeline(self, bare: Iterable[BareNote]) -> Timeline:
        """The timeline of what was gathered, with one summary for each source, and of notes without one."""
        why = {left.source: left.reason for left in self._left_out if left.source}
        told = [replace(one, reason=why.get(one.source, one.reason)) for one in bare]
        kept: dict[str, TimelineNote] = {}
        left_out = [left for left in self._left_out if left.composition not in self._replaced]
        replaced = [left for left in self._left_out if left.composition in self._replaced]
        left_out += [LeftOut(left.composition, left.source, _REPLACED) for left in replaced]
        for note in sorted(self._notes, key=lambda note: note.composition):
            source = note.note.reference
            if note.composition in self._replaced or source in kept:
                left_out.append(LeftOut(note.composition, source, _REPLACED))
            else:
                kept[source] = note
        remarks = [remark for remark in self._remarks if remark.composition not in self._replaced]
        return build(
            self._scope,
            kept.values(),
            sorted(left_out, key=lambda left: left.composition),
            sorted(remarks, key=lambda remark: (remark.composition, remark.finding, remark.detail)),
            told,
        )


def taken(resource: JsonObject, examined: Examined) -> Proven:
    """What a timeline needs of an audit."""
    section, found = examined.sections[0], examined.audit.findings
    shown = examined.kind is Kind.SUMMARY and not any(finding in _NOT_SHOWN for finding, _ in found)
    return Proven(
        kind=examined.kind,
        source=section.claims.source,
        authors=section.claims.authors,
        recalled=any(maker.recalled for maker in examined.makers),
        in_error=_in_error(section.source),
        found=found,
        note=_note_of(resource, section) if shown else None,
    )


def _in_error(source: SourceRead) -> bool:
    """Whether the note itself is entered in error now."""
    if source.current is None:
        return False
    try:
        same = source.reading if source.current is source.stated else None
        note = same.note if same else read_source(source.current)
        return ineligible(note, Policy()) is Reason.ENTERED_IN_ERROR
    except NoteError:
        return False


def _note_of(resource: JsonObject, section: SectionAudit) -> TimelineNote:
    claims, reading = section.claims, section.source.reading
    if reading is None:  # would have been a finding that bars the note
        raise TimelineError("a summary was taken for verified without its text")
    places = tuple(
        replace(_place(claims, span, sentence), number=number_before(reading.text.text, sentence.start))
        for span, sentence in zip(claims.spans, section.sentences, strict=True)
        if sentence.ok
    )
    stated = section.source.stated or {}
    pinned = _pinned(section)
    note = timeline_note(claims, reading, stated, claims.authors, reference_of(resource), places, pinned)
    copies = tuple(copy.source for copy in section.copies if copy.ok)
    return replace(note, copies=copies, total=section.total)


def _pinned(section: SectionAudit) -> list[PinnedLine]:
    """The lines that rules found, as far as they hold."""
    if section.pinned is None:
        return []
    spans = section.pinned.claims.spans
    return [
        PinnedLine(_place(section.claims, span, line), rule.head, rule.rule, rule.version)
        for span, (rule, line) in zip(spans, section.pinned.named, strict=True)
        if rule and line.ok
    ]


def _place(claims: Claims, span: Span, sentence: AuditedSentence) -> Place:
    return Place(
        composition=claims.composition,
        source=claims.source,
        version=claims.version,
        reference=span.reference,
        path=span.path,
        start=sentence.start,
        end=sentence.end,
        text=sentence.text,
        score=sentence.score,
        context=tuple(Context(c.start, c.end, c.kind, c.text) for c in sentence.context),
    )
