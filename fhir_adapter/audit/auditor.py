"""Proves from the server alone that every sentence of a Composition stands in its source.

Nothing of ours is trusted: the Composition and the version of the source that it names are read again, the
text is extracted again, and every claim is compared.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from fhir_adapter.audit.claims import Claims, Span, read_claims
from fhir_adapter.audit.findings import Finding, Found
from fhir_adapter.audit.record import Maker, Record, read_maker, read_record
from fhir_adapter.audit.shape import against_source, shape
from fhir_adapter.audit.sources import SourceRead, Sources, same_text
from fhir_adapter.audit.witnesses import Devices, Witnesses
from fhir_adapter.lenient import JsonObject
from fhir_adapter.narrative import displayed
from fhir_adapter.reading.attachment import FetchLimits
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.text import Extractor
from fhir_adapter.timeline.auditor import TimelineAudit, TimelineAuditor
from fhir_adapter.writing.lifecycle import is_timeline


@dataclass(frozen=True, slots=True)
class AuditedSentence:
    """One sentence as claimed.

    Attributes:
        text: what the source holds at the offsets; "" where that could not be read.
        shown: what the narrative shows under the sentence's id; "" where it shows nothing.
        source: `Type/id` of the note, in a timeline, which has many; else "".
    """

    start: int
    end: int
    text: str
    score: float | None
    ok: bool
    shown: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Audit:
    """The verdict over one Composition.

    Attributes:
        source: `Type/id` of the note; for a timeline, of the patient or encounter.
        findings: each with a short hint (a number, a version), never note text.
        unproven: sentences shown that no offsets vouch for.
        version: of the source, as stated.
        author: `Device/id`, as stated.
    """

    composition: str
    source: str
    sentences: tuple[AuditedSentence, ...]
    findings: tuple[Found, ...]
    unproven: tuple[str, ...] = ()
    version: str = ""
    author: str = ""

    @property
    def ok(self) -> bool:
        """True where nothing was found."""
        return not self.findings

    def to_json(self) -> JsonObject:
        """The line that `clinsum audit --json` prints."""
        return {
            "composition": self.composition,
            "ok": self.ok,
            "source": self.source,
            "version": self.version,
            "author": self.author,
            "sentences": [
                {
                    "start": s.start,
                    "end": s.end,
                    "text": s.text,
                    "shown": s.shown,
                    "score": s.score,
                    "ok": s.ok,
                    **({"source": s.source} if s.source else {}),
                }
                for s in self.sentences
            ],
            "unproven": list(self.unproven),
            "problems": [
                {"code": finding.value, "detail": detail, "message": finding.words}
                for finding, detail in self.findings
            ],
        }


@dataclass(frozen=True, slots=True)
class Examined:
    """An audit with what was read for it.

    Attributes:
        claims: what the Composition states; of a timeline, its first section.
        source: the note; nothing for a timeline, which has many.
        record: the Composition apart from its sentences.
        makers: the Devices among its authors that are on the server.
        provenances: `Provenance/id` of those that point at it.
        timeline: what was found of each note, where it is one.
    """

    audit: Audit
    claims: Claims
    source: SourceRead
    record: Record
    makers: tuple[Maker, ...] = ()
    provenances: tuple[str, ...] = ()
    timeline: TimelineAudit | None = None


@dataclass(frozen=True, slots=True)
class _Subject:
    """A Composition just read, what points at it, and the Devices of its batch."""

    resource: JsonObject
    provenances: list[JsonObject]
    devices: Devices


class Auditor:
    """Audits Compositions of one server.

    Args:
        label: the security label that every summary must carry, as (system, code).
    """

    def __init__(
        self, client: FhirClient, extractor: Extractor, limits: FetchLimits, label: tuple[str, str]
    ) -> None:
        self._client, self._label = client, label
        self._sources = Sources(client, extractor, limits)
        self._witnesses = Witnesses(client)
        self._timelines = TimelineAuditor(client, self._sources, self._witnesses, label)

    async def audit(self, reference: str) -> Audit:
        """Reads a Composition by `Composition/id` or id, and audits it."""
        reference = _named(reference)
        examined = await self.examine(reference)
        return examined.audit if examined else Audit(reference, "", (), ((Finding.COMPOSITION_GONE, ""),))

    async def examine(self, reference: str) -> Examined | None:
        """As `audit`, with what was read for it; None where there is no such Composition."""
        resource = await self._client.read_if_there(_named(reference))
        if resource is None or resource.get("resourceType") != "Composition":
            return None
        (made,) = await self.examinations([resource])
        return await made()

    async def page(self, compositions: Sequence[JsonObject]) -> list[Callable[[], Awaitable[Audit]]]:
        """One audit, not begun yet, for each Composition just read; their Provenances are read at once."""

        def audit_of(examine: Callable[[], Awaitable[Examined]]) -> Callable[[], Awaitable[Audit]]:
            async def made() -> Audit:
                return (await examine()).audit

            return made

        return [audit_of(examine) for examine in await self.examinations(compositions)]

    async def examinations(
        self, compositions: Sequence[JsonObject]
    ) -> list[Callable[[], Awaitable[Examined]]]:
        """As `page`, with what each audit reads."""
        references = [f"Composition/{resource.get('id', '')}" for resource in compositions]
        provenances = await self._witnesses.provenances(references)
        devices = Devices(self._client)

        def made(resource: JsonObject, reference: str) -> Callable[[], Awaitable[Examined]]:
            return lambda: self._examined(_Subject(resource, provenances[reference], devices))

        return [made(*pair) for pair in zip(compositions, references, strict=True)]

    async def _examined(self, subject: _Subject) -> Examined:
        resource, base_url = subject.resource, self._client.base_url
        claims = read_claims(resource, base_url)
        source, timeline = SourceRead(), None
        if is_timeline(resource):
            timeline = await self._timelines.audit(resource, subject.provenances, subject.devices)
            verdict = _timeline_verdict(claims, timeline)
        elif not claims.source or not claims.sha256:
            verdict = _verdict(claims, _unverified(claims), [(Finding.NOT_OURS, "")])
        else:
            source = await self._sources.read(claims)
            verdict = await self._summary_verdict(subject, claims, source)
        return Examined(
            audit=verdict,
            claims=claims,
            source=source,
            record=read_record(resource, base_url),
            makers=tuple(map(read_maker, subject.devices.known(_authors(claims, timeline)))),
            provenances=tuple(f"Provenance/{one.get('id', '')}" for one in subject.provenances),
            timeline=timeline,
        )

    async def _summary_verdict(self, subject: _Subject, claims: Claims, source: SourceRead) -> Audit:
        resource, base_url = subject.resource, self._client.base_url
        found = shape(claims, resource, self._label)
        found += await self._witnesses.author(claims, subject.devices)
        found += self._witnesses.provenance(claims, subject.provenances)
        found += source.found
        reading = source.reading
        if reading is None:
            return _verdict(claims, _unverified(claims), found + _unvouched(claims, ""))
        text = reading.text
        found += same_text(claims, text)
        if text.text:
            found += against_source(claims, resource, reading, self._label, base_url)
        for reference, path in dict.fromkeys((span.reference, span.path) for span in claims.spans):
            found += await self._sources.place(claims, reference, path, reading)
        sentences, wrong = _sentences(claims, text.text)
        return _verdict(claims, sentences, found + _unvouched(claims, text.text) + wrong)


def _named(reference: str) -> str:
    return reference if "/" in reference else f"Composition/{reference}"


def _authors(claims: Claims, timeline: TimelineAudit | None) -> list[str]:
    """Every Device that is named, the one that put it together first."""
    sections = timeline.sections if timeline else [claims]
    return list(dict.fromkeys([*claims.authors, *(a for s in sections for a in s.section_authors)]))


def _verdict(claims: Claims, sentences: tuple[AuditedSentence, ...], found: list[Found]) -> Audit:
    linked = {span.link for span in claims.spans}
    unproven = tuple(text for anchor, text in claims.items if anchor not in linked)
    author = claims.authors[0] if claims.authors else ""
    return Audit(claims.composition, claims.source, sentences, tuple(found), unproven, claims.version, author)


def _timeline_verdict(claims: Claims, found: TimelineAudit) -> Audit:
    sentences = tuple(
        AuditedSentence(
            place.span.offset,
            place.span.offset + place.span.length,
            place.text,
            place.span.score,
            place.ok,
            place.shown,
            place.source,
        )
        for place in found.places
    )
    unproven = tuple(
        text
        for section in found.sections
        for anchor, text in section.items
        if anchor not in {span.link for span in section.spans}
    )
    author = claims.authors[0] if claims.authors else ""
    findings = tuple(dict.fromkeys(found.found))
    return Audit(claims.composition, found.scope.reference, sentences, findings, unproven, "", author)


def _unvouched(claims: Claims, text: str) -> list[Found]:
    """Sentences shown without offsets: of the source, whose offsets are missing, or of somebody else."""
    linked, source = {span.link for span in claims.spans}, displayed(text)
    return [
        (Finding.SPAN_MISSING if shown and shown in source else Finding.SENTENCE_ADDED, f"sentence {number}")
        for number, (anchor, shown) in enumerate(claims.items, 1)
        if anchor not in linked
    ] + ([] if claims.spans else [(Finding.SPAN_MISSING, "no offsets at all")])


def _sentences(claims: Claims, text: str) -> tuple[tuple[AuditedSentence, ...], list[Found]]:
    shown = dict(claims.items)
    sentences: list[AuditedSentence] = []
    found: list[Found] = []
    for number, span in enumerate(claims.spans, 1):
        start, end, seen = span.offset, span.offset + span.length, shown.get(span.link, "")
        if start < 0 or span.length < 1 or end > len(text):
            found.append((Finding.OFFSET_OUTSIDE, f"sentence {number}"))
            sentences.append(AuditedSentence(start, end, "", span.score, False, seen))
            continue
        ok = seen == displayed(text[start:end])
        if not ok and span.link in shown:
            found.append((Finding.SENTENCE_ALTERED, f"sentence {number}"))
        sentences.append(AuditedSentence(start, end, text[start:end], span.score, ok, seen))
    return tuple(sentences), found


def _unverified(claims: Claims) -> tuple[AuditedSentence, ...]:
    shown = dict(claims.items)

    def one(span: Span) -> AuditedSentence:
        end = span.offset + span.length
        return AuditedSentence(span.offset, end, "", span.score, False, shown.get(span.link, ""))

    return tuple(one(span) for span in claims.spans)
