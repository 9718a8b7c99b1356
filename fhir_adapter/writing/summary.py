"""A summary as FHIR resources: Composition and, where needed, the extracted text.

Everything in them comes from the source, the summary and the pipeline, nothing from the clock, so that the
same note summarised twice gives the same resources and a server has nothing to store.
"""

import hashlib
import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from fhir_adapter import canonical, elements
from fhir_adapter.errors import NoteError
from fhir_adapter.lenient import JsonObject
from fhir_adapter.narrative import paragraph
from fhir_adapter.note import Attachment, Reading
from fhir_adapter.reasons import Reason
from fhir_adapter.stamps import r4_form
from fhir_adapter.writing.pipeline import Pipeline, deterministic_id
from fhir_adapter.writing.sections import Frame, left_out_extension, left_out_words, notice_words, sections
from fhir_adapter.writing.stretches import in_order, line_in_order, stand_apart
from summarizer.types import Summary

UNIT = "unicode-code-point"
# International Patient Summary: each section has a code; this one where the source states no type.
_NOTE: JsonObject = {"coding": [{"system": canonical.LOINC, "code": "34109-9", "display": "Note"}]}
_ORDINAL = re.compile(r"~\d+$")


@dataclass(frozen=True)
class SummaryDraft:
    """One summary ready to be written.

    Attributes:
        reading: the source, its attachment and its text.
        summary: at least one chosen sentence.
        base_url: the server's base, for absolute references to the source's version.
        ordinal: 1; one more for each Composition of this source that a person has taken over.
        replaced: id of the Composition that this one comes after, where a person has taken that over.
    """

    reading: Reading
    summary: Summary
    pipeline: Pipeline
    base_url: str
    ordinal: int = 1
    replaced: str = ""

    def __post_init__(self) -> None:
        if not self.summary.summary:
            raise NoteError(Reason.EMPTY_TEXT)
        if not elements.kept(self.reading.note.subject, self.base_url):
            raise NoteError(Reason.MALFORMED, "a subject that cannot be named")
        text, end = self.reading.text.text, 0
        for chosen in self.summary.summary:
            if chosen.start < end or not chosen.text or text[chosen.start : chosen.end] != chosen.text:
                raise NoteError(Reason.NOT_VERBATIM, f"at {chosen.start}-{chosen.end}")
            end = chosen.end
            if not stand_apart(in_order(chosen, chosen.context), text):
                raise NoteError(Reason.NOT_VERBATIM, f"at {chosen.start}-{chosen.end}")
        for line in self.summary.pinned.lines:
            apart = stand_apart(line_in_order(line), text)
            if not apart or text[line.start : line.end] != line.text:
                raise NoteError(Reason.NOT_VERBATIM, f"at {line.start}-{line.end}")

    @property
    def composition_id(self) -> str:
        """One per source, pipeline name and ordinal, whatever the version of source and pipeline."""
        return written_id("Composition", self.reading.note.reference, self.pipeline.name, self.ordinal)

    @property
    def provenance_id(self) -> str:
        """One per Composition."""
        return written_id("Provenance", self.reading.note.reference, self.pipeline.name, self.ordinal)

    @property
    def extracted_text_id(self) -> str:
        """One per Composition; unused where the text is the attachment itself."""
        return written_id("DocumentReference", self.reading.note.reference, self.pipeline.name, self.ordinal)

    @property
    def identifier(self) -> str:
        """Business identifier of the summary."""
        return summary_identifier(self.reading.note.reference, self.pipeline.name, self.ordinal)

    @cached_property
    def source_version_url(self) -> str:
        """Absolute URL of the source's version that was read."""
        note = self.reading.note
        url = f"{self.base_url.rstrip('/')}/{note.reference}"
        return f"{url}/_history/{note.version_id}" if note.version_id else url

    @property
    def source_words(self) -> str:
        """The source and its version as people read them: `DocumentReference/123 version 3`."""
        note = self.reading.note
        return f"{note.reference} version {note.version_id}" if note.version_id else note.reference

    @cached_property
    def when(self) -> str:
        """The instant all dates are derived from: the server's stamp of the source's version.

        The clock stands in only for a server that stamps nothing, where a rerun cannot be a no-op.
        """
        return r4_form(self.reading.note.last_updated) or datetime.now(UTC).isoformat(timespec="seconds")

    @property
    def subject(self) -> JsonObject | None:
        """Whom the summary is filed under."""
        return elements.reference(self.reading.note.subject, self.base_url)

    @property
    def encounter(self) -> JsonObject | None:
        """The encounter that the summary is filed under."""
        return elements.reference(self.reading.note.encounter, self.base_url, ("Encounter",))

    @cached_property
    def text_key(self) -> str:
        """Which text of which patient it is of (`text_key`)."""
        subject = str((self.subject or {}).get("reference", ""))
        return text_key(self.pipeline.name, subject, self.reading.text.sha256)

    @property
    def language(self) -> str:
        """The language the source states in a form that can be written, else English (our own words are)."""
        stated = (self.reading.attachment.language, self.reading.note.language)
        return next(filter(None, map(elements.language, stated)), "en")

    @property
    def security(self) -> list[JsonObject]:
        """The source's labels, each kept, and the AI label."""
        own = self.pipeline.label_coding
        name = (own["system"], own["code"])
        others = elements.labels(self.reading.note.security)
        return [own, *(label for label in others if (label.get("system"), label.get("code")) != name)]


