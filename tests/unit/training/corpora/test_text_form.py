"""Forms of text, on invented sentences."""

import doctest

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.corpora import text_form
from training.corpora.text_form import FORMS, Form, fill_numbers, natural_spacing, remove_citations, to_form


def test_examples_in_the_documentation() -> None:
    results = doctest.testmod(text_form)
    assert results.attempted >= 5
    assert results.failed == 0


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("between <dig> and <dig> years", "between 2 and 2 years"),
        ("residues 19– <dig>  of tlr <dig> ", "residues 19–2  of tlr 2 "),
        ("no number here - at all", "no number here - at all"),
        ("a rate of <dig> %", "a rate of 2%"),
    ],
)
def test_numbers_stand_where_placeholders_stood(text: str, filled: str) -> None:
    assert fill_numbers(text) == filled


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("it is frequent  <cit> .", "it is frequent ."),
        ("it is frequent [1, 4–7].", "it is frequent."),
        ("it is frequent [ 1418 ] , yet mild", "it is frequent , yet mild"),
        ("it is frequent (Roe, 2011a, 2012; van der Berg & Doe, 2001).", "it is frequent."),
        ("it is frequent ( roe et al . , 2011 ) .", "it is frequent ."),
        ("as described in ( ) before", "as described in before"),
    ],
)
def test_citations_go(text: str, left: str) -> None:
    assert remove_citations(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "enrolled in one winter (January 2012)",
        "the range [0.2, 0.9] was wide",
        "(1) fever and (2) cough",
        "women (n=12) and men (40%)",
        "the enzyme [NiFe] binds",
        "levels rose (from 2010 to 2014)",
    ],
)
def test_what_is_no_citation_stays(text: str) -> None:
    assert remove_citations(text) == text


def test_one_finding_has_one_form_whatever_the_corpus() -> None:
    printed = (
        "Long-term use (n=12) lowered the patients’ IL-6 [4, 5], and P<0.05 was reached (Roe et al., 2010)."
    )
    spaced = "long - term use ( n = 12 ) lowered the patients' il-6 [ 4 , 5 ] , and p < 0.05 was reached ."
    assert to_form(printed, "benchmark") == to_form(spaced, "benchmark")
    assert to_form(spaced, "natural").startswith("long-term use (n = 12) lowered the patients' il-6, and")


def test_natural_text_keeps_its_spacing() -> None:
    text = "Follow-up was 12 months (range 3-18); 95% returned."
    assert natural_spacing(text) == text


@settings(max_examples=500)
@given(st.text(alphabet="aB1 .,;:()[]-–/<>='\"%’?", max_size=40), st.sampled_from(FORMS))
def test_a_form_is_final(text: str, form: Form) -> None:
    once = to_form(text, form)
    assert to_form(once, form) == once


@given(st.text(max_size=40), st.sampled_from(FORMS))
def test_every_text_has_every_form_on_one_line(text: str, form: Form) -> None:
    found = to_form(text, form)
    assert found == " ".join(found.split())
