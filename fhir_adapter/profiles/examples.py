"""Two invented notes and what is written for them: examples of each profile, by the code that writes."""

from dataclasses import replace
from typing import Any

from fhir_adapter.canonical import CONFIDENTIALITY, LOINC, RECALL, URI
from fhir_adapter.filing.envelope import Parts, document_of
from fhir_adapter.lenient import JsonObject, dicts
from fhir_adapter.note import Attachment, NoteText, Reading, SourceNote
from fhir_adapter.reasons import Reason
from fhir_adapter.text.recipe import recipe
from fhir_adapter.timeline.clinical_time import ClinicalTime, NoteTimes
from fhir_adapter.timeline.composition import (
    WrittenTimeline,
    assembler,
    timeline_composition,
    timeline_identifier,
    timeline_provenance,
)
from fhir_adapter.timeline.pieces import Context, Place
from fhir_adapter.timeline.timeline import (
    Timeline,
    TimelineEntry,
    TimelineNote,
    TimelineScope,
    TimelineSentence,
)
from fhir_adapter.writing.authorship import author, holding_authors
from fhir_adapter.writing.lifecycle import Withdrawal, ended, sealed
from fhir_adapter.writing.links import ended_link, read_link
from fhir_adapter.writing.pipeline import Pipeline
from fhir_adapter.writing.provenance import copy_provenance, provenance
from fhir_adapter.writing.summary import SummaryDraft, composition, content_path, extracted_text
from summarizer.types import (
    ContextKind,
    ContextSpan,
    LeftOut,
    LeftOutSection,
    ModelInfo,
    Pinned,
    PinnedLine,
    PinnedRule,
    ScoredSentence,
    SelectedSentence,
    Summary,
)

_HEADING = "HOSPITAL COURSE:"
_TEXT = (
    f"{_HEADING}\nAdmitted with chest pain since the morning. Troponin was raised. Slept well.\n"
    "One stent in the left anterior descending artery. Home tomorrow.\n"
    "ALLERGIES:\nPenicillin: rash.\n"
)
_ALLERGIES, _ALLERGY = "ALLERGIES:", "Penicillin: rash."
_CHOSEN = (("Troponin was raised.", 0.61), ("One stent in the left anterior descending artery.", 0.88))


def examples() -> dict[str, list[JsonObject]]:
    """Resources by the id of their profile; those of an extension are the resources that carry it.

    The first is of a DocumentReference; the second of a DiagnosticReport.
    """
    found: dict[str, list[JsonObject]] = {}
    for written in (_written(_DOCUMENT), _written(_REPORT)):
        summary = _settled(composition(written), written)
        card, device = author(written.pipeline)
        for identifier, resource in (
            ("extractive-summary", summary),
            ("source-text", summary),
            ("extract-score", summary),
            ("extract-context", summary),
            ("extract-rule", summary),
            ("pinned-rule", summary),
            ("left-out", summary),
            ("summary-provenance", _settled(provenance(written), written)),
            ("summarizer-device", device),
            ("extracted-text", extracted_text(written)),
            ("model-card", card),
            ("filed-summary", _filed(written, summary, device)),
        ):
            found.setdefault(identifier, []).append(resource)
    for identifier, resources in _states().items():
        found.setdefault(identifier, []).extend(resources)
    found |= _timeline()
    for identifier, resources in _contained(found).items():
        found.setdefault(identifier, []).extend(resources)
    return found


def _filed(written: SummaryDraft, summary: JsonObject, device: JsonObject) -> JsonObject:
    """The same on a server that takes documents alone."""
    others = (_settled(provenance(written), written), device, extracted_text(written))
    return document_of(Parts(sealed(summary), others), (), written.base_url)


def _contained(found: dict[str, list[JsonObject]]) -> dict[str, list[JsonObject]]:
    """The same on a server that takes no Device of no patient: each contains its authors."""
    pipelines = (_written(_DOCUMENT).pipeline, _timeline_pipeline())
    shared = {p.device_id: author(p, contained=True)[0] for p in pipelines}
    patient = {"reference": "Patient/1"}
    kinds = ("extractive-summary", "summary-provenance", "timeline", "timeline-provenance")
    both = {kind: holding_authors(found[kind][:1], shared, patient) for kind in kinds}
    mark = {"url": RECALL, "valueCode": "model"}
    definition = shared[pipelines[0].device_id]
    return both | {
        "summarizer-definition": [definition],
        "summarizer-device": dicts(both["extractive-summary"][0]["contained"]),
        "recall": [{**definition, "extension": [mark]}],
    }


def _states() -> dict[str, list[JsonObject]]:
    """A summary that was withdrawn, a copy that was once named in it, and the Device that a recall marked."""
    written = _written(_DOCUMENT)
    summary, device = sealed(_settled(composition(written), written)), author(written.pipeline)[1]
    mark = {"url": RECALL, "valueCode": "pipeline"}
    link = _ended(copy_provenance(_written(_REPORT), written.composition_id))
    return {
        "content-digest": [summary],
        "ended-because": [ended(summary, Withdrawal.RECALLED)],
        "source-text": [link],
        "summary-provenance": [link],
        "withdrawal-reason": [ended(summary, Withdrawal.RECALLED, "Sentences of another note were shown.")],
        "recall": [{**device, "extension": [*device["extension"], mark], "status": "inactive"}],
    }


def _ended(provenance_of_copy: JsonObject) -> JsonObject:
    link = read_link(provenance_of_copy, "")
    assert link is not None
    return ended_link(link, Reason.ENTERED_IN_ERROR)


