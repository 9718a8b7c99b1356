"""A heading stands above what belongs to it, and above nothing else."""

import pytest

from summarizer.segmentation.segment import segment
from tests.unit.summarizer.segmentation.test_context import shown

NURSING = """Pain: 6/10 after oxycodone 2.5 mg.
Labs: Hgb 7.4, potassium 3.2.
Safety: bed alarm on. Fall at 1645, no injury seen.
Family: Daughter called. She says the patient takes apixaban.
Bed 12 needs cleaning."""

HANDOUT = """Your diagnosis: clot in the right leg

NEW medicines
  * Apixaban 10 mg twice a day
STOP taking
  * Ibuprofen
CHANGE
  * Lisinopril: take 5 mg
KEEP taking
  * Metformin 500 mg
Follow-up
  Dr. Low, Dec 3
  A 9 mm spot needs another CT in 6 months.
Call 911 for chest pain."""

COURSE = """ED COURSE:
0955 CT head: blood in the cisterns.
1005 Nicardipine begun.
10:48 Chest x-ray: tube in place. She was moved."""


HANDOVER = """Assessment:
   Resp - 2 L by cannula, weaning
   CV - sinus 84. EF 35%, new. Seen by cardiology
   Renal - creatinine 2.9, output 40 an hour, tube drains cloudy
   ID - E. coli in blood. Meropenem day 3 of 14, last dose on the 19th
   Lines - catheter out today
Plan: home."""

RUN = """CC: unresponsive
Meds: rivaroxaban, levetiracetam
21:13 GCS 6, glucose 41.
2122 Glucose 138.
Belongings: dentures"""

ADDED = """IMPRESSION:
1. Diverticulitis, no free air.

ADDENDUM 11/06/2025 09:12: There is free air. Dr. Low was told.
Late entry by Dr. Low: He was moved."""

CATH = """Hemodynamics: Ao 112/64
Coronary anatomy (right dominant)
  Trunk: 30% distal
Complications: transient block"""

THERAPY = """Nutrition / Speech Therapy
Precautions: upright, one to one
Coffee was removed twice.

Physical Therapy
Walks ten feet.
Recommend: rehabilitation. NOT safe for home

Occupational Therapy
Advised not to drive."""

DIALYSIS = """Access: fistula, bruit present
Dry wt: 71.5   Pre wt: 75.1   Post wt: 72.4
Time     BP        HR    Rate   Notes
0710     164/88    78    400    needles placed
0910     98/52     104   350    cramping, fluid off
Heparin: none after 0900"""

RISK = """Risk assessment
Suicidal ideation:      Yes - passive
Plan:                   Denies
Access to means:        Yes; 80 tablets
Prior attempts:         2"""

PROBLEMS = """Assessment & Plan:
A man of 72 with a weak heart.

# Acute heart failure (EF 25%)
Net -1.8 L.
- furosemide -> torsemide tomorrow
- ICD: to be seen as outpatient

# AKI
- stop ibuprofen
- Allergy: cephalexin, rash in 2010

# Lung nodule
- CT chest in 6 months

FEN: 2 g Na
DVT ppx: heparin"""
PLAN = ("heading", "Assessment & Plan:")

REPORT = """TEST         RESULT   FLAG   UNITS
Sodium       128      L      mmol/L
Potassium    6.9      HH     mmol/L
  *** CRITICAL VALUE called to the ward, read back ***
Platelets    34       LL     10^3/uL
Sample was drawn above an infusion. Repeat it.
INR          3.9      H"""
HEAD = ("column", "TEST RESULT FLAG UNITS")


