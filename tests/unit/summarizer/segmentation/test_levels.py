"""Headings above headings, as formats declare them: each sentence is shown with all that it stands under."""

import io

import docx
import pytest

from fhir_adapter.text.cda.reader import cda_text
from fhir_adapter.text.docx.reader import docx_text
from fhir_adapter.text.fhir import fhir_json_text
from fhir_adapter.text.html.reader import html_text
from summarizer.segmentation.segment import segment
from summarizer.types import ContextKind

NESTED = [("Family history", 1), ("Heart", 2), ("Kidneys", 2), ("Examination", 1)]
SAID = {
    "Family history": "Asked today.",
    "Heart": "Infarction at 51.",
    "Kidneys": "Polycystic.",
    "Examination": "No oedema.",
}


def _html() -> bytes:
    return "".join(f"<h{n + 1}>{title}</h{n + 1}><p>{SAID[title]}</p>" for title, n in NESTED).encode()


def _docx() -> bytes:
    made, out = docx.Document(), io.BytesIO()
    for title, level in NESTED:
        made.add_heading(title, level)
        made.add_paragraph(SAID[title])
    made.save(out)
    return out.getvalue()


def _section(title: str, inner: str = "") -> str:
    return f"<section><title>{title}</title><text>{SAID[title]}</text>{inner}</section>"


def _cda() -> bytes:
    inner = "".join(f"<component>{_section(title)}</component>" for title in ("Heart", "Kidneys"))
    sections = _section("Family history", inner), _section("Examination")
    body = "".join(f"<component>{section}</component>" for section in sections)
    return (
        '<ClinicalDocument xmlns="urn:hl7-org:v3"><title>Note</title><component>'
        f"<structuredBody>{body}</structuredBody></component></ClinicalDocument>"
    ).encode()


def _fhir() -> bytes:
    def one(title: str, *inner: str) -> str:
        nested = ", ".join(inner)
        div = f"<div xmlns='http://www.w3.org/1999/xhtml'><p>{SAID[title]}</p></div>"
        return f'{{"title": "{title}", "text": {{"div": "{div}"}}, "section": [{nested}]}}'

    sections = one("Family history", one("Heart"), one("Kidneys")) + ", " + one("Examination")
    return f'{{"resourceType": "Composition", "title": "Note", "section": [{sections}]}}'.encode()


def headings(note: object, words: str) -> list[str]:
    """The headings that are shown with the sentence that begins with some words."""
    document = note.document()  # type: ignore[attr-defined]
    text = document.text
    found = segment(text, document.headings, document.marks)
    sentence = next(s for s in found.sentences if text.startswith(words, s.start))
    return [text[p.start : p.end] for p in sentence.context if p.kind is ContextKind.HEADING]


@pytest.mark.parametrize(
    "note",
    [
        pytest.param(lambda: html_text(_html()), id="html"),
        pytest.param(lambda: docx_text(_docx()), id="docx"),
        pytest.param(lambda: cda_text(_cda()), id="cda"),
        pytest.param(lambda: fhir_json_text(_fhir()), id="fhir"),
    ],
)
def test_what_stands_under_a_part_of_a_section_is_shown_with_both_titles(note):
    note = note()
    assert headings(note, "Asked today") == ["Family history"]
    assert headings(note, "Infarction") == ["Family history", "Heart"]
    assert headings(note, "Polycystic") == ["Family history", "Kidneys"]
    assert headings(note, "No oedema") == ["Examination"]


def test_the_title_of_a_note_stands_over_nothing():
    note = html_text(b"<h1>Ward 7, Mrs Lindqvist</h1><h2>Diet</h2><p>Soft.</p><h2>Sleep</h2><p>Poor.</p>")
    assert headings(note, "Soft") == ["Diet"]
    assert headings(note, "Poor") == ["Sleep"]


def test_a_section_alone_in_a_note_stands_over_its_parts():
    note = html_text(b"<h2>Family history</h2><h3>Heart</h3><p>Well.</p><h3>Skin</h3><p>Melanoma.</p>")
    assert headings(note, "Melanoma") == ["Family history", "Skin"]


def test_marks_of_sections_stand_before_those_in_them():
    note = html_text(b"<h2>Plan</h2><h3>Drugs</h3><p><s>Lithium</s> stopped</p><h2>Sleep</h2><p>Good.</p>")
    starts = [(mark.start, -mark.end) for mark in note.marks]
    assert starts == sorted(starts)
    assert headings(note, "Good") == ["Sleep"]


def test_markdown_counts_its_levels():
    text = "# Family history\n## Heart\nInfarction at 51.\n## Kidneys\nPolycystic.\n# Sleep\nPoor."
    found = segment(text)
    shown = {text[s.start : s.end]: [text[p.start : p.end] for p in s.context] for s in found.sentences}
    assert shown["Polycystic."] == ["# Family history", "## Kidneys"]
    assert shown["Poor."] == ["# Sleep"]
