"""Small notes of each format, made for one feature of the text, and what is read from them."""

import io
from collections.abc import Callable

import docx
from reportlab.lib.pagesizes import letter
from reportlab.pdfgen.canvas import Canvas

from fhir_adapter.note import Content, NoteText
from fhir_adapter.text import Limits
from fhir_adapter.text.formats import read
from summarizer.types import MarkKind

Run = Callable[["docx.text.run.Run"], object]
WORD = "http://schemas.microsoft.com/office/word/2010/wordml"
MAIN = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def note(data: bytes, media_type: str = "") -> NoteText:
    return read(Content("x", data, media_type), Limits())


def html(body: str) -> NoteText:
    return note(f"<html><body>{body}</body></html>".encode(), "text/html")


def rtf(body: str) -> NoteText:
    fonts = r"{\fonttbl{\f0 Arial;}{\f1 Symbol;}{\f2 Wingdings;}}"
    return note(rf"{{\rtf1\ansi{fonts}\f0 {body}}}".encode("latin-1"))


def cda(narrative: str) -> NoteText:
    section = f"<component><section><title>S</title><text>{narrative}</text></section></component>"
    body = f"<component><structuredBody>{section}</structuredBody></component>"
    return note(f'<ClinicalDocument xmlns="urn:hl7-org:v3">{body}</ClinicalDocument>'.encode())


def word(*paragraphs: str) -> NoteText:
    """A DOCX with paragraphs given as the XML of their content."""
    document = docx.Document()
    for inner in paragraphs:
        element = document.add_paragraph()._p
        wrapped = f'<w:p xmlns:w="{MAIN}" xmlns:w14="{WORD}">{inner}</w:p>'
        element.getparent().replace(element, docx.oxml.parse_xml(wrapped))
    return saved(document)


def saved(document: "docx.document.Document") -> NoteText:
    out = io.BytesIO()
    document.save(out)
    return note(out.getvalue())


def run(text: str, properties: str = "") -> str:
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def pdf(draw: Callable[[Canvas], None]) -> NoteText:
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=letter, invariant=1)
    canvas.setFont("Helvetica", 11)
    draw(canvas)
    canvas.showPage()
    canvas.save()
    return note(out.getvalue())


def body(found: NoteText) -> str:
    """The text without a document's title."""
    return found.text.removeprefix("S\n")


def marked(found: NoteText, kind: MarkKind) -> list[str]:
    return [found.text[mark.start : mark.end] for mark in found.marks if mark.kind is kind]
