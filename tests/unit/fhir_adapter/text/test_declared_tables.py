"""What the formats declare of their tables: rows, names of columns and rows, captions."""

from collections.abc import Callable

import docx
import pytest
from docx.shared import Pt

from fhir_adapter.note import NoteText
from summarizer.segmentation.segment import segment
from summarizer.types import MarkKind
from tests.unit.fhir_adapter.text.small_notes import MAIN, cda, html, marked, rtf, saved

DRUGS = [("Drug", "Status"), ("Warfarin", "stopped"), ("Apixaban", "active")]
ROWS = ["Warfarin | stopped", "Apixaban | active"]


def table_of_word(*, header: bool = False, bold: bool = False, caption: bool = False) -> NoteText:
    document = docx.Document()
    document.add_paragraph("Drugs", style="Caption" if caption else None)
    table = document.add_table(rows=0, cols=2)
    for number, values in enumerate(DRUGS):
        row = table.add_row()
        for cell, value in zip(row.cells, values, strict=True):
            written = cell.paragraphs[0].add_run(value)
            written.bold = bold and not number
            written.font.size = Pt(10)
        if header and not number:
            row._tr.get_or_add_trPr().append(docx.oxml.parse_xml(f'<w:tblHeader xmlns:w="{MAIN}"/>'))
    return saved(document)


def cells(tag: str, values: tuple[str, str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{value}</{tag}>" for value in values) + "</tr>"


def cells_of_rtf(values: tuple[str, str], before: str = "") -> str:
    return rf"\trowd{before}\pard\intbl " + "".join(rf"{value}\cell " for value in values) + r"\row"


REST = "".join(cells("td", row) for row in DRUGS[1:])


@pytest.mark.parametrize(
    "found",
    [
        html(f"<table>{cells('th', DRUGS[0])}{REST}</table>"),
        html(f"<table><thead>{cells('td', DRUGS[0])}</thead><tbody>{REST}</tbody></table>"),
        html(f"<table>{cells('td', ('<b>Drug</b>', '<strong>Status</strong>'))}{REST}</table>"),
        cda(f"<table><thead>{cells('th', DRUGS[0])}</thead><tbody>{REST}</tbody></table>"),
        rtf(cells_of_rtf(DRUGS[0], r"\trhdr") + "".join(map(cells_of_rtf, DRUGS[1:]))),
        rtf(cells_of_rtf((r"{\b Drug}", r"{\b Status}")) + "".join(map(cells_of_rtf, DRUGS[1:]))),
        table_of_word(header=True),
        table_of_word(bold=True),
    ],
)
def test_formats_declare_rows_and_heads_of_columns(found: NoteText) -> None:
    assert marked(found, MarkKind.COLUMNS) == ["Drug | Status"]
    assert marked(found, MarkKind.ROW) == ROWS


def test_a_table_all_in_one_look_names_no_columns() -> None:
    assert marked(table_of_word(), MarkKind.COLUMNS) == []
    assert marked(html(f"<table>{REST}</table>"), MarkKind.ROW) == ROWS


def test_captions_and_heads_of_rows_are_declared() -> None:
    rows = "<tr><th scope=row>Warfarin</th><td>5 mg</td></tr>"
    found = html(f"<table><caption>Stopped drugs</caption>{rows}</table>")
    assert marked(found, MarkKind.CAPTION) == ["Stopped drugs"]
    assert marked(found, MarkKind.ROW_HEAD) == ["Warfarin"]
    assert marked(table_of_word(caption=True), MarkKind.CAPTION) == ["Drugs"]
    group = html(f"<table>{cells('th', DRUGS[0])}<tr><th colspan=2>STOPPED</th></tr>{REST}</table>")
    assert marked(group, MarkKind.CAPTION) == ["STOPPED"]


@pytest.mark.parametrize("form", [html, cda])
def test_a_row_without_values_heads_none_where_rows_have_names(form: Callable[[str], NoteText]) -> None:
    named = [f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in DRUGS[1:]]
    found = form(f"<table>{named[0]}<tr><th>Heparin</th><td></td></tr>{named[1]}</table>")
    assert marked(found, MarkKind.CAPTION) == []
    assert marked(found, MarkKind.ROW) == [ROWS[0], "Heparin", ROWS[1]]


def test_marks_stand_in_order_and_inside_the_text() -> None:
    found = html(f"<ul><li><s>x</s><table>{cells('th', DRUGS[0])}{REST}</table></ul>")
    assert [mark.start for mark in found.marks] == sorted(mark.start for mark in found.marks)
    assert all(found.text[mark.start : mark.end].strip() for mark in found.marks)


def test_a_row_with_one_value_stays_in_its_table() -> None:
    head = "<tr><th>Side</th><th>Vein</th></tr>"
    spanned = "<tr><td rowspan=2>Left</td><td>patent</td></tr><tr><td>no clot</td></tr>"
    found = html(f"<table>{head}{spanned}<tr><td>Valve</td><td></td></tr></table>")
    assert marked(found, MarkKind.ROW) == ["Left | patent", "| no clot", "Valve"]


@pytest.mark.parametrize("space", ["pre-line", "pre-wrap", "pre"])
def test_a_cell_that_keeps_its_line_ends_stays_in_its_row(space: str) -> None:
    cell = f'<td style="white-space: {space}">Isolate 1\nCefazolin: resistant\nAmikacin: susceptible</td>'
    rows = f"<tr><td>Urine culture</td>{cell}<td>4 May<tr><td>pH<td>6<td>5 May"
    found = html(f"<table><thead><tr><th>Test<th>Result<th>Date</thead>{rows}</table>")
    assert marked(found, MarkKind.ROW) == [
        "Urine culture | Isolate 1; Cefazolin: resistant; Amikacin: susceptible | 4 May",
        "pH | 6 | 5 May",
    ]


def test_a_laid_out_cell_is_a_page() -> None:
    cell = "<td><pre>WBC      7.1\nHGB     13.9</pre></td>"
    assert "WBC      7.1" in html(f"<table><tr><td>Labs</td>{cell}</tr></table>").text.split("\n")


@pytest.mark.parametrize("form", [html, cda])
def test_a_row_in_a_cell_parts_no_columns_of_the_table_outside(form: Callable[[str], NoteText]) -> None:
    inner = "<table><tbody><tr><td>Count: 30</td><td>Refills: 2</td></tr></tbody></table>"
    head = "<thead><tr><th>Drug</th><th>Since</th></tr></thead>"
    row = f"<tr><td>sotalol {inner}</td><td>May</td></tr>"
    assert "sotalol; Count: 30, Refills: 2 | May" in form(
        f"<table>{head}<tbody>{row}</tbody></table>"
    ).text.split("\n")


@pytest.mark.parametrize("form", [html, cda])
@pytest.mark.parametrize("question", ["May receive blood products?", "Wishes to be told the result?"])
def test_the_one_column_of_a_table_keeps_its_head(form: Callable[[str], NoteText], question: str) -> None:
    rows = "<tbody><tr><td>no</td></tr></tbody>"
    document = form(f"<table><thead><tr><th>{question}</th></tr></thead>{rows}</table>").document()
    (found,) = [
        s
        for s in segment(document.text, document.headings, document.marks).sentences
        if document.text[s.start : s.end] == "no"
    ]
    assert question in [document.text[piece.start : piece.end] for piece in found.context]