def written_id(resource_type: str, source: str, name: str, ordinal: int = 1) -> str:
    """Client-assigned id of what is written for a source under a pipeline's name.

    Args:
        resource_type: of the resource written.
        source: `Type/id`.
        name: of the pipeline.
        ordinal: as in `SummaryDraft.ordinal`.
    """
    return deterministic_id(resource_type, source, name, *([str(ordinal)] if ordinal > 1 else []))


def summary_identifier(source: str, name: str, ordinal: int = 1) -> str:
    """The value by which a summary is found: `DocumentReference-123.extractive`, `...extractive~2`."""
    return f"{source.replace('/', '-', 1)}.{name}" + (f"~{ordinal}" if ordinal > 1 else "")


def text_key(name: str, subject: str, sha256: str) -> str:
    """What all summaries of one text of one patient have in common: 64 hexadecimal digits.

    Args:
        name: of the pipeline.
        subject: whom the note is filed under, as a reference relative to the server.
        sha256: of the text.

    Returns:
        "" where the note is no patient's, so that its text is shared with no other's.
    """
    if subject.split("/")[-2:-1] != ["Patient"] or not sha256:
        return ""
    return hashlib.sha256(f"{name}|{subject}|{sha256}".encode()).hexdigest()


def urn(resource_id: str) -> str:
    """The fullUrl by which entries of one transaction refer to each other."""
    try:
        return f"urn:uuid:{uuid.UUID(resource_id)}"
    except ValueError:
        return f"urn:uuid:{deterministic_id('fullUrl', resource_id)}"


def composition(written: SummaryDraft) -> JsonObject:
    """The Composition: a section of sentences, a `derivation-reference` for each, and one of rules' lines."""
    note, pipeline = written.reading.note, written.pipeline
    source = {"reference": note.reference, "type": note.resource_type}
    author = {"reference": f"Device/{pipeline.device_id}"}
    resource: JsonObject = {
        "resourceType": "Composition",
        "id": written.composition_id,
        "meta": _meta(written),
        "language": written.language,
        "text": paragraph(_caption(written), written.language),
        "extension": [source_text(written), *left_out_extension(written.summary.left_out)],
        "identifier": {"system": canonical.SUMMARIES, "value": written.identifier},
        "status": "preliminary",
        "type": {
            "coding": [
                {"system": canonical.LOINC, "code": canonical.SUMMARY_NOTE, "display": "Summary note"}
            ],
            "text": "AI-extracted note summary",
        },
        "category": [
            {"coding": [{"system": canonical.COMPOSITION_KIND, "code": "extractive-summary"}]},
        ],
        "subject": written.subject,
        "encounter": written.encounter,
        "date": written.when,
        "author": [author],
        "title": _title(written),
        "confidentiality": elements.confidentiality(note.security),
        "custodian": elements.reference(note.custodian, written.base_url, ("Organization",)),
        "relatesTo": _relations(written),
        "event": [elements.without_empty({"period": elements.period(note.period), "detail": [source]})],
        "section": sections(written.summary, _frame(written, source, author)),
    }
    return elements.without_empty(resource)


def _meta(written: SummaryDraft) -> JsonObject:
    found = meta(canonical.SUMMARY_PROFILE, canonical.SUMMARY_TAG, written.security)
    key = [{"system": canonical.TEXTS, "code": written.text_key}] if written.text_key else []
    return {**found, "tag": [*found["tag"], *key]}


def meta(profile: str, tag: tuple[str, str], security: list[JsonObject]) -> JsonObject:
    """`meta` of what we write; without `security` where there is no label."""
    system, code = tag
    return elements.without_empty(
        {"profile": [profile], "security": security, "tag": [{"system": system, "code": code}]}
    )


def _caption(written: SummaryDraft) -> str:
    """What a reader has to know before the sentences; in English, as all our own words are."""
    parts = (
        f"AI-extracted summary (unverified) of {written.source_words}.",
        "Not a substitute for the source note.",
        left_out_words(written.summary.left_out),
        notice_words(written.reading.text.notice),
    )
    return " ".join(filter(None, parts))


