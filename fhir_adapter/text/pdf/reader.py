"""PDF: the text of its pages in reading order, by PDFium.

The recipe `pdf|2+pdfium-N`, N being PDFium's build, since its reading of a file is part of the result:

- ruled tables are rows, cells joined by ` | ` (`pdf_tables`); columns follow one another (`pdf_layout`);
- page numbers are left out; running headers and footers stand once, where they come first;
- ligatures are written out; a word parted at a line end is brought together, its hyphen kept unless the
  document itself has the word without one; lines are kept as they are, paragraphs parted by a blank line;
- text of filled forms and of visible annotations is part of the page.

A page whose picture covers it and that has next to no text counts as without text. Where pages are without,
scanned, damaged or blank, the notice says on how many there is text.
"""

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from fhir_adapter.errors import NoteError
from fhir_adapter.note import NoteText
from fhir_adapter.reasons import Reason
from fhir_adapter.text.builder import TextBuilder
from fhir_adapter.text.lines import Line, clean
from fhir_adapter.text.pdf.layout import PageLine, page_lines
from fhir_adapter.text.pdf.lines import mend_hyphens, words_of
from fhir_adapter.text.pdf.margins import without_repeats
from fhir_adapter.text.pdf.page import PageContent, read_page
from fhir_adapter.text.recipe import recipe

MEDIA_TYPE = "application/pdf"
MAX_PAGES = 2_000
_PICTURE_PAGE = 0.5
_FEW_CHARACTERS = 60
_SHOWN_ANNOTATIONS = frozenset(
    {raw.FPDF_ANNOT_WIDGET, raw.FPDF_ANNOT_FREETEXT, raw.FPDF_ANNOT_STAMP, raw.FPDF_ANNOT_TEXT}
)


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
    pages: list[list[PageLine]] = []
    heights: list[float] = []
    with_text = scanned = damaged = 0
    for number in range(count):
        content = _page(document, number)
        if content is None:
            damaged += 1
            pages.append([])
            heights.append(0.0)
            continue
        few = content.characters < _FEW_CHARACTERS
        if content.pictured >= _PICTURE_PAGE and few:
            scanned += 1
        elif content.characters:
            with_text += 1
        pages.append(page_lines(content))
        heights.append(content.height)
    if not with_text:
        if scanned:
            raise NoteError(Reason.SCANNED_IMAGE, f"text on 0 of {count} pages")
        raise NoteError(Reason.MALFORMED if damaged else Reason.EMPTY_TEXT, f"text on 0 of {count} pages")
    notice = f"text on {with_text} of {count} pages" if with_text < count else ""
    builder = TextBuilder()
    builder.add(_joined(without_repeats(pages, heights)))
    build = f"2+pdfium-{pdfium.version.PDFIUM_INFO.build}"
    return builder.build(recipe("pdf", build), MEDIA_TYPE, notice)


def _page(document: pdfium.PdfDocument, number: int) -> PageContent | None:
    """The content of a page, or None where PDFium cannot load it."""
    try:
        page = document[number]
    except pdfium.PdfiumError:
        return None
    try:
        if _shows_annotations(page) and raw.FPDFPage_Flatten(page.raw, raw.FLAT_NORMALDISPLAY) == 1:
            page.close()
            page = document[number]
        return read_page(page)
    finally:
        page.close()


def _shows_annotations(page: pdfium.PdfPage) -> bool:
    for at in range(min(raw.FPDFPage_GetAnnotCount(page.raw), 5_000)):
        annotation = raw.FPDFPage_GetAnnot(page.raw, at)
        if annotation:
            kind = raw.FPDFAnnot_GetSubtype(annotation)
            raw.FPDFPage_CloseAnnot(annotation)
            if kind in _SHOWN_ANNOTATIONS:
                return True
    return False


def _joined(pages: list[list[PageLine]]) -> list[Line]:
    """The lines of all pages; a page that breaks a sentence does not break the paragraph."""
    lines: list[Line] = []
    for page in pages:
        for at, line in enumerate(page):
            goes_on = not at and lines and lines[-1].text[-1:].isalnum() and line.text[:1].islower()
            if line.blank and not goes_on:
                lines.append(Line(""))
            lines.append(Line(clean(line.text), line.kind))
    vocabulary = set().union(*(words_of(line.text) for line in lines)) if lines else set()
    return mend_hyphens(lines, vocabulary)
