"""Lines, abbreviations and numbers that say nothing without the words beside them."""

import pytest

from summarizer.segmentation.segment import segment
from summarizer.types import ContextKind


def sentences(text: str) -> list[str]:
    """The sentences of a text, white space folded."""
    return [" ".join(text[each.start : each.end].split()) for each in segment(text).sentences]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ASSESSMENT:\nDoubtful\nDVT given a normal scan.", ["Doubtful DVT given a normal scan."]),
        # Below a thing the judgment is of the thing; a statement of its own is none.
        ("Sarcoid\nDoubtful\nDVT given to none.", ["Sarcoid", "Doubtful", "DVT given to none."]),
        ("PE\nUnlikely\nDVT given swelling.", ["Unlikely", "DVT given swelling."]),
        (
            "ASSESSMENT:\nUnlikely\nStroke is excluded because of the scan.",
            ["Unlikely", "Stroke is excluded because of the scan."],
        ),
        ("Ribs fractured\n3 of 12", ["Ribs fractured 3 of 12"]),
        ("Ribs fractured\n3 of 12 ribs seen", ["Ribs fractured", "3 of 12 ribs seen"]),
        (
            "Consent form: ....... No\nLiving will: ....... Yes",
            ["Consent form: ....... No", "Living will: ....... Yes"],
        ),
        ("Postop. Fieber.", ["Postop. Fieber."]),
        ("No ev. Leak.", ["No ev. Leak."]),
        ("REACTS TO: LATEX, MORPHINE\n(ITCHING), TAPE", ["REACTS TO: LATEX, MORPHINE (ITCHING), TAPE"]),
        ("Latex, morphine\n(R) hip pain", ["Latex, morphine", "(R) hip pain"]),
        (
            "Scheduled:\n  cefazolin injection 1 g, IV, Q8H\n  enoxaparin injection 40 mg, SC, daily",
            ["cefazolin injection 1 g, IV, Q8H", "enoxaparin injection 40 mg, SC, daily"],
        ),
        (
            "she takes cefazolin 1 g and\nenoxaparin 40 mg daily.",
            ["she takes cefazolin 1 g and enoxaparin 40 mg daily."],
        ),
        ("Tobacco: Yes\n   Comment: a pipe\nDrugs: No", ["Tobacco: Yes Comment: a pipe", "Drugs: No"]),
        ("Ohne Anh. Rezidiv.", ["Ohne Anh. Rezidiv."]),
        ("Opereret 3. marts 2021 uden blod.", ["Opereret 3. marts 2021 uden blod."]),
        ("A 3. coil was placed. She went home.", ["A 3. coil was placed.", "She went home."]),
        ("He has hepatitis A 3. cirrhosis is absent.", ["He has hepatitis A 3.", "cirrhosis is absent."]),
    ],
)
def test_what_belongs_together_is_one_sentence(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_a_row_without_cells_that_begins_with_the_sign_of_those_above_has_their_heads() -> None:
    text = "Test | Result\nHb | 9.1\n° Pattern | speckled\n° Sm 0.4\n° Ro 0.2\nCRP | 80"
    found = [(text[each.start : each.end], each.context) for each in segment(text).sentences]
    for own in ("° Sm 0.4", "° Ro 0.2"):
        around = next(context for words, context in found if words == own)
        assert [piece.kind for piece in around] == [ContextKind.COLUMN]
