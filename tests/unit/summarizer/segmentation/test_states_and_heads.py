"""Titles that say what became of things, rows of labels over columns, and what must be ruled out."""

import pytest

from summarizer.segmentation.segment import segment
from tests.unit.summarizer.segmentation.test_context import shown


@pytest.mark.parametrize("state", ["Discontinued", "Stopped", "Held", "Resumed"])
@pytest.mark.parametrize(
    "below", ["\n\n   sotalol 80 mg\n   ramipril 5 mg", "\n  sotalol 80 mg\n  ramipril 5 mg"]
)
def test_what_became_of_drugs_heads_them(state: str, below: str) -> None:
    text = f"He was seen on Monday.\n\n{state} Medications{below}\n\nFamily History\n\nGout"
    assert shown(text, "ramipril") == [("heading", f"{state} Medications")]
    assert shown(text, "Gout") == [("heading", "Family History")]


@pytest.mark.parametrize(
    "line", ["Discontinued medications today", "Held Medications were given", "New Wheelchair"]
)
def test_a_line_that_says_something_is_no_title(line: str) -> None:
    text = f"He was seen.\n\n{line}\n\nHe went home."
    assert shown(text, "went home") == []
    assert line in [text[s.start : s.end] for s in segment(text).sentences]


@pytest.mark.parametrize(
    ("head", "row"),
    [
        ("Past Medical:        Past Surgical:", "Gout                 Bypass in 2009"),
        ("Right ear:           Left ear:", "clear                wax"),
        ("HOME MEDS            WARD MEDS", "sotalol 80 mg        none"),
        ("Labs         0600    1400", "Potassium    6.1     pending"),
    ],
)
def test_a_row_of_labels_names_columns(head: str, row: str) -> None:
    found = segment(f"{head}\n{row}").sentences
    assert [piece.kind.value for piece in found[-1].context] == ["column"]


@pytest.mark.parametrize("words", ["rule out", "Need to rule out", "This is a way of ruling out"])
def test_what_must_be_ruled_out_stands_with_it(words: str) -> None:
    text = f"{words}\nPE"
    assert [text[s.start : s.end] for s in segment(text).sentences] == [text]


def test_what_was_ruled_out_may_end_a_line() -> None:
    text = "Infarct was ruled out\nPLAN: home"
    assert [text[s.start : s.end] for s in segment(text).sentences] == ["Infarct was ruled out", "home"]
