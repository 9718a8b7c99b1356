"""Builders of a note's stages: what each test does not name has a sensible value."""

from dataclasses import replace
from typing import Any

from fhir_adapter.note import Attachment, NoteText, Reading, SourceNote
from fhir_adapter.writing.pipeline import Pipeline
from fhir_adapter.writing.summary import SummaryDraft
from summarizer.types import ContextKind, ContextSpan, ModelInfo, ScoredSentence, SelectedSentence, Summary

BASE_URL = "https://fhir.example.org/fhir"
TEXT = "Hx of T2DM since 2014.\nAdmitted with NSTEMI. PCI to LAD.\n"
MODEL = ModelInfo("test-model", "ab" * 32, "lead")


def a_pipeline(**changed: Any) -> Pipeline:
    return Pipeline(**{"name": "extractive", "software_version": "1.2.3", "model": MODEL, **changed})


def a_note(**changed: Any) -> SourceNote:
    values: dict[str, Any] = {
        "resource_type": "DocumentReference",
        "id": "123",
        "version_id": "3",
        "last_updated": "2026-01-02T10:00:05Z",
        "status": "current",
        "subject": {"reference": "Patient/1"},
        "encounter": {"reference": "Encounter/9"},
        "date": "2026-01-02",
        "written": "2026-01-02",
        "type": {"coding": [{"system": "http://loinc.org", "code": "11506-3", "display": "Progress note"}]},
    }
    return SourceNote(**{**values, **changed})


def a_reading(text: str = TEXT, *, verbatim: bool = True, **changed: Any) -> Reading:
    media_type = "text/plain" if verbatim else "text/html"
    found = NoteText(text, f"recipe/{media_type}|1", media_type, verbatim=verbatim)
    attachment = Attachment("DocumentReference.content[0].attachment", media_type, data="AA==")
    return Reading(a_note(**changed), attachment, found)


def a_summary(text: str, spans: list[tuple[int, int]], context: tuple[int, int] | None = None) -> Summary:
    """A summary of these sentences; the last stands under the heading at `context`."""
    chosen = tuple(SelectedSentence(a, b, text[a:b], 0.5) for a, b in spans)
    if context:
        heading = (ContextSpan(*context, ContextKind.HEADING),)
        chosen = (*chosen[:-1], replace(chosen[-1], context=heading))
    scored = tuple(ScoredSentence(a, b, 0.5) for a, b in spans)
    return Summary(MODEL, "", len(text), chosen, scored)


def a_draft(
    text: str = TEXT,
    spans: list[tuple[int, int]] | None = None,
    context: tuple[int, int] | None = None,
    **changed: Any,
) -> SummaryDraft:
    spans = [(0, 22), (23, 44)] if spans is None else spans
    reading = a_reading(text, **changed)
    return SummaryDraft(reading, a_summary(text, spans, context), a_pipeline(), BASE_URL)
