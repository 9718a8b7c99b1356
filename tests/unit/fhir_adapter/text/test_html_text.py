"""HTML becomes the lines that a browser would show."""

import pytest

from fhir_adapter.text.html.blocks import numeral
from fhir_adapter.text.html.reader import html_text, render


def text(markup: str) -> str:
    return render(markup)[0]


def test_a_small_note() -> None:
    markup = """<!DOCTYPE html><html><head><title>Visit</title><style>p {color: red}</style></head><body>
      <h2>Progress  note</h2>
      <p>Feels <b>better</b> today;<br>no fever &amp; no cough.</p>
      <script>alert("x")</script><!-- internal -->
      <h3>Plan</h3><ol><li>Stop IV antibiotics</li><li>Discharge <i>tomorrow</i></li></ol>
    </body></html>"""
    found, headings, unread = render(markup)
    assert found == (
        "Progress note\n\nFeels better today;\nno fever & no cough.\n\nPlan\n\n"
        "1. Stop IV antibiotics\n2. Discharge tomorrow"
    )
    assert [found[each.start : each.end] for each in headings] == ["Progress note", "Plan"]
    assert unread == 0


@pytest.mark.parametrize(
    "hidden",
    [
        "<div hidden>secret</div>",
        '<p style="color:red; display : none">secret</p>',
        '<span style="visibility:hidden">secret</span>',
        "<template><p>secret</p></template>",
        "<script>if (a < b) { secret }</script>",
        "<style>.secret {}</style>",
        "<!-- secret -->",
        "<!-- a -- b > secret -->",
        '<input type="hidden" value="secret">',
        '<span title="secret"></span>',
        "<![if !supportLists]><![endif]>",
        "<?php secret ?>",
        "<p hidden>secret",
    ],
)
def test_what_a_browser_hides_is_left_out(hidden: str) -> None:
    assert text(f"<p>before</p>{hidden}<p>after</p>") == "before\n\nafter"


def test_a_head_that_is_never_closed_ends_where_content_begins() -> None:
    assert text("<html><head><meta charset=utf-8><title>T</title><p>Shown") == "Shown"
    assert text("<html><head>Shown too") == "Shown too"


def test_rows_keep_their_columns() -> None:
    markup = """<table><caption>Labs</caption><thead><tr><th>Test<th>Value<th>Flag<th>Note</tr></thead>
      <tr><td>Na</td><td>140</td><td></td><td>ok</td></tr>
      <tr><td rowspan="2">K</td><td>5.9</td><td>H</td></tr>
      <tr><td>5.1</td><td></td></tr></table>"""
    assert text(markup).splitlines() == [
        "Labs",
        "Test | Value | Flag | Note",
        "Na | 140 | | ok",
        "K | 5.9 | H",
        "| 5.1",
    ]


def test_values_in_one_cell_do_not_run_into_each_other() -> None:
    markup = "<table><tr><th>Drugs<br>now<td>Lisinopril 10 mg<br>Metformin 500 mg</td></tr></table>"
    assert text(markup) == "Drugs now | Lisinopril 10 mg; Metformin 500 mg"


def test_a_table_that_is_only_page_layout_reads_as_blocks() -> None:
    inner = "<h3>History</h3><p>Fell at home.</p><table><tr><td>BP</td><td>120/80</td></tr></table>"
    found, headings, _ = render(f"<table><tr><td> </td><td>{inner}</td><td>Side note</td></tr></table>")
    assert found == "History\n\nFell at home.\n\nBP | 120/80\nSide note"
    assert [found[each.start : each.end] for each in headings] == ["History"]


def test_a_heading_in_an_item_begins_behind_the_marker() -> None:
    found, headings, _ = render("<ul><li>x<ol><li><h4>Plan</h4><p>Rest.</p></ol></ul>")
    assert found == "- x\n\n  1. Plan\n\n    Rest."
    assert [found[each.start : each.end] for each in headings] == ["Plan"]


def test_a_fragment_cut_out_of_a_table_is_still_rows() -> None:
    assert text("<tr><td>Na</td><td>140</td></tr><tr><td>K</td><td>4</td></tr>") == "Na | 140\nK | 4"


