"""Proves a timeline from the server alone: every sentence in every place that it names.

Each section is taken for the summary of its note, and the note's stated version and text are read again.
What the sources give, in their clinical order, is then built anew and compared with what is there.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from fhir_adapter import canonical
from fhir_adapter.audit.claims import Claims, Span, read_claims
from fhir_adapter.audit.context import Rules, against_rules, arranged, expected, told
from fhir_adapter.audit.findings import Finding, Found
from fhir_adapter.audit.shape import ANCHOR, good_status, less_protected, names_version
from fhir_adapter.audit.sources import SourceRead, Sources, same_text
from fhir_adapter.audit.verdict import AuditedSentence, Kind, Proof, SectionAudit, Subject
from fhir_adapter.audit.witnesses import Devices, Witnesses, strangers
from fhir_adapter.errors import NoteError
from fhir_adapter.lenient import JsonObject, as_dict, coded, dicts, relative
from fhir_adapter.narrative import FORM
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.timeline.building import in_order
from fhir_adapter.timeline.clinical_time import readable
from fhir_adapter.timeline.compare import differences
from fhir_adapter.timeline.composition import WrittenTimeline, ordinal_of, scope_of, timeline_composition
from fhir_adapter.timeline.merges import Merges
from fhir_adapter.timeline.notes import timeline_note
from fhir_adapter.timeline.pieces import Context, Place
from fhir_adapter.timeline.places import audited_places
from fhir_adapter.timeline.timeline import (
    Timeline,
    TimelineEntry,
    TimelineNote,
    TimelineScope,
    TimelineSentence,
    title_of,
)
from fhir_adapter.writing.pipeline import Pipeline
from fhir_adapter.writing.summary import UNIT
from summarizer.types import ModelInfo

_AT_ONCE = 8  # sources read at a time


# A span with the numbers of its section and of itself there, from 0.
_Numbered = tuple[tuple[int, int], Span]


@dataclass(frozen=True, slots=True)
class _NoteRead:
    """One source read again.

    Attributes:
        source: as the server has it, without its text.
        note: with its times; None where its text cannot be read.
        held: what stands at each place in it.
        ruled: as of `SectionAudit`.
        unruly: ids of sentences that are none by the rules, or whose context is not theirs.
    """

    source: SourceRead
    note: TimelineNote | None = None
    found: tuple[Found, ...] = ()
    held: Mapping[tuple[int, int], str] = field(default_factory=dict)
    ruled: bool = False
    unruly: Mapping[str, Sequence[Finding]] = field(default_factory=dict)


def sections_of(resource: JsonObject, base_url: str) -> list[Claims]:
    """What each section claims of its note: the description of the text that goes with it, and its spans."""
    texts = [e for e in dicts(resource.get("extension")) if e.get("url") == canonical.SOURCE_TEXT]
    sections = dicts(resource.get("section"))
    found = []
    for index, section in enumerate(sections):
        part = {**resource, "extension": texts[index : index + 1], "section": [section]}
        claims = read_claims(part, base_url)
        if "text" not in section:
            claims = replace(claims, items=(), narrative_error="", plain_list=True)
        found.append(claims)
    return found


@dataclass(frozen=True, slots=True)
class _Stated:
    """A timeline as its sections state it; notes and places go with the sections, in their order."""

    scope: TimelineScope
    sections: Sequence[Claims]
    places: Sequence[tuple[AuditedSentence, ...]]
    notes: list[TimelineNote]

    def entries(self) -> Iterator[TimelineEntry]:
        """The entries that the stated places give."""
        for claims, places, note in zip(self.sections, self.places, self.notes, strict=True):
            grouped: dict[str, list[Place]] = {}
            for span, found in zip(claims.spans, places, strict=True):
                context = tuple(Context(c.start, c.end, c.kind, c.text) for c in found.context)
                at = (span.reference, span.path, found.start, found.end)
                place = Place("", "", "", *at, found.text, span.score, context)
                grouped.setdefault(span.link, []).append(place)
            yield TimelineEntry(note, tuple(TimelineSentence(tuple(places)) for places in grouped.values()))


class TimelineAuditor:
    """Audits timelines of one server. Arguments as of `SummaryAuditor`."""

    def __init__(
        self,
        client: FhirClient,
        sources: Sources,
        witnesses: Witnesses,
        label: tuple[str, str],
        rules: Rules | None,
    ) -> None:
        self._client, self._sources, self._witnesses, self._label = client, sources, witnesses, label
        self._rules = rules
        self._merges = Merges(client)

    async def prove(self, subject: Subject) -> Proof:
        """Everything that is wrong with a timeline just read."""
        resource = subject.resource
        sections = sections_of(resource, self._client.base_url)
        scope = self._scope(resource)
        if not sections or not all(claims.source and claims.sha256 for claims in sections):
            unread = tuple(SectionAudit(claims) for claims in sections)
            return Proof(Kind.TIMELINE, scope.reference, unread, ((Finding.NOT_OURS, ""),))
        form = await self._form(sections, subject.devices)
        found = _shape(resource, sections, self._label, form)
        found += await self._authors(sections, subject.devices)
        found += self._witnesses.provenance_of_all(sections, subject.provenances)
        texts = await self._origins(sections)
        slots = asyncio.Semaphore(_AT_ONCE)
        spans = _spans_by_source(texts, sections)
        reads = await asyncio.gather(
            *(self._note(claims, spans.get(claims.source, []), subject, slots) for claims in sections)
        )
        held = {number: text for read in reads for number, text in read.held.items()}
        unruly = {link for read in reads for link in read.unruly}
        places, wrong = audited_places(sections, held, texts, unruly)
        found += [one for read in reads for one in read.found] + wrong
        notes = [read.note for read in reads if read.note is not None]
        if len(notes) == len(reads):
            found += await self._subjects(scope, notes)
            found += self._compared(resource, _Stated(scope, sections, places, notes))
        audited = map(_section, sections, places, reads)
        return Proof(Kind.TIMELINE, scope.reference, tuple(audited), tuple(dict.fromkeys(found)))

    def _scope(self, resource: JsonObject) -> TimelineScope:
        identifier = str(as_dict(resource.get("identifier")).get("value", ""))
        reference, since, until = scope_of(identifier)
        subject = self._relative(resource.get("subject"))
        patients = (reference,) if reference.startswith("Patient/") else (subject,) if subject else ()
        try:
            return TimelineScope(reference, patients, since=since, until=until)
        except ValueError:
            return TimelineScope(reference, patients)

    async def _form(self, sections: Sequence[Claims], devices: Devices) -> int:
        """Of the narratives, as what put the timeline together writes them."""
        authors = sections[0].authors
        maker = await self._witnesses.maker(devices, authors[0] if authors else "")
        return maker.form if maker else max(claims.form for claims in sections)

    def _relative(self, reference: object) -> str:
        return relative(as_dict(reference).get("reference"), self._client.base_url)

    async def _authors(self, sections: Sequence[Claims], devices: Devices) -> list[Found]:
        """First what put the timeline together, then exactly what the sections name."""
        authors = sections[0].authors
        chosen = sorted({author for claims in sections for author in claims.section_authors})
        if not authors or list(authors) != list(dict.fromkeys([authors[0], *chosen])):
            return [(Finding.AUTHOR_MISSING, "author")]
        if any(len(claims.section_authors) != 1 for claims in sections):
            return [(Finding.AUTHOR_MISSING, "section.author")]
        named = dict.fromkeys((claims.section_authors[0], claims.pipeline) for claims in sections)
        found = await self._witnesses.device(devices, authors[0])
        for reference, pipeline in named:
            found += await self._witnesses.device(devices, reference, pipeline)
        return found + strangers(sections[0], (*authors, *chosen))

    async def _origins(self, sections: Sequence[Claims]) -> dict[str, str]:
        """`Type/id` of what holds a text to the source whose text it is; "" where that is none of them."""
        sources = {claims.source for claims in sections}
        references = {span.reference for claims in sections for span in claims.spans}
        found = {source: source for source in sources}
        slots = asyncio.Semaphore(_AT_ONCE)

        async def origin(reference: str) -> str:
            async with slots:
                resource = await self._client.read_if_there(reference) or {}
            relations = [as_dict(relation.get("target")) for relation in dicts(resource.get("relatesTo"))]
            related = dicts(as_dict(resource.get("context")).get("related"))
            return next((t for t in map(self._relative, [*relations, *related]) if t in sources), "")

        others = sorted(reference for reference in references - sources if reference)
        found |= dict(zip(others, await asyncio.gather(*map(origin, others)), strict=True))
        return found

    async def _note(
        self,
        claims: Claims,
        mine: Sequence[_Numbered],
        subject: Subject,
        slots: asyncio.Semaphore,
    ) -> _NoteRead:
        """One source read again, what is wrong with it, and what stands at the places in it."""
        async with slots:
            read = await self._sources.read(claims)
            reading = read.reading
            if reading is None or read.stated is None:
                return _NoteRead(read, found=tuple(read.found))
            author = claims.section_authors[0] if claims.section_authors else ""
            maker = await self._witnesses.maker(subject.devices, author)
            found = [*read.found, *same_text(claims, reading.text, maker.form if maker else claims.form)]
            found += less_protected(subject.resource, reading.note)
            for reference, path in dict.fromkeys((span.reference, span.path) for _, span in mine):
                found += await self._sources.place(claims, reference, path, reading)
            wanted = await asyncio.to_thread(expected, reading.text, claims, maker, self._rules)
        unruly = {} if wanted is None else against_rules(claims, wanted.contexts)
        found += told(unruly)
        text, held = reading.text.text, {}
        for number, span in mine:
            end = span.offset + span.length
            if 0 <= span.offset < end <= len(text):
                held[number] = text[span.offset : end]
            else:
                found.append((Finding.OFFSET_OUTSIDE, f"{number[0] + 1}.{number[1] + 1}"))
        note = timeline_note(claims, reading, read.stated, claims.section_authors)
        kept = SourceRead(read.current, read.stated, read.changed, read.replaced)
        return _NoteRead(kept, note, tuple(found), held, wanted is not None, unruly)

    async def _subjects(self, scope: TimelineScope, notes: Sequence[TimelineNote]) -> list[Found]:
        """Every note is of the patient, or of one merged into them, and of the encounter if there is one."""
        patients: Sequence[str] = scope.patients
        stated = {self._relative(note.note.subject) for note in notes}
        if patients and not stated <= set(patients):
            patients = await self._merges.merged_into(patients[0])
        found: list[Found] = []
        encounter = scope.reference.startswith("Encounter/")
        for number, note in enumerate(notes, 1):
            other = patients and self._relative(note.note.subject) not in patients
            elsewhere = encounter and self._relative(note.note.encounter) != scope.reference
            if other or elsewhere:
                found.append((Finding.SUBJECT_DIFFERS, f"section {number}"))
        return found

    def _replaced(self, resource: JsonObject) -> str:
        """Id of the Composition that this one says it replaces, where it names just one."""
        relations = dicts(resource.get("relatesTo"))
        targets = [self._relative(r.get("targetReference")) for r in relations if r.get("code") == "replaces"]
        return targets[0].removeprefix("Composition/") if len(targets) == 1 else ""

    def _compared(self, resource: JsonObject, stated: _Stated) -> list[Found]:
        """The timeline that these sources and places give, against the one that is there."""
        found: list[Found] = []
        if in_order(stated.notes) != stated.notes:
            found.append((Finding.WRONG_ORDER, "of the notes"))
        model = ModelInfo("", "", "")
        identifier = str(as_dict(resource.get("identifier")).get("value", ""))
        later = ordinal_of(identifier) > 1
        replaced = self._replaced(resource) if later else ""
        if later and not replaced:
            found.append((Finding.ELEMENT_DIFFERS, "relatesTo"))
        authors = stated.sections[0].authors
        written = WrittenTimeline(
            Timeline(stated.scope, tuple(stated.entries())),
            identifier,
            Pipeline("", "", model, label=(*self._label, "")),
            self._client.base_url,
            authors[0] if authors else "",
            replaced,
            form=1 if any(claims.form == 1 for claims in stated.sections) else FORM,
        )
        try:
            wanted = timeline_composition(written)
        except NoteError as error:
            return [*found, (Finding.ELEMENT_DIFFERS, error.reason.value)]
        for name in differences(resource, wanted, self._client.base_url):
            narrative = name.endswith("].text")
            if narrative and any(not place.ok for places in stated.places for place in places):
                continue  # told already, sentence by sentence
            mismatch = name == "event" or name.endswith(".entry")
            finding = Finding.SOURCE_MISMATCH if mismatch else Finding.ELEMENT_DIFFERS
            found.append((Finding.NARRATIVE_CHANGED if narrative else finding, name))
        return found


def _spans_by_source(texts: dict[str, str], sections: Sequence[Claims]) -> dict[str, list[_Numbered]]:
    """The spans of all sections by the source whose text they point into."""
    found: dict[str, list[_Numbered]] = {}
    for i, claims in enumerate(sections):
        for j, span in enumerate((*claims.spans, *claims.contexts)):
            found.setdefault(texts.get(span.reference, ""), []).append(((i, j), span))
    return found


def _shape(
    resource: JsonObject, sections: Sequence[Claims], label: tuple[str, str], form: int
) -> list[Found]:
    """Findings that need nothing but the Composition."""
    found: list[Found] = []
    first = sections[0]
    if label not in first.labels:
        found.append((Finding.LABEL_REMOVED, label[1]))
    if canonical.TIMELINE_TAG not in coded(as_dict(resource.get("meta")).get("tag")):
        found.append((Finding.ELEMENT_DIFFERS, "meta.tag"))
    if not good_status(first.status, bool(resource.get("attester"))):
        found.append((Finding.STATUS_WRONG, ""))
    described = [e for e in dicts(resource.get("extension")) if e.get("url") == canonical.SOURCE_TEXT]
    sources = [claims.source for claims in sections]
    if len(described) != len(sections) or len(set(sources)) != len(sources):
        found.append((Finding.SOURCE_MISMATCH, "source-text"))
    for number, claims in enumerate(sections, 1):
        where = f"section {number}"
        if claims.narrative_error:
            found.append((Finding.NARRATIVE_UNREADABLE, f"{where}: {claims.narrative_error}"))
        if not claims.plain_list or claims.form not in (0, form):
            found.append((Finding.NARRATIVE_CHANGED, where))
        if claims.sections != 1:
            found.append((Finding.SECTION_ADDED, where))
        if claims.unit != UNIT:
            found.append((Finding.UNIT_UNKNOWN, where))
        if not names_version(claims.source_url, claims.source, claims.version):
            found.append((Finding.SOURCE_MISMATCH, where))
        found += arranged(claims)
    return found + _anchors(sections)


def _anchors(sections: Sequence[Claims]) -> list[Found]:
    """Sentences are numbered from 1 throughout, each with its spans beside it, in one order."""
    found: list[Found] = []
    shown = [anchor for claims in sections for anchor, _ in claims.items]
    for anchor, count in Counter(shown).items():
        if count > 1:
            found.append((Finding.DUPLICATE_ID, f"number {shown.index(anchor) + 1}"))
    if shown != [f"s{number}" for number in range(1, len(shown) + 1)]:
        found.append((Finding.WRONG_ORDER, "of the ids"))
    for number, claims in enumerate(sections, 1):
        here = {anchor for anchor, _ in claims.items}
        linked = [span.link for span in claims.spans]
        for span in claims.spans:
            if not span.well_formed or span.rule is not None or not ANCHOR.fullmatch(span.link):
                found.append((Finding.SPAN_MALFORMED, f"section {number}"))
            if span.link not in here:
                found.append((Finding.SPAN_WITHOUT_SENTENCE, f"section {number}"))
        if here - set(linked):
            found.append((Finding.SPAN_MISSING, f"section {number}"))
        firsts = list({span.link: span for span in reversed(claims.spans)}.values())[::-1]
        order = [(span.offset, span.offset + span.length) for span in firsts]
        if any(a[1] > b[0] for a, b in pairwise(order)) or linked != sorted(linked, key=_number):
            found.append((Finding.WRONG_ORDER, f"section {number}"))
    return found


def _number(anchor: str) -> int:
    match = ANCHOR.fullmatch(anchor)
    return int(match[1]) if match else 0


def _section(claims: Claims, places: tuple[AuditedSentence, ...], read: _NoteRead) -> SectionAudit:
    title = ""
    if read.note is not None:
        kind = " ".join(title_of(read.note.note).split())
        title = f"{kind}, {readable(read.note.times.clinical.value)}"
    return SectionAudit(claims, places, read.source, read.note is not None, title, read.ruled)
