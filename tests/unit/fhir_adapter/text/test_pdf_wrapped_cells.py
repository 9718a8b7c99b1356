"""PDF tables without ruled lines: a cell of several lines stands whole in its row."""

import io
from collections.abc import Sequence

import pytest
from reportlab.lib.pagesizes import letter
from reportlab.pdfgen.canvas import Canvas

from fhir_adapter.text.pdf.reader import pdf_text

XS = (72.0, 210.0, 320.0, 430.0)
Place = tuple[int, str]
HEAD = [(0, "Allergen"), (1, "Result"), (2, "Unit"), (3, "Class")]


def row(*cells: str) -> list[Place]:
    """Cells in the columns from the left."""
    return list(enumerate(cells))


def text_of(lines: Sequence[tuple[float, Sequence[Place]]]) -> str:
    """The text of a page; each line stands so far below the one before, with words in some columns."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=letter, invariant=1)
    canvas.setFont("Helvetica", 9)
    y = letter[1] - 120
    for step, cells in lines:
        y -= step
        for column, words in cells:
            canvas.drawString(XS[column], y, words)
    canvas.showPage()
    canvas.save()
    return pdf_text(out.getvalue()).text


ROWS = [(14.0, row(name, "0.4", "kU/L", "1")) for name in ("Birch", "Hazel", "Oak", "Elm")]


@pytest.mark.parametrize(
    ("lines", "whole"),
    [
        (
            [(14.0, row("House dust", "9.1", "kU/L", "3")), (10.0, [(0, "mite")])],
            "House dust mite | 9.1 | kU/L | 3",
        ),
        ([(14.0, row("Cat", "9.1", "kU/L", "3")), (10.0, [(3, "(high)")])], "Cat | 9.1 | kU/L | 3 (high)"),
        (
            [(14.0, row("Wasp", "9.1", "kU/L", "3")), (10.0, [(0, "and bee")]), (10.0, [(0, "venom")])],
            "Wasp and bee venom | 9.1 | kU/L | 3",
        ),
        (
            [(14.0, [(0, "House dust")]), (5.0, [(1, "9.1"), (2, "kU/L"), (3, "3")]), (5.0, [(0, "mite")])],
            "House dust mite | 9.1 | kU/L | 3",
        ),
        ([(14.0, [(0, "Latex")]), (10.0, [(0, "not done")])], "Latex not done"),
    ],
)
def test_a_cell_of_several_lines_is_whole(lines: list[tuple[float, list[Place]]], whole: str) -> None:
    text = text_of([(0.0, HEAD), *ROWS[:2], *lines, *ROWS[2:]])
    assert text.split("\n") == [
        "Allergen | Result | Unit | Class",
        "Birch | 0.4 | kU/L | 1",
        "Hazel | 0.4 | kU/L | 1",
        whole,
        "Oak | 0.4 | kU/L | 1",
        "Elm | 0.4 | kU/L | 1",
    ]


@pytest.mark.parametrize(
    "lines",
    [
        # As far from the row above as the rows from each other: a row, a remark or a heading of its own.
        [(14.0, [(0, "Latex")])],
        [(13.0, [(0, "Latex")])],
        # Under no column, across two of them, or a row itself.
        [(10.0, [(0, "       Latex")])],
        [(10.0, [(0, "Latex was not done, the tube had broken.")])],
        [(10.0, [(0, "Latex"), (3, "0")])],
    ],
)
def test_what_is_no_piece_of_a_cell_stays_a_line(lines: list[tuple[float, list[Place]]]) -> None:
    text = text_of([(0.0, HEAD), *ROWS, *lines, (14.0, row("Alder", "0.4", "kU/L", "1"))])
    assert "Elm | 0.4 | kU/L | 1\n" in text
    assert any(line.startswith("Latex") for line in text.split("\n"))


def test_rows_in_pairs_are_not_joined() -> None:
    pairs = [(20.0 if at % 2 else 11.0, line) for at, (_, line) in enumerate([*ROWS, *ROWS])]
    text = text_of([*pairs, (11.0, [(0, "Latex")]), (20.0, row("Alder", "0.4", "kU/L", "1"))])
    assert "\nLatex\n" in text
