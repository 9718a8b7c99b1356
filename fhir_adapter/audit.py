"""Proves from the server alone that every sentence of a Composition stands in its source.

Nothing of ours is trusted: the Composition and the version of the source that it names are read again, the
text is extracted again, and every claim is compared.
"""

import base64
import binascii
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any

from fhir_adapter import canonical
from fhir_adapter.attachment import FetchLimits, fetch
from fhir_adapter.claims import Claims, Span, read_claims
from fhir_adapter.client import FhirClient
from fhir_adapter.composition import UNIT, content_path
from fhir_adapter.errors import GoneError, NoteError, NotFoundError
from fhir_adapter.narrative import displayed
from fhir_adapter.note import NoteText, Reading
from fhir_adapter.resource_reader import read_source
from fhir_adapter.text import Extractor

JsonObject = dict[str, Any]


class Finding(StrEnum):
    """A way to be wrong; the value is the code, `words` the sentence for a person."""

    COMPOSITION_GONE = "composition-gone"
    NOT_OURS = "not-a-summary"
    SOURCE_GONE = "source-gone"
    SOURCE_CHANGED = "source-changed"
    SOURCE_UNREADABLE = "source-unreadable"
    TEXT_DIFFERS = "text-differs"
    EXTRACTOR_DIFFERS = "extractor-differs"
    EXTRACTED_TEXT_DIFFERS = "extracted-text-differs"
    OFFSET_OUTSIDE = "offset-outside-text"
    SENTENCE_ALTERED = "sentence-altered"
    SENTENCE_ADDED = "sentence-added"
    SPAN_WITHOUT_SENTENCE = "span-without-sentence"
    WRONG_ORDER = "wrong-order"
    WRONG_PLACE = "wrong-place"
    NARRATIVE_UNREADABLE = "narrative-unreadable"
    UNIT_UNKNOWN = "unit-unknown"
    LABEL_REMOVED = "label-removed"

    @property
    def words(self) -> str:
        """One plain sentence."""
        return _WORDS[self]


_WORDS = {
    Finding.COMPOSITION_GONE: "The Composition is not on the server.",
    Finding.NOT_OURS: "The Composition does not say which text it was made from.",
    Finding.SOURCE_GONE: "The version of the source that was summarised is no longer on the server.",
    Finding.SOURCE_CHANGED: "The source has a newer version than the one that was summarised.",
    Finding.SOURCE_UNREADABLE: "The source's text could not be read again.",
    Finding.TEXT_DIFFERS: "The text read again from the source differs from the one that was summarised.",
    Finding.EXTRACTOR_DIFFERS: "The text was extracted by another recipe than the one stated.",
    Finding.EXTRACTED_TEXT_DIFFERS: "The extracted text kept beside the source differs from the source.",
    Finding.OFFSET_OUTSIDE: "An offset lies outside the text.",
    Finding.SENTENCE_ALTERED: "A sentence shown differs from the source at the stated offsets.",
    Finding.SENTENCE_ADDED: "A sentence is shown that no offsets vouch for.",
    Finding.SPAN_WITHOUT_SENTENCE: "Offsets are stated whose sentence is not shown.",
    Finding.WRONG_ORDER: "The sentences are not in the order of the note.",
    Finding.WRONG_PLACE: "Offsets point into something that is neither the source nor its extracted text.",
    Finding.NARRATIVE_UNREADABLE: "The narrative is not well-formed.",
    Finding.UNIT_UNKNOWN: "The offsets are stated in an unknown unit.",
    Finding.LABEL_REMOVED: "The label that marks the summary as made by a machine is missing.",
}


@dataclass(frozen=True, slots=True)
class AuditedSentence:
    """One sentence as claimed; `text` is what the source holds there."""

    start: int
    end: int
    text: str
    score: float | None
    ok: bool


@dataclass(frozen=True, slots=True)
class Audit:
    """The verdict over one Composition.

    Attributes:
        findings: each with a short hint (a number, a version), never note text.
    """

    composition: str
    source: str
    sentences: tuple[AuditedSentence, ...]
    findings: tuple[tuple[Finding, str], ...]

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
            "sentences": [
                {"start": s.start, "end": s.end, "text": s.text, "score": s.score, "ok": s.ok}
                for s in self.sentences
            ],
            "problems": [
                {"code": finding.value, "detail": detail, "message": finding.words}
                for finding, detail in self.findings
            ],
        }


