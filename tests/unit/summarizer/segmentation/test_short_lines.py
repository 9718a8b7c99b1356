"""Notes of short lines without stops: what a line is a part of, and which columns it stands under."""

import pytest

from summarizer.segmentation.segment import segment
from summarizer.types import ContextKind, Mark, MarkKind
from tests.unit.summarizer.segmentation.test_context import shown

EYES = """             OD         OS
Acuity       20/30      6 ft
Pressure     15         36
Slit lamp
Cornea       clear      swollen
Plan: laser to the left"""

SHOTS = """Vaccine      Dose 1    Dose 2
Mumps        refused
Pox          1/5/21    -
Flu          10/2/23"""

CARD = """Wks   BP       Urine    Moves
28    112/70   none     +
34    150/96   3+       fewer"""

HOURS = """Drug        0600    1200
Heparin     given   held"""

TEETH = """#3 filling, #14 needs a root
#19 missing
#30 - cracked, hurts with cold"""

LEAVING = """CHANGE IN DRUGS

CONTINUE
aspirin 81 mg
atorvastatin 40 mg

Do NOT take: naproxen"""

ITEMS = """A/P
1. Well child
2. Ear infection - amoxicillin
   Allergies asked for, none known
3. Mumps vaccine refused"""

SWALLOWING = """Advice:
  Diet: puree
  Meds: crushed
  NO straws"""

COLUMNS = ("column", "OD OS")


@pytest.mark.parametrize(
    ("text", "words", "context"),
    [
        # A row without a cell over the first column names columns; so do words over a row of figures.
        (EYES, "15", [COLUMNS]),
        (EYES, "Slit lamp", [COLUMNS]),
        (EYES, "swollen", [COLUMNS]),
        (EYES, "laser", [("heading", "Plan:")]),
        (SHOTS, "refused", [("column", "Vaccine Dose 1 Dose 2")]),
        (SHOTS, "Pox", [("column", "Vaccine Dose 1 Dose 2")]),
        (CARD, "150/96", [("column", "Wks BP Urine Moves")]),
        (HOURS, "held", [("column", "Drug 0600 1200")]),
        # A number of a tooth is content.
        (TEETH, "#3 filling", []),
        (TEETH, "#30", []),
        # A label with its value on its line has no other line that is a statement of its own.
        ("HCP: a sister, not him\nAsked for shelter", "shelter", []),
        ("Skin: whole but for a heel\nBraden 14", "Braden", []),
        ("Skin: whole but for a heel\nred rim", "red", [("heading", "Skin:")]),
        ("Precautions: sternal\nPLOF: alone, no aid", "PLOF", []),
        ("Impression: not a clot\nRecs\nNo scan", "scan", [("heading", "Recs")]),
        ("Pain: 0\nIV: right hand, by the crew", "right hand", []),
        ("Meds: no changes\nBP 118/72", "118", []),
        ("Meds: lisinopril\nAspirin 81 mg", "Aspirin", [("heading", "Meds:")]),
        ("Complications: none\nGo on with aspirin today.", "aspirin", []),
        ("CT head: (-) by the first read\n*** FINAL: blood, called ***", "blood", []),
        ("Family history: mother well\nNo cancer", "cancer", [("heading", "Family history:")]),
        (SWALLOWING, "straws", []),
        # What to do with drugs heads those right below it.
        (LEAVING, "atorvastatin", [("heading", "CONTINUE")]),
        (LEAVING, "naproxen", []),
        # A line inside a list leads in to no item behind it.
        (ITEMS, "Mumps", [("heading", "A/P")]),
        # The first item stands behind its label.
        ("Goals: 1. Stairs - not met\n       2. 50 ft - met", "50 ft", [("heading", "Goals:")]),
    ],
)
def test_what_a_line_is_shown_with(text: str, words: str, context: list[tuple[str, str]]) -> None:
    assert shown(text, words) == context


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("MMR given\nLead 14", ["MMR given", "Lead 14"]),
        (
            "Tablets stopped today; long insulin 20 started\nPending: urine",
            ["Tablets stopped today; long insulin 20 started", "Pending: urine"],
        ),
        (
            "# Foot, operation not needed\n# Kidneys",
            ["Foot, operation not needed", "Kidneys"],
        ),
        ("He was given\nAspirin.", ["He was given\nAspirin."]),
        ("PLMI: 4 - not significant\nMask trial", ["4 - not significant", "Mask trial"]),
        (
            "There is not a significant\nEffusion on the left.",
            ["There is not a significant\nEffusion on the left."],
        ),
        ("Cr 1.2\neGFR 45", ["Cr 1.2", "eGFR 45"]),
        ("eGFR 24 (31 in May)\nPTH 210", ["eGFR 24 (31 in May)", "PTH 210"]),
        ("MSH2 intact\npTNM: pT3 N1b", ["MSH2 intact", "pTNM: pT3 N1b"]),
        ("Given 20\nmL by mouth", ["Given 20\nmL by mouth"]),
    ],
)
def test_where_a_short_line_ends(text: str, sentences: list[str]) -> None:
    assert [text[s.start : s.end] for s in segment(text).sentences] == sentences


def test_a_declared_row_without_a_name_names_columns() -> None:
    text = "| OD | OS\nPressure | 15 | 36"
    marks = [Mark(0, 9, MarkKind.ROW), Mark(10, len(text), MarkKind.ROW)]
    row = segment(text, (), marks).sentences[-1]
    assert [(piece.kind, text[piece.start : piece.end]) for piece in row.context] == [
        (ContextKind.COLUMN, "| OD | OS")
    ]
