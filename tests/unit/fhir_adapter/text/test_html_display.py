"""HTML whose style shows elements as others: rows and cells, lines of spans, struck-out rules."""

import pytest

from fhir_adapter.text.html.reader import html_text


def text(markup: str) -> str:
    return html_text(markup.encode(), "utf-8").text


ROWS = (
    "<div><div {row}><span {cell}>Latex</span><span {cell}>hives</span></div>"
    "<div {row}><span {cell}>Egg</span><span {cell}>none</span></div></div><p>End.</p>"
)


@pytest.mark.parametrize(
    ("head", "row", "cell"),
    [
        ("", "style='display:table-row'", "style='Display : table-cell; width:9em'"),
        ("<style>.r{display:table-row} span.c{display:table-cell}</style>", "class=r", "class='x c'"),
        ("<style>div span{display:table-cell} #r{display:table-row}</style>", "id=r", ""),
    ],
)
def test_rows_and_cells_by_their_style(head: str, row: str, cell: str) -> None:
    shown = text(head + ROWS.format(row=row, cell=cell)).split("\n")
    assert [line for line in shown if line] == ["Latex | hives", "Egg | none", "End."]


@pytest.mark.parametrize(
    ("style", "markup", "shown"),
    [
        ("block", "<span {}>No fever</span><span {}>Rash</span>", "No fever\nRash"),
        ("inline-block", "<span {}>Dose</span><span {}>5 mg</span>", "Dose 5 mg"),
        ("inline", "a<span {}>b</span>c", "abc"),
        ("block", "<span {}>a<span>b</span>c</span>d", "abc\nd"),
        ("flex", "<div {}>a</div><div>b</div>", "a\nb"),
        ("none", "x<span {}>y</span>z", "xz"),
        ("block", "<label {}>a</label></label>b", "a\nb"),
    ],
)
def test_elements_of_no_meaning_stand_as_they_are_laid_out(style: str, markup: str, shown: str) -> None:
    assert text(markup.replace("{}", f"style='display:{style}'")) == shown


@pytest.mark.parametrize("selector", ["#v1", "p #v1", "div > p .old", "b.old", "body b"])
def test_struck_out_by_an_id_or_behind_other_elements(selector: str) -> None:
    rule = f"<style>{selector} {{text-decoration: line-through}}</style>"
    shown = text(f"{rule}<div><p><b id=v1 class=old>Give iron</b> Rest</p></div>")
    assert shown == "[struck out: Give iron] Rest"


@pytest.mark.parametrize("selector", ["#v2", ".a .old", "i .old:hover", "b + b"])
def test_rules_that_do_not_speak_of_it_say_nothing(selector: str) -> None:
    rule = f"<style>{selector} {{text-decoration: line-through}}</style>"
    assert text(f"{rule}<p><b id=v1 class=old>Give iron</b></p>") == "Give iron"


def test_hostile_styles_cost_no_more_than_their_size() -> None:
    spans = "<span style='display:table-cell'>x" * 20_000
    assert text(spans + "</span>" * 20_000).count("x") == 20_000
