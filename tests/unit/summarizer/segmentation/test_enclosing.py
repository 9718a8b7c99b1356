"""Which headings stand above a sentence, and what begins or ends beside them."""

import pytest

from summarizer.segmentation.segment import segment
from summarizer.types import ContextKind


def shown(text: str) -> list[str]:
    """Each sentence behind the headings of its context."""
    found = []
    for sentence in segment(text).sentences:
        heads = [text[c.start : c.end] for c in sentence.context if c.kind is ContextKind.HEADING]
        found.append(" ".join([*heads, *text[sentence.start : sentence.end].split()]))
    return found


@pytest.mark.parametrize(
    "text",
    [
        "FAMILY HISTORY: Aunt with lupus.\nWOUND CARE TO STOP: Silver dressing every second day.\n"
        "RIGHT SHOULDER: Full range.\nHEPARIN: pause before the tap tonight.",
        "Family history: Aunt with lupus.\nRight shoulder: Full range.",
        "RULED OUT: Sarcoid, lymphoma, tuberculosis.\nLIVER: Two cysts.",
        "ALLERGIES:\nLEFT ELBOW: Bursitis.",
    ],
)
def test_labels_of_one_form_stand_beside_each_other(text: str) -> None:
    for line in shown(text):
        assert line.count(":") == 1


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("EXAM:\nSKIN: Warm.\nLUNGS: Crackles at both bases.", "EXAM: LUNGS: Crackles at both bases."),
        (
            "DRUGS TO STOP:\nDigoxin: 125 mcg in the morning.",
            "DRUGS TO STOP: Digoxin: 125 mcg in the morning.",
        ),
        ("PLAN: Home on Friday.\nAnemia: oral iron for a month.", "PLAN: Anemia: oral iron for a month."),
        ("Findings:\n  Liver: Smooth edge.", "Findings: Liver: Smooth edge."),
    ],
)
def test_what_encloses_a_label_is_shown_above_it(text: str, last: str) -> None:
    assert shown(text)[-1] == last


@pytest.mark.parametrize("greeting", ["Dear Dr. Okafor,", "To whom it may concern:"])
def test_a_letter_does_not_stand_under_the_list_above_its_greeting(greeting: str) -> None:
    text = f"Diagnoses:\n1. Celiac disease\n2. Osteopenia\n\n{greeting}\n\nShe feels well on her diet."
    assert shown(text)[0] == "Diagnoses: Celiac disease"
    assert shown(text)[-1] == "She feels well on her diet."
    assert segment(text).sentences[-1].section is None


def test_a_report_that_says_which_it_is_is_a_heading_and_a_plain_one_is_not() -> None:
    assert shown("CORRECTED REPORT: Stone in the left ureter.") == [
        "CORRECTED REPORT: Stone in the left ureter."
    ]
    assert shown("PROGRESS NOTE\n\nThe left ureter was opened.") == ["The left ureter was opened."]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("[ ] Tube feeding   [x] Oral feeding", ["[ ] Tube feeding", "[x] Oral feeding"]),
        ("[x] Yes   [ ] No", ["[x] Yes [ ] No"]),
        ("Enalapril 5 mg\nStatus - Stopped\nAmlodipine 5 mg\nStatus - Active",
         ["Enalapril 5 mg Status - Stopped", "Amlodipine 5 mg Status - Active"]),
        ("ANY FALLS?\nNEVER\nANY STROKE?\nYES", ["ANY FALLS? NEVER", "ANY STROKE? YES"]),
        ("Tolerated the scope well, no\nBleeding.", ["Tolerated the scope well, no Bleeding."]),
        ("Pain, fever, chills, no\nCough for a week.", ["Pain, fever, chills, no", "Cough for a week."]),
        ("He must not take\nIbuprofen.", ["He must not take Ibuprofen."]),
        ("Clips: 1. Stents: 2. Coils: 3.", ["Clips: 1.", "Stents: 2.", "Coils: 3."]),
        ("Given 0. 375 mg slowly.", ["Given 0. 375 mg slowly."]),
        ("The level was 4. 10 mg were given.", ["The level was 4.", "10 mg were given."]),
        ("Z.n. 2. Sectio.", ["Z.n. 2. Sectio."]),
        ("Pt. Refuses blood.", ["Pt. Refuses blood."]),
        ("We never saw Physical Exam: results.", ["We never saw Physical Exam: results."]),
    ],
)  # fmt: skip
def test_statements_stay_whole_and_apart(text: str, wanted: list[str]) -> None:
    assert [" ".join(text[s.start : s.end].split()) for s in segment(text).sentences] == wanted


@pytest.mark.parametrize(
    "opening",
    [
        "There was no trace of",
        "She was never exposed to",
        "He has not yet been given",
        "Not to be used:",
        "He does not report",
    ],
)
def test_each_piece_of_a_long_sentence_carries_its_negation(opening: str) -> None:
    things = ", ".join(f"{place} {fault}" for place in ("skin", "bone", "nerve") for fault in _FAULTS)
    text = f"{opening} {things}."
    sentences = segment(text).sentences
    assert len(sentences) > 1
    for sentence in sentences[1:]:
        assert [text[c.start : c.end] for c in sentence.context] == [opening]


_FAULTS = [f"{one} {other}" for one in ("new", "old", "red", "pale", "deep") for other in
           ("graft", "ulcer", "scar", "lump", "burn", "cyst", "tear", "rash")]  # fmt: skip


def test_the_end_of_a_line_in_a_script_without_spaces_can_be_open() -> None:
    assert len(segment("双侧未见\n积液征象").sentences) == 1
