"""States and problems on lines of their own: what they are said of stands with them."""

import pytest

from summarizer.segmentation.boilerplate import is_greeting
from summarizer.segmentation.segment import segment
from summarizer.types import ContextKind
from tests.unit.summarizer.segmentation.test_context import shown


def sentences(text):
    return [" ".join(text[s.start : s.end].split()) for s in segment(text).sentences]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "tramadol 50 mg\nSTOPPED\nparacetamol 1 g\nCONTINUED",
            ["tramadol 50 mg STOPPED", "paracetamol 1 g CONTINUED"],
        ),
        (
            "lithium level 2.1\nCRITICAL\nsodium 139\nNormal",
            ["lithium level 2.1 CRITICAL", "sodium 139 Normal"],
        ),
        (
            "Insulin 6 units\n  -- HELD 0730 --\nSenna 2 tabs\n  -- GIVEN --",
            ["Insulin 6 units -- HELD 0730 --", "Senna 2 tabs -- GIVEN --"],
        ),
        ("ramipril 5 mg\nON HOLD\n\nReview on Monday.", ["ramipril 5 mg ON HOLD", "Review on Monday."]),
        # Over a list such a word heads it.
        ("CONTINUE\naspirin 81 mg\nSTOP\nnaproxen 500 mg\nibuprofen 400 mg", None),
        ("STOP\nnaproxen 500 mg\nSTART\nlansoprazole 30 mg", None),
    ],
)
def test_a_mere_state_goes_with_the_thing_above_it_or_heads_those_below(text, expected):
    found = sentences(text)
    if expected is None:
        assert "naproxen 500 mg" in found
        assert not any(said.startswith("aspirin 81 mg STOP") for said in found)
    else:
        assert found == expected


def test_every_action_of_a_paragraph_that_begins_with_one_heads_its_drugs():
    text = "CONTINUE\naspirin 81 mg\nSTOP\nnaproxen 500 mg\nibuprofen 400 mg"
    assert shown(text, "aspirin") == [("heading", "CONTINUE")]
    assert shown(text, "ibuprofen") == [("heading", "STOP")]


PROBLEMS = """Problem #1: Foot ulcer
  Plan: stop compression
Problem #2: Anaemia
Assessment: stable
Plan: no iron
She asked about her diet."""


def test_each_problem_stands_over_its_own_plan():
    assert shown(PROBLEMS, "stop compression")[0] == (ContextKind.LEAD_IN, "Foot ulcer")
    assert (ContextKind.LEAD_IN, "Anaemia") in shown(PROBLEMS, "no iron")
    assert (ContextKind.LEAD_IN, "Foot ulcer") not in shown(PROBLEMS, "no iron")
    assert (ContextKind.LEAD_IN, "Anaemia") not in shown(PROBLEMS, "She asked")


def test_a_field_alone_on_its_line_heads_its_value_and_no_more():
    text = "CODE STATUS\n\nNOT FOR CPR\n\nShe walks with a frame."
    assert shown(text, "NOT FOR CPR") == [(ContextKind.HEADING, "CODE STATUS")]
    assert shown(text, "She walks") == []


@pytest.mark.parametrize(
    "line",
    ["Dear Dr Okafor,", "Dear colleagues and friends", "DEAR DR. WU:", "Dear Sir or Madam:", "Dear ___,"],
)
def test_a_greeting_names_people(line):
    assert is_greeting(line)


@pytest.mark.parametrize(
    "line", ["Dear denies pain.", "Dear was seen by physiotherapy", "DEAR REFUSES SURGERY."]
)
def test_someone_called_dear_is_not_greeted(line):
    assert not is_greeting(line)
    assert sentences(f"Ms Dear walks alone.\n{line}") == ["Ms Dear walks alone.", line]


def test_a_study_with_its_verb_on_the_next_line_is_no_heading():
    text = "MRI OF THE LUMBAR SPINE\nSHOWS NO CORD COMPRESSION."
    assert sentences(text) == ["MRI OF THE LUMBAR SPINE SHOWS NO CORD COMPRESSION."]
    text = "MRI OF THE LUMBAR SPINE\nNO CORD COMPRESSION."
    assert sentences(text) == text.split("\n")


def test_a_signed_number_with_a_blank_in_it_is_one():
    assert sentences("Excess was -6. 5 today.") == ["Excess was -6. 5 today."]