class Auditor:
    """Audits Compositions of one server.

    Args:
        label: the security label that every summary must carry, as (system, code).
    """

    def __init__(
        self, client: FhirClient, extractor: Extractor, limits: FetchLimits, label: tuple[str, str]
    ) -> None:
        self._client, self._extractor, self._limits, self._label = client, extractor, limits, label

    async def audit(self, reference: str) -> Audit:
        """Reads a Composition by `Composition/id` or id, and audits it."""
        reference = reference if "/" in reference else f"Composition/{reference}"
        try:
            return await self.audit_resource(await self._client.read(reference))
        except (NotFoundError, GoneError):
            return Audit(reference, "", (), ((Finding.COMPOSITION_GONE, ""),))

    async def audit_resource(self, composition: JsonObject) -> Audit:
        """Audits a Composition that was just read from the server."""
        claims = read_claims(composition)
        if not claims.source or not claims.sha256:
            return Audit(claims.composition, claims.source, (), ((Finding.NOT_OURS, ""),))
        findings = list(_shape(claims, self._label))
        text = await self._source_text(claims, findings)
        if text is None:
            return Audit(claims.composition, claims.source, _unverified(claims), tuple(findings))
        findings += _same_text(claims, text)
        for reference in dict.fromkeys(span.reference for span in claims.spans):
            findings += await self._place(claims, reference, text)
        sentences, wrong = _sentences(claims, text.text)
        return Audit(claims.composition, claims.source, sentences, (*findings, *wrong))

    async def _source_text(self, claims: Claims, findings: list[tuple[Finding, str]]) -> NoteText | None:
        """The text of the source's stated version, extracted again; None where that cannot be had."""
        try:
            current = await self._client.read(claims.source)
            version = str((current.get("meta") or {}).get("versionId", ""))
            if version != claims.version and claims.status != "entered-in-error":
                findings.append((Finding.SOURCE_CHANGED, f"summarised {claims.version}, now {version}"))
        except (NotFoundError, GoneError):
            findings.append((Finding.SOURCE_GONE, ""))
            version = ""
        try:
            source = (
                current
                if version == claims.version
                else await self._client.read(claims.source, version=claims.version)
            )
        except (NotFoundError, GoneError):
            findings.append((Finding.SOURCE_GONE, f"version {claims.version}"))
            return None
        try:
            note = read_source(source)
            for attachment in note.attachments:
                text = NoteText("", "", "")
                if content_path(Reading(note, attachment, text)) == claims.path:
                    return await self._extractor.extract(await fetch(attachment, self._client, self._limits))
        except NoteError as error:
            findings.append((Finding.SOURCE_UNREADABLE, error.reason.value))
            return None
        findings.append((Finding.SOURCE_UNREADABLE, "the element is not there"))
        return None

    async def _place(self, claims: Claims, reference: str, text: NoteText) -> list[tuple[Finding, str]]:
        """Offsets may point into the source, or into an extracted text that equals what we extract."""
        if reference == claims.source and text.verbatim:
            return []
        try:
            resource = await self._client.read(reference)
        except (NotFoundError, GoneError):
            return [(Finding.WRONG_PLACE, reference)]
        kept = _extracted_text(resource)
        if kept is None:
            return [(Finding.WRONG_PLACE, reference)]
        return [] if kept == text.text else [(Finding.EXTRACTED_TEXT_DIFFERS, reference)]


def _extracted_text(resource: JsonObject) -> str | None:
    tags = (resource.get("meta") or {}).get("tag") or []
    if canonical.EXTRACTED_TEXT_TAG not in {(tag.get("system"), tag.get("code")) for tag in tags}:
        return None
    try:
        data = resource["content"][0]["attachment"]["data"]
        return base64.b64decode(data, validate=True).decode("utf-8")
    except (KeyError, IndexError, TypeError, ValueError, binascii.Error):
        return None


def _shape(claims: Claims, label: tuple[str, str]) -> list[tuple[Finding, str]]:
    """What can be checked without the source."""
    findings: list[tuple[Finding, str]] = []
    if claims.narrative_error:
        findings.append((Finding.NARRATIVE_UNREADABLE, claims.narrative_error))
    if claims.unit != UNIT:
        findings.append((Finding.UNIT_UNKNOWN, claims.unit))
    if label not in claims.labels:
        findings.append((Finding.LABEL_REMOVED, label[1]))
    linked = [span.link for span in claims.spans]
    shown = [anchor for anchor, _ in claims.items]
    for number, anchor in enumerate(shown, 1):
        if linked.count(anchor) != 1 or shown.count(anchor) != 1:
            findings.append((Finding.SENTENCE_ADDED, f"sentence {number}"))
    for number, link in enumerate(linked, 1):
        if link not in shown:
            findings.append((Finding.SPAN_WITHOUT_SENTENCE, f"span {number}"))
    order = [(span.offset, span.offset + span.length) for span in claims.spans]
    disjoint = all(a[1] <= b[0] for a, b in pairwise(order))
    if not disjoint or [link for link in linked if link in shown] != [a for a in shown if a in linked]:
        findings.append((Finding.WRONG_ORDER, ""))
    return findings


def _same_text(claims: Claims, text: NoteText) -> list[tuple[Finding, str]]:
    findings: list[tuple[Finding, str]] = []
    if claims.normalization != text.normalization:
        findings.append((Finding.EXTRACTOR_DIFFERS, text.normalization))
    if claims.sha256 != text.sha256 or claims.length != len(text.text):
        findings.append((Finding.TEXT_DIFFERS, f"length {len(text.text)}, stated {claims.length}"))
    return findings


def _sentences(claims: Claims, text: str) -> tuple[tuple[AuditedSentence, ...], list[tuple[Finding, str]]]:
    shown = dict(claims.items)
    sentences: list[AuditedSentence] = []
    findings: list[tuple[Finding, str]] = []
    for number, span in enumerate(claims.spans, 1):
        start, end = span.offset, span.offset + span.length
        if start < 0 or span.length < 1 or end > len(text):
            findings.append((Finding.OFFSET_OUTSIDE, f"sentence {number}"))
            sentences.append(AuditedSentence(start, end, "", span.score, False))
            continue
        ok = shown.get(span.link) == displayed(text[start:end])
        if not ok and span.link in shown:
            findings.append((Finding.SENTENCE_ALTERED, f"sentence {number}"))
        sentences.append(AuditedSentence(start, end, text[start:end], span.score, ok))
    return tuple(sentences), findings


def _unverified(claims: Claims) -> tuple[AuditedSentence, ...]:
    def one(span: Span) -> AuditedSentence:
        return AuditedSentence(span.offset, span.offset + span.length, "", span.score, False)

    return tuple(one(span) for span in claims.spans)
