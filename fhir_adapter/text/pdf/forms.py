"""Forms and annotations of a page: what is ticked, chosen and filled in, and what is struck out.

Filled fields are part of a page only by the picture that a program left of them, and that of a tick is a
character of some font. What a field holds says more (PDF 32000-1:2008, section 12.7).
"""

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass, field

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from fhir_adapter.text.lines import clean
from fhir_adapter.text.notation import box, radio, without_signs
from fhir_adapter.text.pdf.page import PageContent, Word
from fhir_adapter.text.pdf.place import Turn
from fhir_adapter.text.pdf.shapes import Area

_MAX_ANNOTATIONS = 5_000
_MAX_QUADS = 500
_MAX_VALUE = 100_000
_UNSEEN = 0x01 | 0x02 | 0x20  # invisible, hidden, no view
_TEXT_SIZE = 11.0
_SHOWN = frozenset(
    {raw.FPDF_ANNOT_WIDGET, raw.FPDF_ANNOT_FREETEXT, raw.FPDF_ANNOT_STAMP, raw.FPDF_ANNOT_TEXT}
)
_BUTTONS = {raw.FPDF_FORMFIELD_CHECKBOX: box, raw.FPDF_FORMFIELD_RADIOBUTTON: radio}
_VALUES = frozenset({raw.FPDF_FORMFIELD_TEXTFIELD, raw.FPDF_FORMFIELD_COMBOBOX, raw.FPDF_FORMFIELD_LISTBOX})


@dataclass(frozen=True, slots=True)
class Field:
    """A form field: a button as `notation` has it, or the value of any other."""

    area: Area
    button: str = ""
    value: str = ""


@dataclass(slots=True)
class Annotations:
    """What lies on a page.

    Attributes:
        fields: form fields that can be seen.
        struck: places of strike-outs.
        shown: there is something that flattening draws into the page.
        unsure: buttons whose two statements of their state differ.
    """

    fields: list[Field] = field(default_factory=list)
    struck: list[Area] = field(default_factory=list)
    shown: bool = False
    unsure: int = 0


def read_annotations(document: pdfium.PdfDocument, page: pdfium.PdfPage, turn: Turn) -> Annotations:
    """The annotations of a page, before they are drawn into it."""
    found = Annotations()
    form = document.formenv.raw if document.formenv is not None else None
    for annotation in _annotations(page):
        kind = raw.FPDFAnnot_GetSubtype(annotation)
        if raw.FPDFAnnot_GetFlags(annotation) & _UNSEEN:
            continue
        found.shown = found.shown or kind in _SHOWN
        if kind == raw.FPDF_ANNOT_STRIKEOUT:
            found.struck += _quads(annotation, turn)
        elif kind == raw.FPDF_ANNOT_WIDGET and form is not None:
            _read_field(form, annotation, turn, found)
    return found


def fill_in(content: PageContent, fields: list[Field]) -> int:
    """Writes what fields hold where the page does not show it; returns how many show something else.

    The tick that a program drew for a button is taken out: the button says it.
    """
    other = 0
    for each in fields:
        inside = [word for word in content.words if _holds(each.area, word)]
        if each.button:
            drawn = {id(word) for word in inside if len(word.text) == 1}
            content.words = [word for word in content.words if id(word) not in drawn]
            content.words.append(_word(each.button, each.area, content.words))
        elif each.value and not inside:
            content.words += _lines(each)
        elif each.value:
            shown, held = (
                "".join(character for character in text if character.isalnum())
                for text in ("".join(word.text for word in inside), each.value)
            )
            other += not (shown in held or held in shown)
    return other


def _annotations(page: pdfium.PdfPage) -> Iterator[object]:
    for at in range(min(raw.FPDFPage_GetAnnotCount(page.raw), _MAX_ANNOTATIONS)):
        annotation = raw.FPDFPage_GetAnnot(page.raw, at)
        if annotation:
            try:
                yield annotation
            finally:
                raw.FPDFPage_CloseAnnot(annotation)


def _read_field(form: object, annotation: object, turn: Turn, found: Annotations) -> None:
    rectangle = raw.FS_RECTF()
    if not raw.FPDFAnnot_GetRect(annotation, rectangle):
        return
    area = turn.area(rectangle.left, rectangle.bottom, rectangle.right, rectangle.top)
    kind = raw.FPDFAnnot_GetFormFieldType(form, annotation)
    if kind in _BUTTONS:
        state: bool | None = raw.FPDFAnnot_IsChecked(form, annotation) == 1
        said = _text(raw.FPDFAnnot_GetFormFieldValue, form, annotation)
        shown = _text(raw.FPDFAnnot_GetStringValue, annotation, b"AS")
        held = said not in ("", "Off")
        if kind == raw.FPDF_FORMFIELD_CHECKBOX and shown and said and (shown != "Off") != held:
            state = None
            found.unsure += 1
        found.fields.append(Field(area, button=_BUTTONS[kind](state)))
    elif kind in _VALUES:
        value = _text(raw.FPDFAnnot_GetFormFieldValue, form, annotation)
        found.fields.append(Field(area, value=clean(without_signs(value)).strip()))


def _text(get: object, *arguments: object) -> str:
    """A string by one of PDFium's functions that fill a buffer with UTF-16."""
    assert callable(get)
    size = int(get(*arguments, None, 0))
    if not 2 < size <= 2 * _MAX_VALUE:
        return ""
    buffer = (ctypes.c_ushort * (size // 2 + 1))()
    get(*arguments, buffer, size)
    return bytes(buffer)[: size - 2].decode("utf-16-le", "replace")


def _quads(annotation: object, turn: Turn) -> list[Area]:
    areas: list[Area] = []
    quad = raw.FS_QUADPOINTSF()
    for at in range(min(int(raw.FPDFAnnot_CountAttachmentPoints(annotation)), _MAX_QUADS)):
        if raw.FPDFAnnot_GetAttachmentPoints(annotation, at, quad):
            xs, ys = (quad.x1, quad.x2, quad.x3, quad.x4), (quad.y1, quad.y2, quad.y3, quad.y4)
            areas.append(turn.area(min(xs), min(ys), max(xs), max(ys)))
    return areas


def _holds(area: Area, word: Word) -> bool:
    x, y = (word.x0 + word.x1) / 2, word.y - 0.3 * word.size
    return area[0] - 1 <= x <= area[2] + 1 and area[1] - 1 <= y <= area[3] + 1


def _word(text: str, area: Area, words: list[Word]) -> Word:
    """A button as a word on the line of what stands beside it."""
    high = area[3] - area[1]
    middle = (area[1] + area[3]) / 2
    near = [word for word in words if abs(word.y - 0.3 * word.size - middle) <= 0.5 * max(word.size, high)]
    beside = min(near, key=lambda word: min(abs(word.x0 - area[2]), abs(area[0] - word.x1)), default=None)
    size = min(high, _TEXT_SIZE) if beside is None else beside.size
    return Word(text, area[0], area[2], middle + 0.35 * size if beside is None else beside.y, size)


def _lines(each: Field) -> list[Word]:
    """The value of a field that the page does not show, line by line within its place."""
    lines = [line.strip() for line in each.value.splitlines() if line.strip()]
    left, top, right, bottom = each.area
    step = min((bottom - top) / max(len(lines), 1), 1.3 * _TEXT_SIZE)
    size = max(min(step / 1.2, _TEXT_SIZE), 1.0)
    return [
        Word(line, left, right, top + at * step + 0.5 * step + 0.35 * size, size)
        for at, line in enumerate(lines)
    ]