def test_text_between_rows_keeps_its_place() -> None:
    assert text("<table><tr><td>a<td>b</tr>between<tr><td>c<td>d</table>") == "a | b\nbetween\nc | d"


def test_lists_in_lists() -> None:
    markup = '<ul><li>one<ul><li>inner<li>more</ul><li>two</ul><ol start="3" type="i"><li>x<li value=9>y</ol>'
    assert text(markup) == "- one\n  - inner\n  - more\n- two\n\niii. x\nix. y"


def test_a_further_paragraph_of_an_item_stands_under_it() -> None:
    assert text("<ul><li><p>Pain</p><p>since May</p></li></ul>") == "- Pain\n\n  since May"


@pytest.mark.parametrize(
    ("number", "style", "shown"), [(4, "i", "iv"), (19, "I", "XIX"), (2, "a", "b"), (30, "A", "30")]
)
def test_numerals(number: int, style: str, shown: str) -> None:
    assert numeral(number, style) == shown


@pytest.mark.parametrize(
    ("markup", "shown"),
    [
        ("WBC 12 x 10<sup>9</sup>/L, 1<sup>st</sup> dose", "WBC 12 x 10^9/L, 1st dose"),
        ("H<sub>2</sub>O", "H2O"),
        ("BP <s>180</s> 120", "BP [struck out: 180] 120"),
        ('<span style="text-decoration: line-through">No</span> MI', "[struck out: No] MI"),
        ('<input type="checkbox" checked>Smoker <input type=checkbox>Drinker', "[x] Smoker [ ] Drinker"),
        ('Weight <input value="80 kg">', "Weight 80 kg"),
        ("<select><option>mild<option selected>severe</select>", "severe"),
        ('<img src="x.png" alt="Critical high"> 5.9', "Critical high 5.9"),
        ("fever&nbsp;&nbsp;&nbsp;none", "fever none"),
        ("am&shy;bu&#8203;la&shy;tory", "ambulatory"),
        (
            "&lt;5 &#x2264; &hearts; &unknown; &#0; &#xD800; &#99999999999999;",
            "<5 ≤ ♥ &unknown; \ufffd \ufffd \ufffd",
        ),
        ("<pre>\nNa    140\nK       4\n</pre>", "Na    140\nK       4"),
        ('<div style="white-space: pre-wrap">a   b\n  c</div>', "a   b\n  c"),
        ("<textarea>free\n  text</textarea>", "free\n  text"),
        ("<q>no pain</q>", '"no pain"'),
        ("<dl><dt>Allergies<dd>None<dt>Diet<dd>Normal</dl>", "Allergies | None\nDiet | Normal"),
        ("a<wbr>b <b>c</b>d", "ab cd"),
        ("<p>one</p>\n\n<p>&nbsp;</p><br><br><br><p>two</p>", "one\n\ntwo"),
        ("<![CDATA[a < b]]> c", "a < b c"),
        ("<o:p>Word</o:p> <custom-tag>x</custom-tag>", "Word x"),
        ("<xhtml:p>one</xhtml:p><xhtml:p>two</xhtml:p>", "one\n\ntwo"),
    ],
)
def test_what_only_the_rendering_shows_is_written_out(markup: str, shown: str) -> None:
    assert text(markup) == shown


@pytest.mark.parametrize(
    "written",
    [
        "WBC <10 and >4",
        "K <normal range, recheck",
        "a < b",
        "x <",
        "<",
        "5 <b",
        "</",
        "p<0.05",
        "<unclear what",
    ],
)
def test_a_less_than_sign_of_the_note_is_not_taken_for_a_tag(written: str) -> None:
    assert text(f"<p>before {written}").split() == ["before", *written.split()]


@pytest.mark.parametrize(
    ("markup", "shown"),
    [
        ("<b><p>one<p>two</b>three", "one\n\ntwothree"),
        ("</div></p></td>text", "text"),
        ("<td>a<td>b", "a | b"),
        ('<p class="x>text</p>', "text"),
        ("<p title='a > b'>text", "text"),
        ("<a href=foo/>link</a>", "link"),
        ("<div/>text", "text"),
        ("one</br>two", "one\ntwo"),
        ("<title>never closed<p>text", "never closed\n\ntext"),
        ("a\0b", "ab"),
        ("<h1>a<h2>b</h1>c", "a\n\nb\n\nc"),
    ],
)
def test_broken_markup_loses_nothing(markup: str, shown: str) -> None:
    assert text(markup) == shown


