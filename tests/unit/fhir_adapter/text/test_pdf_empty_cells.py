"""PDF tables without ruled lines: a row with empty cells keeps its words in their columns."""

import io
from collections.abc import Sequence

import pytest
from reportlab.lib.pagesizes import letter
from reportlab.pdfgen.canvas import Canvas

from fhir_adapter.text.pdf.empty_cells import with_empty_cells
from fhir_adapter.text.pdf.lines import Segment, TextLine
from fhir_adapter.text.pdf.reader import pdf_text
from summarizer.segmentation.segment import segment

XS = (72.0, 210.0, 320.0, 430.0)
CHART = [
    ("Tablet", "Dose", "Hour", "Given by"),
    ("metoprolol", "50 mg", "07:30", "R. Abel"),
    ("", "25 mg", "19:30", "K. Onda"),
    ("lisinopril", "10 mg", "07:30", "R. Abel"),
    ("melatonin", "", "22:00", "K. Onda"),
    ("allopurinol", "100 mg", "", "R. Abel"),
    ("torasemide", "5 mg", "07:30", "R. Abel"),
]
TEXT = """Tablet | Dose | Hour | Given by
metoprolol | 50 mg | 07:30 | R. Abel
| 25 mg | 19:30 | K. Onda
lisinopril | 10 mg | 07:30 | R. Abel
melatonin | | 22:00 | K. Onda
allopurinol | 100 mg | | R. Abel
torasemide | 5 mg | 07:30 | R. Abel"""


