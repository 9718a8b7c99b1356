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


@pytest.mark.parametrize("title", ["Discontinued medications", "Medications Stopped", "MEDICATIONS HELD"])
def test_what_became_of_drugs_heads_the_lines_right_under_it(title: str) -> None:
    text = f"He was seen.\n\n{title}\nsotalol\nramipril\n\nHe is well."
    assert shown(text, "sotalol") == shown(text, "ramipril") == [("heading", title)]


@pytest.mark.parametrize("title", ["=== Left hand ===", "--- STOP THESE ---"])
def test_a_drawn_title_stands_over_the_paragraph_behind_a_blank_line(title: str) -> None:
    text = f"{title}\n\nsotalol\nramipril\n\nHe is well.\n\nHe sleeps."
    assert [piece[1] for piece in shown(text, "sotalol")] == [title]


@pytest.mark.parametrize(
    "line", ["Consent given", "CONSENT [x] GIVEN", "Refused procedure", "Surgery planned"]
)
def test_what_became_of_other_things_is_a_statement(line: str) -> None:
    text = f"He was seen.\n\n{line}\nInterpreter asked."
    assert line in [text[s.start : s.end] for s in segment(text).sentences]


def test_a_label_of_lines_without_stops_ends_above_a_short_sentence() -> None:
    text = "Denies:\nfever\nchills\n\nHas cough."
    assert shown(text, "cough") == []


@pytest.mark.parametrize(
    "line",
    ["Discontinued medications today", "Held Medications were given", "New Wheelchair", "Consent given"],
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
        ("Drug         Mon     Sunday", "sotalol      given   refused"),
        ("Asked          Yes    No", "Metal implant         X"),
        ("Past history     Family history", "Gout             Sister: lupus"),
    ],
)
def test_a_row_of_labels_names_columns(head: str, row: str) -> None:
    found = segment(f"{head}\n{row}").sentences
    assert [piece.kind.value for piece in found[-1].context] == ["column"]


@pytest.mark.parametrize(
    ("above", "title", "kind"),
    [
        ("", "=== Allergies ===", "heading"),
        ("", "<<< STOPPED >>>", "heading"),
        ("", "\u2500\u2500 Plan \u2500\u2500", "heading"),
        ("", "\u256d\u2500 Right knee \u2500\u2500\u256e", "lead-in"),
        ("=" * 24, "Left hand\n" + "=" * 24, "lead-in"),
        ("He was seen.", "DRUGS HELD\n----------", "heading"),
        ("He was seen.", "Medications Stopped\n-------------------", "heading"),
    ],
)
def test_drawn_lines_make_a_title(above: str, title: str, kind: str) -> None:
    text = f"{above}\n{title}\nsotalol\n\n--- Family History ---\ngout"
    assert shown(text, "sotalol") == [(kind, title.partition("\n")[0])]
    assert shown(text, "gout") == [("heading", "--- Family History ---")]


@pytest.mark.parametrize(
    "line", ["*** DNR ***", "== NO BLOOD ==", "He is well.\n--------", "Jo Roe\n" + "-" * 60 + "\nSeen"]
)
def test_drawn_lines_around_a_statement_make_none(line: str) -> None:
    text = f"Seen today.\n{line}\nHe went home."
    assert shown(text, "went home") == []
    assert line.partition("\n")[0] in [text[s.start : s.end] for s in segment(text).sentences]


def test_a_row_of_dots_is_no_sentence() -> None:
    text = "Rash.\n\u2022 \u2022 \u2022 \u2022 \u2022\nFever."
    assert [text[s.start : s.end] for s in segment(text).sentences] == ["Rash.", "Fever."]


@pytest.mark.parametrize("list_begins", ["1. gout\n2. lupus", "- gout\n- lupus"])
def test_an_open_line_leads_in_to_a_list_behind_a_blank_line(list_begins: str) -> None:
    text = f"There is no history of\n\n{list_begins}\n\nHe walks."
    assert shown(text, "lupus") == [("lead-in", "There is no history of")]
    assert shown(text, "walks") == []


@pytest.mark.parametrize("words", ["rule out", "Need to rule out", "This is a way of ruling out"])
def test_what_must_be_ruled_out_stands_with_it(words: str) -> None:
    text = f"{words}\nPE"
    assert [text[s.start : s.end] for s in segment(text).sentences] == [text]


def test_what_was_ruled_out_may_end_a_line() -> None:
    text = "Infarct was ruled out\nPLAN: home"
    assert [text[s.start : s.end] for s in segment(text).sentences] == ["Infarct was ruled out", "home"]