def _timeline() -> dict[str, list[JsonObject]]:
    """The timeline of a stay with the two notes; the later one repeats a sentence in other words.

    It comes after one that a person has changed.
    """
    first, second = _note(_written(_DOCUMENT), "2026-01-01"), _note(_written(_REPORT), "2026-01-02")
    (one, other), (again, _) = first.sentences, second.sentences
    again = replace(again, text="The troponin was raised.")
    shown = (TimelineSentence((one, again)), TimelineSentence((other,)))
    entries = (TimelineEntry(first, shown), TimelineEntry(second, (), repeated=1))
    scope = TimelineScope("Encounter/9", ("Patient/1",))
    written = WrittenTimeline(
        Timeline(scope, entries),
        timeline_identifier(scope, "extractive", ordinal=2),
        _timeline_pipeline(),
        "https://fhir.example.org/fhir",
        replaced="3f0e7a52-5d0b-5c3c-9a53-0c1d6a1b7a10",
    )
    resource = sealed(timeline_composition(written))
    proof = timeline_provenance(written)
    return {
        "timeline": [resource],
        "timeline-provenance": [{**proof, "target": [{"reference": f"Composition/{resource['id']}"}]}],
        "extract-text": [resource],
    }


def _timeline_pipeline() -> Pipeline:
    return assembler("extractive", "1.0.0", _written(_DOCUMENT).pipeline.label)


def _note(written: SummaryDraft, day: str) -> TimelineNote:
    """A note as a timeline takes it from its summary."""
    note, text = written.reading.note, written.reading.text
    place = (f"DocumentReference/{written.extracted_text_id}", "DocumentReference.content[0].attachment.data")
    summary = f"Composition/{written.composition_id}"
    return TimelineNote(
        note=note,
        times=NoteTimes(ClinicalTime(day, f"{note.resource_type}.date"), ClinicalTime()),
        composition=summary,
        authors=(f"Device/{written.pipeline.device_id}",),
        pipeline=written.pipeline.device_id,
        url=written.source_version_url,
        path=content_path(written.reading),
        media_type=text.media_type,
        normalization=text.normalization,
        sha256=text.sha256,
        length=len(text.text),
        sentences=tuple(
            Place(
                summary,
                note.reference,
                note.version_id,
                *place,
                s.start,
                s.end,
                s.text,
                s.score,
                tuple(Context(c.start, c.end, c.kind, text.text[c.start : c.end]) for c in s.context),
            )
            for s in written.summary.summary
        ),
    )


_DOCUMENT = ("DocumentReference", "progress-note-7", "DocumentReference.content[0].attachment")
_REPORT = ("DiagnosticReport", "echo-8", "DiagnosticReport.presentedForm[0]")


def _written(source: tuple[str, str, str]) -> SummaryDraft:
    resource_type, identifier, path = source
    note = SourceNote(
        resource_type=resource_type,
        id=identifier,
        version_id="3",
        last_updated="2026-01-02T10:00:05Z",
        status="current",
        subject={"reference": "Patient/1"},
        encounter={"reference": "Encounter/9"},
        custodian={"reference": "Organization/1"},
        period={"start": "2025-12-30", "end": "2026-01-02"},
        date="2026-01-02",
        written="2026-01-02",
        type={"coding": [{"system": LOINC, "code": "11506-3", "display": "Progress note"}]},
        master_identifier={"system": URI, "value": "urn:uuid:5b1c9c40-0d0e-4e6e-8c39-9a3f1f4e0f11"},
        security=({"system": CONFIDENTIALITY, "code": "R", "display": "restricted"},),
    )
    attachment = Attachment(path, "text/html", data="")
    text = NoteText(_TEXT, recipe("html"), "text/html", notice="no charset stated; read as windows-1252")
    model = ModelInfo("all-MiniLM-L6-v2", "5e" * 32, "lexrank")
    starts = [(_TEXT.index(sentence), sentence, score) for sentence, score in _CHOSEN]
    under = (ContextSpan(0, len(_HEADING), ContextKind.HEADING),)
    chosen = tuple(
        SelectedSentence(at, at + len(words), words, score, context=under) for at, words, score in starts
    )
    scored = tuple(ScoredSentence(s.start, s.end, s.score) for s in chosen)
    at, heading = _TEXT.index(_ALLERGY), _TEXT.index(_ALLERGIES)
    over = (ContextSpan(heading, heading + len(_ALLERGIES), ContextKind.HEADING),)
    line = PinnedLine(at, at + len(_ALLERGY), _ALLERGY, "allergies", 1, over)
    pinned = Pinned((line,), (PinnedRule("allergies", 1, "Allergies", 1, 1),))
    left_out = LeftOut((LeftOutSection("ALLERGIES", 1),), 1)
    return SummaryDraft(
        reading=Reading(note, attachment, text),
        summary=Summary(model, text.sha256, len(_TEXT), chosen, scored, pinned, left_out),
        pipeline=Pipeline("extractive", "1.0.0", model, (("budget", "2"),), rules=(("allergies", 1),)),
        base_url="https://fhir.example.org/fhir",
    )


def _settled(node: Any, written: SummaryDraft) -> Any:
    """References between the entries of a transaction as the server stores them."""
    if isinstance(node, dict):
        return {name: _settled(value, written) for name, value in node.items()}
    if isinstance(node, list):
        return [_settled(item, written) for item in node]
    known = {
        f"urn:uuid:{written.composition_id}": f"Composition/{written.composition_id}",
        f"urn:uuid:{written.extracted_text_id}": f"DocumentReference/{written.extracted_text_id}",
    }
    return known.get(node, node) if isinstance(node, str) else node