def test_what_an_unclosed_script_swallows_is_counted() -> None:
    note = html_text(b"<p>kept</p><script>rest of the note")
    assert note.text == "kept"
    assert note.notice == "16 characters after an unclosed script or comment"


@pytest.mark.parametrize(
    "data",
    [
        '<?xml version="1.0" encoding="iso-8859-2"?><p>Łódź</p>'.encode("iso-8859-2"),
        '<meta charset="iso-8859-2"><p>Łódź</p>'.encode("iso-8859-2"),
        '<meta http-equiv=Content-Type content="text/html; charset=iso-8859-2"><p>Łódź'.encode("iso-8859-2"),
        "<p>Łódź</p>".encode("utf-16"),
        "<p>Łódź</p>".encode(),
    ],
)
def test_the_encoding_is_found(data: bytes) -> None:
    note = html_text(data)
    assert note.text == "Łódź"
    assert note.normalization.endswith("/text-extraction/html|5")
    assert not note.verbatim


def test_tables_nested_beyond_all_reason_are_blocks() -> None:
    nested = "<table><tr><td>a<td>b</table>"
    for _ in range(40):
        nested = f"<table><tr><td>{nested}</td></tr></table>"
    assert text(f"{nested}<table><tr><td>x<td>y</table>end").split() == ["a", "b", "x", "|", "y", "end"]


@pytest.mark.parametrize(
    "hostile",
    [
        "<div>" * 60_000 + "deep" + "</div>" * 60_000,
        "<b" * 60_000,
        "<zz " * 60_000 + ">",
        '<a b="' * 40_000,
        "<a '\"" * 40_000,
        "<!--" * 50_000,
        "<![CDATA[" * 30_000,
        "<title>" * 40_000,
        "<textarea>" * 30_000,
        "&#" + "9" * 200_000 + ";",
        "&" * 200_000,
        "<ul><li>" * 30_000 + "x",
        "<table><tr><td>" * 20_000 + "x",
        "<td rowspan=9999 colspan=9999>x" * 8_000,
        "<table><tr>" + "<td>x" * 40_000,
        "<style>" + "/*" * 100_000 + "</style>x",
        "<style>" + ".a{" * 60_000 + "</style><p class=a>x",
        '<p style="' + "text-decoration:font:" * 20_000 + '">x',
        "<p><table><td>" + "<i>" * 600 + "<div></b>" * 20_000,
        "<select>" * 30_000,
        "<b>" + "</i>" * 60_000,
        "<s><p>" * 30_000,
        "<!doctype html [" * 20_000,
        "<!doctype html [>" * 20_000,
        "<table><tr><td>" * 170 + "<br>x" * 12_000,
        "<ul><li><table><tr><td>" * 120 + "<br>x" * 12_000,
        "<x:y " + "a=b " * 50_000,
    ],
)
def test_hostile_markup_costs_no_more_than_its_size(hostile: str) -> None:
    found = text(hostile)
    assert len(found) <= 64 * len(hostile)


def test_a_list_to_choose_from_names_its_choices_where_none_is_recorded() -> None:
    note = html_text(b"<p>Code status <select><option>Full code</option><option>DNR</option></select></p>")
    assert note.text == "Code status [no choice recorded: Full code / DNR]"
    assert note.notices == ("1 lists to choose from without a recorded choice",)


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<label>Cough</label><label>Fever</label>", "Cough Fever"),
        ("<label>Dose:</label><input value='3 mg'><output>held</output>", "Dose: 3 mg held"),
        (
            "<input type=checkbox checked><label>CPR</label><input type=checkbox><label>ICU</label>",
            "[x] CPR [ ] ICU",
        ),
        ("<input type=radio><label>ex</label><input type=radio checked>now", "( ) ex (x) now"),
        ("(<label>left</label>) sub<b>total</b>", "(left) subtotal"),
    ],
)
def test_labels_and_fields_are_words_of_their_own(markup: str, text: str) -> None:
    assert html_text(markup.encode()).text == text