def text_of(rows: Sequence[Sequence[str]], right: Sequence[int] = (), bold: Sequence[int] = ()) -> str:
    """The text of a page with a cell at each place; some columns stand at their right, some rows are bold."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=letter, invariant=1)
    for number, row in enumerate(rows):
        canvas.setFont("Helvetica-Bold" if number in bold else "Helvetica", 11)
        for column, (x, words) in enumerate(zip(XS, row, strict=False)):
            draw = canvas.drawRightString if column in right else canvas.drawString
            draw(x + (60 if column in right else 0), letter[1] - 120 - 15 * number, words)
    canvas.showPage()
    canvas.save()
    return pdf_text(out.getvalue()).text


@pytest.mark.parametrize("right", [(), (1,), (1, 2, 3)])
def test_words_stay_in_their_columns(right: tuple[int, ...]) -> None:
    assert text_of(CHART, right) == TEXT


def test_a_row_without_a_name_is_shown_with_that_of_the_row_above() -> None:
    (row,) = [s for s in segment(TEXT).sentences if "25 mg" in TEXT[s.start : s.end]]
    assert "metoprolol" in [TEXT[piece.start : piece.end] for piece in row.context]


@pytest.mark.parametrize(
    "row", [("", "20 mg", "09:00"), ("", "", "09:00", "K. Onda"), ("paracetamol", "", "at need")]
)
def test_a_row_at_the_end_has_empty_cells_too(row: tuple[str, ...]) -> None:
    last = text_of([*CHART, row]).rpartition("\n")[2]
    assert [cell.strip() for cell in last.split("|")] == list(row)


def test_heads_over_all_columns_but_the_first() -> None:
    rows = [("", "Mon", "Tue", "Wed"), *[(f"Drain {n}", f"{n}0 mL", f"{n}5 mL", "5 mL") for n in (1, 2, 3)]]
    assert text_of(rows).partition("\n")[0] == "| Mon | Tue | Wed"


@pytest.mark.parametrize(
    "words", ["Given at night", "He had slept well the whole night and asked for no more tablets."]
)
@pytest.mark.parametrize("before", ["", " " * 9, " " * 33])
def test_what_lines_up_with_no_column_is_no_row(words: str, before: str) -> None:
    rows = [*CHART[:4], (before + words,), *CHART[4:]]
    assert words in text_of(rows).split("\n")


def test_a_bold_line_among_rows_is_a_heading() -> None:
    rows = [*CHART[:4], ("", "At night"), *CHART[4:]]
    assert "At night" in text_of(rows, bold=(4,)).split("\n")


def test_two_rows_make_no_columns() -> None:
    rows = [("Left", "12 mm", "clear"), ("", "see", "below"), ("Right", "14 mm", "clear")]
    assert text_of(rows).split("\n")[1] == "see | below"


def test_letterheads_side_by_side_are_no_rows() -> None:
    rows = [
        ("Ward 4", "", "Phone 1"),
        ("", "Dr. Ama Roe", ""),
        ("", "Consultant", ""),
        ("12 May", "", "Page 1"),
    ]
    assert not any(line.startswith("|") for line in text_of(rows).split("\n"))


def test_a_column_that_is_empty_all_the_way_down_keeps_its_place() -> None:
    head = ("Test", "Result", "Before", "Unit")
    rows = [("Sodium", "131", "", "mmol/L"), ("Urea", "9.4", "", "mmol/L"), ("CRP", "88", "", "mg/L")]
    lines = text_of([head, ("Chemistry",), *rows, ("Ketones", "", "", "not done")]).split("\n")
    assert lines == [
        "Test | Result | Before | Unit",
        "Chemistry",
        "Sodium | 131 | | mmol/L",
        "Urea | 9.4 | | mmol/L",
        "CRP | 88 | | mg/L",
        "Ketones | | | not done",
    ]


def test_a_sentence_with_gaps_above_lines_heads_no_table() -> None:
    rows = [
        ("Seen by", "Dr. Ama Roe on", "ward", "four"),
        ("Name", "  Kofi"),
        ("Born", "  1950"),
        ("Sex", "  male"),
    ]
    assert text_of(rows).split("\n")[1:] == ["Name | Kofi", "Born | 1950", "Sex | male"]


def test_borders_of_two_tables_that_nearly_line_up_are_all_kept() -> None:
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=letter, invariant=1)
    canvas.setFont("Helvetica", 9)
    for top, xs, words in (
        (100.0, (72.0, 200.0, 330.6, 460.0), ("Informant of the patient", "Sister of Kofi", "none")),
        (400.0, (72.0, 200.0, 330.4, 460.0), ("Way of coming to us", "Walked in alone", "none")),
    ):
        heights = [letter[1] - top - 40 * row for row in range(4)]
        canvas.grid(list(xs), heights)
        for row in range(3):
            for x, cell in zip(xs, words, strict=False):
                first, _, last = cell.rpartition(" ")
                canvas.drawString(x + 3, heights[row] - 14, first)
                canvas.drawString(x + 3, heights[row] - 26, f"{last} {row}")
    canvas.showPage()
    canvas.save()
    lines = pdf_text(out.getvalue()).text.replace("; ", " ").split("\n")
    assert [line for line in lines if line] == [
        *[f"Informant of the patient {row} | Sister of Kofi {row} | none {row}" for row in range(3)],
        *[f"Way of coming to us {row} | Walked in alone {row} | none {row}" for row in range(3)],
    ]


def test_a_page_of_thousands_of_lines_is_left_as_it_is() -> None:
    cells = [Segment("a", 70.0 + 60 * column, 90.0 + 60 * column, 0.0, 10.0) for column in range(5)]
    lines = [TextLine(cells[: 5 if at % 3 else 4], 14.0 * at, 11.0) for at in range(20_000)]
    assert with_empty_cells(lines) == {}


def test_marks_under_yes_and_no_stay_in_their_columns_in_two_rows() -> None:
    form = [("Asked", "Yes", "No"), ("Metal implant", "", "X"), ("Nut allergy", "X", "")]
    text = text_of(form)
    assert text == "Asked | Yes | No\nMetal implant | | X\nNut allergy | X"
    rows = segment(text).sentences[1:]
    assert [[text[p.start : p.end] for p in row.context] for row in rows] == [["Asked | Yes | No"]] * 2
