"""What names a list, a table or all below it, and what two drugs on two lines are."""

import pytest

from fhir_adapter.text.html.reader import html_text
from summarizer.segmentation.boilerplate import is_boilerplate
from summarizer.segmentation.segment import segment
from tests.unit.summarizer.segmentation.test_context import shown
from tests.unit.summarizer.segmentation.test_states_alone import sentences

LEAVING = """STOP taking these medicines
   tramadol 50 mg capsule
   codeine 30 mg tablet
START taking these medicines
   pregabalin 75 mg capsule
   What changed: it is new
ASK your team about these medicines
   senna 2 tablets"""

ORDERS = """Home
  digoxin 125 mcg tablet, once daily, Not taking
  ramipril 5 mg capsule, once daily
Ward
  dalteparin 5000 units, once daily, held"""

MARKED = """   Test            Result    Flag
 > Lithium         2.1       HH
 > Chloride        101
   Remark: called to the ward"""

OTHER = """ALLERGIES

Substance    Reaction
Iodine       rash

Drugs taken at home this month
Medication   Dose
Atenolol     50 mg"""

ORDERED = """PLAN

Cancelled scans

- MRI spine

Booked scans

- CT chest

Seen by the dietitian

- Weight 61 kg"""


@pytest.mark.parametrize(
    ("text", "words", "context"),
    [
        (LEAVING, "tramadol", [("lead-in", "STOP taking these medicines")]),
        (LEAVING, "codeine", [("lead-in", "STOP taking these medicines")]),
        (LEAVING, "pregabalin", [("lead-in", "START taking these medicines")]),
        (LEAVING, "senna", [("lead-in", "ASK your team about these medicines")]),
        (ORDERS, "ramipril", [("lead-in", "Home")]),
        (ORDERS, "dalteparin", [("lead-in", "Ward")]),
        (MARKED, "Lithium", [("column", "Test Result Flag")]),
        (MARKED, "Chloride", [("column", "Test Result Flag")]),
        (OTHER, "Atenolol", [("caption", "Drugs taken at home this month"), ("column", "Medication Dose")]),
        (ORDERED, "MRI", [("heading", "PLAN"), ("lead-in", "Cancelled scans")]),
        (ORDERED, "CT chest", [("heading", "PLAN"), ("lead-in", "Booked scans")]),
        (ORDERED, "Weight", [("heading", "PLAN")]),
    ],
)
def test_what_names_a_list_is_shown_with_its_lines(text, words, context):
    assert shown(text, words) == context


def test_the_state_of_one_drug_does_not_open_the_next():
    assert "ramipril 5 mg capsule, once daily" in sentences(ORDERS)
    assert "digoxin 125 mcg tablet, once daily, Not taking" in sentences(ORDERS)


def test_the_mark_of_a_row_is_none_of_its_words():
    found = segment(MARKED)
    assert [MARKED[m.start : m.end] for m in found.markers] == [">", ">"]
    assert "Lithium 2.1 HH" in sentences(MARKED)


def test_whom_a_format_says_all_below_is_of_stands_over_labels_too():
    note = html_text(
        b"<h1>Birth</h1><h2>Twin A</h2><p><b>Assessment:</b> no heartbeat.</p>"
        b"<h2>Twin B</h2><p><b>Assessment:</b> well.</p><h2>Plan</h2><p>Theatre.</p>"
    ).document()
    found = segment(note.text, note.headings, note.marks).sentences
    over = [[note.text[p.start : p.end] for p in s.context] for s in found]
    assert over == [["Twin A", "Assessment:"], ["Twin B", "Assessment:"], ["Plan"]]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Dictated by Dr Mensah, signed in her absence to avoid delay", True),
        ("Signed electronically to avoid delay", True),
        ("Signed on admission to avoid delay: not for CPR", False),
        ("Surgery was brought forward to avoid delay", False),
    ],
)
def test_a_letter_that_went_out_unseen_says_no_fact(line, expected):
    assert is_boilerplate(line) is expected
