"""PDF tables without ruled lines: a row with empty cells keeps its words in their columns."""

import io
from collections.abc import Sequence

import pytest
from reportlab.lib.pagesizes import letter
from reportlab.pdfgen.canvas import Canvas

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
