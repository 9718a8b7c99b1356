"""Cells of plain text that go on below their row: no word of one stands in another."""

import pytest

from summarizer.segmentation.segment import segment
from tests.unit.summarizer.segmentation.test_context import shown

STOP_START = """STOP                      START
Carvedilol 3.125          Bisoprolol
mg twice daily            5 mg once daily
Ibuprofen                 Paracetamol"""

FIRST = """STOP                      START
Carvedilol tablet 25      Bisoprolol 5 mg
mg twice daily
Ibuprofen                 Paracetamol"""

THREE = """Stop                Start               Continue
Naproxen            Celecoxib 100 mg    Metformin 500 mg
                    twice a day
                                        with food
Zolpidem            Melatonin           Iron"""


@pytest.mark.parametrize(
    ("text", "words", "context"),
    [
        (STOP_START, "mg twice", [("column", "STOP"), ("row", "Carvedilol 3.125")]),
        (STOP_START, "once daily", [("column", "START"), ("row", "Bisoprolol")]),
        (STOP_START, "Ibuprofen", [("column", "STOP START")]),
        (FIRST, "mg twice", [("column", "STOP"), ("row", "Carvedilol tablet 25")]),
        (FIRST, "Ibuprofen", [("column", "STOP START")]),
        (THREE, "twice a day", [("column", "Start"), ("row", "Celecoxib 100 mg")]),
        (THREE, "with food", [("column", "Continue"), ("row", "Metformin 500 mg")]),
        (THREE, "Zolpidem", [("column", "Stop Start Continue")]),
    ],
)
def test_the_rest_of_a_cell_stands_with_its_cell_and_column(
    text: str, words: str, context: list[tuple[str, str]]
) -> None:
    assert shown(text, words) == context


def test_the_rest_of_the_last_cell_reads_on_from_its_row() -> None:
    text = "STOP              START\nNaproxen          Celecoxib 100 mg\n                  twice a day"
    assert text[segment(text).sentences[-1].start :].startswith("Naproxen")


def test_the_rest_of_a_cell_is_of_its_row_where_a_row_is_one_thing() -> None:
    rows = [
        "Bumetanide     Take 1 mg        Active",
        "               every evening",
        "Digoxin        Take 5 mg   Held",
    ]
    text = "\n".join(rows)
    assert [text[s.start : s.end].split()[0] for s in segment(text).sentences] == ["Bumetanide", "Digoxin"]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        # The rows below are no rest of the one above.
        ("Test         Value\nSodium       141\nurea         9\nglucose      5.1", 4),
        ("Drug           Dose\nWarfarin       5 mg\naspirin        81 mg\nIron           65 mg", 4),
        # Running text below a table is none of its cells.
        ("Drug           Dose\nWarfarin       5 mg\nand the rest of the day was quiet.", 3),
    ],
)
def test_a_row_of_its_own_is_no_rest(text: str, rows: int) -> None:
    found = segment(text).sentences
    assert len(found) == rows
    assert not any(piece.kind == "row" for s in found for piece in s.context)