@pytest.mark.parametrize(
    ("text", "words", "context"),
    [
        # A label that nobody knows ends the one above it, and stands above all of its line and no other.
        (NURSING, "7.4", [("heading", "Labs:")]),
        (NURSING, "alarm", [("heading", "Safety:")]),
        (NURSING, "Fall", [("heading", "Safety:")]),
        (NURSING, "apixaban", [("heading", "Family:")]),
        (NURSING, "Bed 12", []),
        (
            "PLAN: Rest.\nWalks: Twice a day. No stairs.\nBaths: None.",
            "stairs",
            [("heading", "PLAN:"), ("heading", "Walks:")],
        ),
        ("Labs: Na 131.\nVisitors: none.", "Visitors", []),
        # A field of a form has its value and nothing below the blank line.
        (HANDOUT, "clot", [("heading", "Your diagnosis:")]),
        ("Reason for call: dizzy, on two tablets\n\nHis wife gives him both.", "wife", []),
        ("Allergies: penicillin\n\nHe uses aspirin daily.", "aspirin", []),
        ("CHIEF COMPLAINT: He fell.\n\nHe also has pain.", "also", [("heading", "CHIEF COMPLAINT:")]),
        ("IMPRESSION: Pneumonia\n\nAn abscess is likely.", "abscess", [("heading", "IMPRESSION:")]),
        ("Allergies: see list\n\n1. Penicillin\n2. Latex", "Latex", [("heading", "Allergies:")]),
        # A heading of a list ends with the list.
        (HANDOUT, "Apixaban", [("lead-in", "NEW medicines")]),
        (HANDOUT, "Ibuprofen", [("lead-in", "STOP taking")]),
        (HANDOUT, "Lisinopril", [("heading", "CHANGE")]),
        (HANDOUT, "Metformin", [("lead-in", "KEEP taking")]),
        # One whose text stands in from it ends where the text does so no more.
        (HANDOUT, "Dr. Low", [("heading", "Follow-up")]),
        (HANDOUT, "9 mm", [("heading", "Follow-up")]),
        (HANDOUT, "911", []),
        ("PLAN\nRest.\n  Ice.\nHeat.", "Heat", [("heading", "PLAN")]),
        ("    PLAN\nRest.\nHeat.", "Heat", [("heading", "PLAN")]),
        # What was seen at a time speaks for that time.
        (COURSE, "cisterns", [("heading", "ED COURSE:")]),
        (COURSE, "Nicardipine", [("heading", "ED COURSE:")]),
        (COURSE, "tube", [("heading", "ED COURSE:")]),
        (RUN, "GCS", []),
        (RUN, "138", []),
        ("HOSPITAL COURSE: He fell.\n10:40 PM He was seen.", "seen", [("heading", "HOSPITAL COURSE:")]),
        # Labels before a dash are labels where lines have that form.
        (HANDOVER, "weaning", [("heading", "Assessment:")]),
        (HANDOVER, "Seen by", [("heading", "Assessment:"), ("heading", "CV -")]),
        (HANDOVER, "cloudy", [("heading", "Assessment:")]),
        (HANDOVER, "Meropenem", [("heading", "Assessment:"), ("heading", "ID -")]),
        (HANDOVER, "catheter", [("heading", "Assessment:")]),
        # What was written later stands under its own heading.
        (ADDED, "no free air", [("heading", "IMPRESSION:")]),
        (ADDED, "There is", [("heading", "ADDENDUM 11/06/2025 09:12:")]),
        (ADDED, "told", [("heading", "ADDENDUM 11/06/2025 09:12:")]),
        (ADDED, "moved", [("heading", "Late entry by Dr. Low:")]),
        # A line over others that stand in from it, or with the look of a title, is read with them.
        (CATH, "30%", [("lead-in", "Coronary anatomy (right dominant)"), ("heading", "Trunk:")]),
        (CATH, "transient", [("heading", "Complications:")]),
        (THERAPY, "removed twice", [("heading", "Precautions:")]),
        (THERAPY, "home", [("lead-in", "Physical Therapy")]),
        (THERAPY, "drive", [("lead-in", "Occupational Therapy")]),
        ("EXAM\nNormal.\n\nCARE AT HOME\nFeed her.", "Feed", [("lead-in", "CARE AT HOME")]),
        ("Low Mood\n\nSleeps badly.", "badly", []),
        # Fields side by side are no row of the table below them; a field that names a section can be a row.
        (DIALYSIS, "71.5", []),
        (DIALYSIS, "cramping", [("column", "Time BP HR Rate Notes")]),
        (RISK, "Plan:", [("heading", "Risk assessment")]),
        (RISK, "Prior", [("heading", "Risk assessment")]),
        # A problem is read with all that is said of it; a label of an item ends with the item.
        (PROBLEMS, "Net", [PLAN, ("lead-in", "Acute heart failure (EF 25%)")]),
        (PROBLEMS, "torsemide", [PLAN, ("lead-in", "Acute heart failure (EF 25%)")]),
        (PROBLEMS, "outpatient", [PLAN, ("lead-in", "Acute heart failure (EF 25%)"), ("heading", "ICD:")]),
        (PROBLEMS, "AKI", [PLAN]),
        (PROBLEMS, "ibuprofen", [PLAN, ("lead-in", "AKI")]),
        (PROBLEMS, "rash", [PLAN, ("lead-in", "AKI"), ("heading", "Allergy:")]),
        (PROBLEMS, "nodule", [PLAN]),
        (PROBLEMS, "CT chest", [PLAN, ("lead-in", "Lung nodule")]),
        (PROBLEMS, "2 g", [PLAN, ("heading", "FEN:")]),
        (PROBLEMS, "heparin", [PLAN]),
        # A field by a dash is no part of the label above it.
        ("PNC: Dr. Park. Complicated by\ndiabetes.\nAllergies - NKDA", "NKDA", []),
        ("Data\n  Cx: pending\n  TTE: No clot\nThank you.", "Thank", []),
        # A remark between rows is one on the row above, and the table goes on.
        (REPORT, "CRITICAL", [HEAD, ("row", "Potassium 6.9 HH mmol/L")]),
        (REPORT, "Platelets", [HEAD]),
        (REPORT, "Repeat it", [HEAD, ("row", "Platelets 34 LL 10^3/uL")]),
        (REPORT, "3.9", [HEAD]),
        (
            REPORT.replace("Sample was", "Comment: was"),
            "Repeat it",
            [HEAD, ("row", "Platelets 34 LL 10^3/uL")],
        ),
        (
            REPORT.replace("Sample was drawn above an infusion.", "Printed: today."),
            "Repeat it",
            [],
        ),
    ],
)
def test_what_stands_above_a_sentence(text: str, words: str, context: list[tuple[str, str]]) -> None:
    assert shown(text, words) == context


