"""Lists of definitions in HTML: what is said of a term never stands without it."""

import re

import pytest

from summarizer.segmentation.segment import segment
from summarizer.types import MarkKind
from tests.unit.fhir_adapter.text.small_notes import html, marked


def sentences(markup: str) -> list[tuple[list[str], str]]:
    """Each sentence with what is shown before it."""
    document = html(markup).document()
    found = segment(document.text, document.headings, document.marks).sentences
    text = document.text
    return [([text[c.start : c.end] for c in s.context], text[s.start : s.end]) for s in found]


@pytest.mark.parametrize(
    "markup",
    [
        "<dl><dt>Falls at home</dt><dd>No</dd><dt>Lives alone?</dt><dd>Yes</dd></dl>",
        "<dl><dt>Falls at home<dd>No<dt>Lives alone?<dd>Yes</dl>",
        "<dl><div><dt><b>Falls at home</b></dt><dd><p>No</p></div><div><dt>Lives alone?<dd>Yes</dl>",
        "<dt>Falls at home</dt><dd>No</dd><dt>Lives alone?</dt><dd>Yes</dd>",
    ],
)
def test_a_term_and_its_detail_are_one_sentence(markup: str) -> None:
    found = html(markup)
    assert found.text == "Falls at home | No\nLives alone? | Yes"
    assert marked(found, MarkKind.ROW_HEAD) == ["Falls at home", "Lives alone?"]
    assert [own for _, own in sentences(markup)] == ["Falls at home | No", "Lives alone? | Yes"]


def test_a_term_with_several_details() -> None:
    assert (
        html("<dl><dt>Reacts to<dd>latex<dd>nickel<dt>Diet<dd>soft</dl>").text
        == "Reacts to | latex; nickel\nDiet | soft"
    )


def test_a_term_without_detail_is_not_the_next_ones() -> None:
    assert (
        html("<dl><dt>Pacemaker<dt>Implants<dd>none</dl><p>Well.").text
        == "Pacemaker\nImplants | none\n\nWell."
    )


def test_a_list_as_detail_has_the_term_as_its_lead_in() -> None:
    found = sentences("<dl><dt>Not to be taken<dd><ul><li>ibuprofen<li>aspirin</ul><dt>Diet<dd>soft</dl>")
    assert (["Not to be taken"], "ibuprofen") in found
    assert (["Not to be taken"], "aspirin") in found
    assert ([], "Diet | soft") in found


def test_long_details_each_have_their_term() -> None:
    parts = [
        f"On day {n} the wound of the left heel was seen, cleaned and dressed anew. " * 4 for n in (1, 2)
    ]
    found = sentences(f"<dl><dt>Seen by the wound nurse<dd>{parts[0]}<dd>{parts[1]}</dl>")
    of_days = [context for context, own in found if "On day" in own]
    assert len(of_days) == 8
    assert all(context == ["Seen by the wound nurse"] for context in of_days)


def test_in_a_cell_a_term_is_a_label() -> None:
    row = "<tr><td>Social history<td><dl><dt>Tobacco<dd>never<dt>Drives?<dd>no</dl>"
    assert (
        html(f"<table><tr><th>Part<th>Found{row}</table>").text
        == "Part | Found\nSocial history | Tobacco: never; Drives? no"
    )


def test_a_table_as_detail_keeps_its_rows_apart_from_the_next_term() -> None:
    table = "<table><tr><th>Drug<th>Dose<tr><td>digoxin<td>62.5 mcg</table>"
    found = sentences(f"<dl><dt>At home<dd>{table}<dt>Pharmacy<dd>High Street</dl>")
    assert found[-1][1] == "Pharmacy | High Street"
    assert "Drug | Dose" not in found[-1][0]


@pytest.mark.parametrize(
    "markup",
    [
        "<dl><dd>loose<dt>Last<dd>x</dl>",
        "<dl>loose<dt>Last<dd>x</dl>",
        "<dd>loose</dd><dl><dt>Last<dd>x</dl>",
    ],
)
def test_what_belongs_to_no_term_keeps_its_place(markup: str) -> None:
    assert html(markup).text.split() == ["loose", "Last", "|", "x"]


def test_words_between_the_terms_keep_their_place() -> None:
    text = html("<dl><dt>One<dd>1</dd>between<dt>Two<dd>2</dl>after").text
    assert text.split() == ["One", "|", "1", "between", "Two", "|", "2", "after"]


def test_a_hidden_detail_is_not_shown() -> None:
    assert html("<dl><dt>Ward<dd hidden>9<dd>4</dl>").text == "Ward | 4"


@pytest.mark.parametrize(
    "markup",
    [
        "<table><dt>one<td>two</table>three",
        "<table><tr><dl><dt>one<dd>two<tr><td>three</table>",
        "<dl><dt>one<table><dt>two</table><dd>three</dl>",
        "<dl><dt>one<ul><li>two<dd>three</dl>",
    ],
)
def test_terms_in_odd_places_are_kept_once_and_in_order(markup: str) -> None:
    assert re.findall("[a-z]+", html(markup).text) == ["one", "two", "three"]