def _title(written: SummaryDraft) -> str:
    note = written.reading.note
    kind = elements.concept(note.type) or {}
    names = [kind.get("text"), *(c.get("display") for c in kind.get("coding", []))]
    name = next((n for n in names if n), "Clinical note")
    return f"AI-extracted summary: {name} {(note.written or '')[:10]}".rstrip()


def source_text(written: SummaryDraft, key: str = "") -> JsonObject:
    """Says which text the offsets count in, so that anyone can fetch, normalise and check it.

    Args:
        written: the summary.
        key: in what says of another source that it holds the same text, which text of which patient.
    """
    reading = written.reading
    parts: list[JsonObject] = [
        {"url": "source", "valueUri": written.source_version_url},
        {"url": "versionId", "valueString": reading.note.version_id},
        {"url": "path", "valueString": content_path(reading)},
        {"url": "mediaType", "valueString": reading.text.media_type},
        {"url": "unit", "valueCode": UNIT},
        {"url": "normalization", "valueUri": reading.text.normalization},
        {"url": "sha256", "valueString": reading.text.sha256},
        {"url": "length", "valueInteger": len(reading.text.text)},
        {"url": "pipeline", "valueString": written.pipeline.device_id},
        {"url": "notice", "valueString": reading.text.notice},
        {"url": "key", "valueString": key},
    ]
    filled = [part for part in parts if "" not in part.values()]
    return {"url": canonical.SOURCE_TEXT, "extension": filled}


def content_path(reading: Reading) -> str:
    """FHIRPath of what was read: `data` or `url` of an attachment, or the string; of several their union."""
    return " | ".join(map(element_path, (reading.attachment, *reading.further)))


def element_path(attachment: Attachment) -> str:
    """FHIRPath of the element that holds an attachment's content."""
    if attachment.text is not None:
        return attachment.path
    inline = attachment.data is not None or attachment.externalized
    return f"{attachment.path}.{'data' if inline else 'url'}"


def _relations(written: SummaryDraft) -> list[JsonObject]:
    # R4 allows an Identifier or another Composition here, not the DocumentReference itself.
    identifier = elements.identifier(written.reading.note.master_identifier)
    found: list[JsonObject] = [{"code": "transforms", "targetIdentifier": identifier}] if identifier else []
    for source in elements.local(written.reading.note.replaces, written.base_url):
        value = summary_identifier(source, _ORDINAL.sub("", written.pipeline.name))
        summary = {"system": canonical.SUMMARIES, "value": value}
        found.append({"code": "replaces", "targetIdentifier": summary})
    if written.replaced:
        target = {"reference": f"Composition/{written.replaced}", "type": "Composition"}
        found.append({"code": "replaces", "targetReference": target})
    return found


def _frame(written: SummaryDraft, source: JsonObject, author: JsonObject) -> Frame:
    reading = written.reading
    if reading.text.verbatim:
        where, path = source, content_path(reading)
    else:
        where = {"reference": urn(written.extracted_text_id), "type": "DocumentReference"}
        path = "DocumentReference.content[0].attachment.data"
    code = elements.concept(reading.note.type) or _NOTE
    return Frame(reading.text.text, where, path, written.language, code, author, source)


def extracted_text(written: SummaryDraft) -> JsonObject:
    """The text that offsets point into, as a DocumentReference beside a source that is not plain text."""
    note, text = written.reading.note, written.reading.text
    data = text.text.encode("utf-8")
    source = {"reference": note.reference, "type": note.resource_type}
    is_document = note.resource_type == "DocumentReference"
    encounter = elements.reference(note.encounter, written.base_url, ("Encounter", "EpisodeOfCare"))
    context = {
        "encounter": [encounter] if encounter else None,
        "related": None if is_document else [source],
    }
    words = f"Text extracted from {note.reference} by {text.normalization}"
    resource: JsonObject = {
        "resourceType": "DocumentReference",
        "id": written.extracted_text_id,
        "meta": meta(
            canonical.EXTRACTED_TEXT_PROFILE,
            canonical.EXTRACTED_TEXT_TAG,
            elements.labels(note.security),
        ),
        "language": "en",
        "text": paragraph(words),
        "identifier": [{"system": canonical.EXTRACTED_TEXTS, "value": written.identifier}],
        "status": "current",
        "type": elements.concept(note.type),
        "subject": elements.reference(
            note.subject, written.base_url, ("Patient", "Practitioner", "Group", "Device")
        ),
        "custodian": elements.reference(note.custodian, written.base_url, ("Organization",)),
        "relatesTo": [{"code": "transforms", "target": source}] if is_document else None,
        "description": words,
        "content": [
            {
                "attachment": {
                    "contentType": "text/plain; charset=utf-8",
                    **elements.held(data),
                }
            }
        ],
        "context": elements.without_empty(context),
    }
    return elements.without_empty(resource)
