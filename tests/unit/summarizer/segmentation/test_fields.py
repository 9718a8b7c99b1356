"""A field ends with its value, an item's section with the item, the label of a list with the list."""

import pytest

from summarizer.segmentation.segment import segment
from summarizer.types import ContextKind, Mark, MarkKind
from tests.unit.summarizer.segmentation.test_context import shown

LEAVING = """Before you go
1. Diet: Soft food.
2. Medicines: As on your list. Take all of them.
3. Stairs: One at a time.
4. Ring us for a fever above 101."""

NESTED = """1. MEDICATIONS: As below
1. Aspirin
2. Metoprolol
2. ALLERGIES: Latex
3. He drives a van."""

DUE = """Vaccines due:
MMR
Polio

Her mother asks about asthma."""


@pytest.mark.parametrize(
    ("text", "words", "context"),
    [
        # A field whose value is a mere word has that and nothing below.
        ("Allergies: none\nHe takes aspirin.", "aspirin", []),
        ("Medications: None.\nDrinks wine.", "wine", []),
        ("Allergies: latex\nand tape.", "tape", [("heading", "Allergies:")]),
        ("PHYSICAL EXAM: Normal.\nHe walks well.", "walks", [("heading", "PHYSICAL EXAM:")]),
        # Behind a blank line a list belongs to a field that announces it, and to no other.
        ("Allergies: none\n\n- warfarin\n- iron", "iron", []),
        ("Allergies: as listed\n\n- latex\n- iron", "iron", [("heading", "Allergies:")]),
        # The field that a counted item names ends with the item, unless it counts its own.
        (LEAVING, "all of them", [("heading", "Medicines:")]),
        (LEAVING, "Stairs", []),
        (LEAVING, "fever", []),
        (NESTED, "Metoprolol", [("heading", "MEDICATIONS:")]),
        (NESTED, "drives", []),
        ("1. HISTORY: He is 60.\n\nHe fell.\n\n2. EXAM: Well.", "fell", [("heading", "HISTORY:")]),
        # A label above a list without marks ends where running text follows a blank line.
        (DUE, "Polio", [("heading", "Vaccines due:")]),
        (DUE, "asthma", []),
        ("Medications\nAspirin 81 mg\nSenna\n\nHe fell at home.", "fell", []),
        ("Plan:\nRest and fluids.\nIce.\n\nHe may go home.", "home", [("heading", "Plan:")]),
        ("FAMILY HISTORY\nCancer\nStroke\n\nHis son has asthma.", "asthma", [("heading", "FAMILY HISTORY")]),
        # A name with its figure is no vaccine and no allergy where those above it have no figures.
        ("Immunizations: MMR given\nLead 14", "Lead", []),
        ("Immunizations: MMR given\nLead 14", "MMR", [("heading", "Immunizations:")]),
        ("Immunizations: MMR 1\nPolio 3", "Polio", [("heading", "Immunizations:")]),
        ("Diagnosis: kidney disease\nStage 3", "Stage", [("heading", "Diagnosis:")]),
        ("Meds: lisinopril\nAspirin 81 mg", "Aspirin", [("heading", "Meds:")]),
        # `All` among labels of a history.
        ("PMH: asthma. Meds: iron. All: penicillin. SH: smokes.", "penicillin", [("heading", "All:")]),
        ("PMH: gout\nMeds: iron\nAll: latex (rash)\nSH: none", "latex", [("heading", "All:")]),
        ("PMH: ALL in remission since 2011. Meds: iron", "remission", [("heading", "PMH:")]),
        ("All: of them came.", "came", []),
    ],
)
def test_what_a_heading_stands_over(text: str, words: str, context: list[tuple[str, str]]) -> None:
    assert shown(text, words) == context


@pytest.mark.parametrize(
    ("above", "context"),
    [
        ("Handed over: ward nurse to night nurse", []),
        ("Priority:\n\nhigh", []),
        ("Wound: sizes as below", [("heading", "Wound:")]),
        ("Signature\nWard clerk", []),
        ("Allergies: none", []),
        ("Medications: see table", [("heading", "Medications:")]),
    ],
)
def test_what_has_its_value_above_a_table_is_not_shown_with_its_rows(
    above: str, context: list[tuple[str, str]]
) -> None:
    text = f"{above}\n\nSite | Size\nHeel | 3 cm"
    at = text.index("Site")
    marks = [Mark(at, at + 11, MarkKind.COLUMNS), Mark(at + 12, len(text), MarkKind.ROW)]
    row = segment(text, (), marks).sentences[-1]
    found = [(piece.kind.value, text[piece.start : piece.end]) for piece in row.context]
    assert [piece for piece in found if piece[0] != "column"] == context


def test_a_caption_that_is_a_heading_is_shown_once() -> None:
    text = "Goals\nWalk a mile | June"
    marks = [Mark(0, 5, MarkKind.CAPTION), Mark(6, len(text), MarkKind.ROW)]
    (row,) = segment(text, [(0, 5, None)], marks).sentences
    assert [(piece.kind, piece.start, piece.end) for piece in row.context] == [(ContextKind.HEADING, 0, 5)]


def test_a_caption_inside_a_table_leaves_the_names_of_its_columns() -> None:
    text = "Test | Today\nSodium | 131\nUrine\nKetones | none"
    ends = [12, 25, 31, len(text)]
    kinds = [MarkKind.COLUMNS, MarkKind.ROW, MarkKind.CAPTION, MarkKind.ROW]
    marks = [Mark(at, end, kind) for at, end, kind in zip([0, 13, 26, 32], ends, kinds, strict=True)]
    row = segment(text, (), marks).sentences[-1]
    assert [text[piece.start : piece.end] for piece in row.context] == ["Test | Today", "Urine"]
