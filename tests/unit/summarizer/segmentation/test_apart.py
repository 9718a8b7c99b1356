"""Lines that no heading stands over: a page's head or foot, whose note it is, who signed it."""

import pytest

from summarizer.segmentation.segment import segment
from tests.unit.summarizer.segmentation.test_context import shown

TWO_PAGES = """IMPRESSION:
No clot in the left leg.

Order 88    Page 1 of 2     Ward 7
Patient Name: ROE, ANN
MRN: 5512    Date of visit: 3 May
DOB: 4/4/1951

Repeat the scan in a week."""


@pytest.mark.parametrize("words", ["Page 1", "Patient Name", "MRN", "DOB"])
def test_the_head_of_a_page_stands_under_nothing(words: str) -> None:
    assert shown(TWO_PAGES, words) == []
    parts = segment(TWO_PAGES)
    (line,) = [s for s in parts.sentences if words in TWO_PAGES[s.start : s.end]]
    assert line.section is None


def test_a_section_goes_on_behind_the_head_of_a_page() -> None:
    assert shown(TWO_PAGES, "Repeat") == [("heading", "IMPRESSION:")]


@pytest.mark.parametrize(
    "foot",
    ["Ward 4 | Page 3", "2 | P a g e", "Clinic of the north    pg. 2/5", "Page: 4 of 9 | printed at noon"],
)
def test_the_foot_of_a_page_stands_under_nothing(foot: str) -> None:
    text = f"PLAN:\nHome on Monday.\n{foot}\nSee the nurse in May."
    found = [s for s in segment(text).sentences if text[s.start : s.end].startswith(foot[:6])]
    assert all(s.context == () and s.section is None for s in found)
    assert shown(text, "See the nurse") == [("heading", "PLAN:")]


@pytest.mark.parametrize(
    "line", ["Paged at 14:00, no answer | Dr. Roe", "Page 3 of the consent was read to her."]
)
def test_a_page_in_other_words_is_no_foot(line: str) -> None:
    assert shown(f"COURSE:\nHe fell at noon.\n{line}", line[:12]) == [("heading", "COURSE:")]


def test_whose_note_it_is_stands_under_its_own_heading() -> None:
    text = "PATIENT INFORMATION\nPatient Name: Roe\nMRN: 12"
    assert shown(text, "MRN") == [("heading", "PATIENT INFORMATION")]


@pytest.mark.parametrize(
    "signed",
    [
        "Signature: ________",
        "Therapist's signature: Ann Roe",
        "Name/Title __Ann Roe, Ph.D._ (by hand)",
        "Printed name: Ann Roe    Date: 3/3/2021",
        "PROVIDER SIGNATURE ____________",
    ],
)
def test_nothing_above_a_signature_stands_over_it_or_below_it(signed: str) -> None:
    text = f"GOALS:\nShe walks again.\n{signed}\nDate    __3/3/21__\n(completed)"
    parts = segment(text)
    assert [text[s.start : s.end] for s in parts.sentences if s.context] == ["She walks again."]
    assert sum(text[s.start : s.end] == signed for s in parts.sentences) <= 1


@pytest.mark.parametrize(
    "line", ["Signed on admission: full code", "Signature rash on both cheeks.", "Printed advice was given."]
)
def test_what_only_begins_like_a_signature_stays(line: str) -> None:
    assert shown(f"PLAN:\nRest.\n{line}", line[:10]) == [("heading", "PLAN:")]


def test_letters_behind_a_name_stay_whole_before_an_underscore() -> None:
    text = "Seen by __Ann Roe, Ph.D._ at home"
    assert [text[s.start : s.end] for s in segment(text).sentences] == [text]


@pytest.mark.parametrize("label", ["Findings", "FINDINGS", "Indication", "Postoperative diagnosis"])
@pytest.mark.parametrize(
    "field", ["EBL: min", "IVF: 700 mL", "Blood loss: 40 mL", "Tourniquet time: 30 minutes"]
)
def test_a_field_of_an_operation_is_no_part_of_what_was_found(label: str, field: str) -> None:
    text = f"{label}: stones in the gallbladder\n{field}\n"
    assert shown(text, field[:3]) == []


@pytest.mark.parametrize("field", ["LV: normal size", "Gallbladder: stones"])
def test_what_was_found_in_a_region_stays(field: str) -> None:
    text = f"FINDINGS:\nNo fluid.\n{field}\nNo mass."
    assert ("heading", "FINDINGS:") in shown(text, "No mass")