def test_a_time_stays_with_its_statement() -> None:
    sentences = [COURSE[s.start : s.end] for s in segment(COURSE).sentences]
    assert sentences[0] == "0955 CT head: blood in the cisterns."
    assert "10:48 Chest x-ray: tube in place." in sentences


@pytest.mark.parametrize(
    ("words", "title"),
    [("alarm", "Safety"), ("Fall", "Safety"), ("apixaban", "Family"), ("Bed 12", None)],
)
def test_the_section_is_that_of_the_label(words: str, title: str | None) -> None:
    found = segment(NURSING)
    [sentence] = [s for s in found.sentences if words in NURSING[s.start : s.end]]
    assert (None if sentence.section is None else found.sections[sentence.section].title) == title


def test_a_line_with_a_dash_is_no_clause_of_the_one_above() -> None:
    sentences = [HANDOVER[s.start : s.end] for s in segment(HANDOVER).sentences]
    assert "Renal - creatinine 2.9, output 40 an hour, tube drains cloudy" in sentences
    assert "Lines - catheter out today" in sentences
    clause = "He was given fluids and\nIron - which he had refused - and went\nhome."
    assert [clause[s.start : s.end] for s in segment(clause).sentences] == [clause]


def test_each_drug_of_a_list_is_a_statement_however_wide_its_line() -> None:
    text = """Current meds
 Lamotrigine 100 mg every morning (started 3 weeks ago; rash on the trunk)
 Buspirone 10 twice a day
 Prazosin 2 mg at night"""
    found = [text[s.start : s.end] for s in segment(text).sentences]
    assert [words.split()[0] for words in found] == ["Lamotrigine", "Buspirone", "Prazosin"]
    prose = "He was sent home with\nZocor 20 mg and\nLasix 40 mg daily."
    assert len(segment(prose).sentences) == 1


def test_a_section_behind_a_number_and_a_label_ends_the_list() -> None:
    text = "1) PLAN: PLAN: Rest."
    assert [text[s.start : s.end] for s in segment(text).sentences] == ["Rest."]


def test_an_order_begins_a_statement_however_wide_the_line_above_is() -> None:
    goals = "2. Goals - she wants to go on with this if possible"
    text = f"1. Hypothyroid - start 75\n{goals}\nReturn on 11/12 with a film."
    found = [text[s.start : s.end] for s in segment(text).sentences]
    assert found[-1] == "Return on 11/12 with a film."


def test_an_addendum_is_of_the_kind_of_what_it_goes_on_with() -> None:
    found = segment(ADDED)
    kinds = [found.sections[s.section].kind.value for s in found.sentences if s.section is not None]
    assert kinds == ["impression"] * len(found.sentences)


def test_a_label_under_a_section_is_of_its_kind() -> None:
    text = "MEDICATIONS:\nBy prescription: Lasix. Zocor at night.\nBought: aspirin."
    found = segment(text)
    kinds = [found.sections[s.section].kind.value for s in found.sentences if s.section is not None]
    assert kinds[:2] == ["medications", "medications"]
