"""PDF: the text of its pages in reading order, by PDFium.

The recipe `pdf|6+pdfium-N`, N being PDFium's build, since its reading of a file is part of the result:

- tables are rows, cells joined by ` | ` (`tables`, `empty_cells`, `wrapped_cells`); columns follow one
  another (`layout`);
- page numbers are left out; running headers stand once, where they come first, running footers where they
  come last; a letterhead or a foot that would part a sentence stands behind its paragraph (`pages`);
- ligatures are written out; a word parted at a line end is brought together, its hyphen kept unless the
  document itself has the word without one; lines are kept as they are, paragraphs parted by a blank line;
- text of filled forms and of visible annotations is part of the page; buttons of forms and boxes that are
  drawn, strike-out and superscripts are written as `notation` has them.

A page whose picture covers it and that has next to no text counts as without text. Where pages are without,
scanned, damaged or blank, the notice says on how many there is text.
"""

from dataclasses import dataclass

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from fhir_adapter.errors import NoteError
from fhir_adapter.note import NoteText
from fhir_adapter.reasons import Reason
from fhir_adapter.text.builder import TextBuilder
from fhir_adapter.text.pdf.boxes import strike_out, take_boxes
from fhir_adapter.text.pdf.forms import fill_in, read_annotations
from fhir_adapter.text.pdf.layout import PageLine, page_lines
from fhir_adapter.text.pdf.margins import without_repeats
from fhir_adapter.text.pdf.page import read_words
from fhir_adapter.text.pdf.pages import joined
from fhir_adapter.text.pdf.place import Turn
from fhir_adapter.text.pdf.shapes import read_shapes
from fhir_adapter.text.pdf.spacing import with_blanks
from fhir_adapter.text.recipe import recipe

MEDIA_TYPE = "application/pdf"
MAX_PAGES = 2_000
_PICTURE_PAGE = 0.5
_FEW_CHARACTERS = 60


@dataclass(slots=True)
class _Counts:
    """What the notice says of a document."""

    with_text: int = 0
    scanned: int = 0
    damaged: int = 0
    unsure: int = 0
    differing: int = 0


def pdf_text(data: bytes) -> NoteText:
    """The text of a PDF.

    Raises:
        NoteError: `malformed`, `encrypted`, `scanned-image` (pictures of pages and no text), `empty-text`,
            `too-large` (more than `MAX_PAGES` pages).
    """
    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        code = getattr(error, "err_code", None)
        if code in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY):
            raise NoteError(Reason.ENCRYPTED, "PDF") from None
        raise NoteError(Reason.MALFORMED, "PDF") from None
    try:
        return _text(document)
    except pdfium.PdfiumError:
        raise NoteError(Reason.MALFORMED, "PDF page") from None
    finally:
        document.close()


def _text(document: pdfium.PdfDocument) -> NoteText:
    count = len(document)
    if count > MAX_PAGES:
        raise NoteError(Reason.TOO_LARGE, f"{count} pages")
    if count < 1:
        raise NoteError(Reason.MALFORMED, "PDF without pages")
    if document.get_formtype() != raw.FORMTYPE_NONE:
        document.init_forms()
    pages: list[list[PageLine]] = []
    heights: list[float] = []
    counts = _Counts()
    for number in range(count):
        lines, height = _page(document, number, counts)
        pages.append(lines)
        heights.append(height)
    if not counts.with_text:
        if counts.scanned:
            raise NoteError(Reason.SCANNED_IMAGE, f"text on 0 of {count} pages")
        reason = Reason.MALFORMED if counts.damaged else Reason.EMPTY_TEXT
        raise NoteError(reason, f"text on 0 of {count} pages")
    builder = TextBuilder()
    builder.add(joined(without_repeats(pages, heights), heights))
    build = f"6+pdfium-{pdfium.version.PDFIUM_INFO.build}"
    return builder.build(recipe("pdf", build), MEDIA_TYPE, _notice(counts, count, document))


def _notice(counts: _Counts, pages: int, document: pdfium.PdfDocument) -> str:
    dynamic = document.get_formtype() == raw.FORMTYPE_XFA_FULL
    remarks = [
        f"text on {counts.with_text} of {pages} pages" if counts.with_text < pages else "",
        f"{counts.unsure} boxes state two different states" if counts.unsure else "",
        f"{counts.differing} form fields show other words than they hold" if counts.differing else "",
        "a form whose content (XFA) is not read" if dynamic else "",
    ]
    return "; ".join(remark for remark in remarks if remark)


def _page(document: pdfium.PdfDocument, number: int, counts: _Counts) -> tuple[list[PageLine], float]:
    """The lines of a page and its height; none where PDFium cannot load it."""
    try:
        page = document[number]
    except pdfium.PdfiumError:
        counts.damaged += 1
        return [], 0.0
    try:
        turn = Turn(page)
        annotations = read_annotations(document, page, turn)
        if annotations.shown and raw.FPDFPage_Flatten(page.raw, raw.FLAT_NORMALDISPLAY) == 1:
            page.close()
            page = document[number]
        content, shapes = read_words(page, turn), read_shapes(page, turn)
    finally:
        page.close()
    content.words = with_blanks(content.words)
    few = content.characters < _FEW_CHARACTERS
    if shapes.pictured >= _PICTURE_PAGE and few:
        counts.scanned += 1
    elif content.characters:
        counts.with_text += 1
    counts.unsure += annotations.unsure
    counts.differing += fill_in(content, annotations.fields)
    take_boxes(content, shapes, [each.area for each in annotations.fields])
    strike_out(content, shapes, annotations.struck)
    return page_lines(content, shapes), content.height
