"""Nothing is lost: the words that an independent second reader finds are in the text."""

import re
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html as lxml_html

from fhir_adapter.text.html.reader import render

INLINE = frozenset(("a", "b", "i", "u", "em", "strong", "span", "font", "sub", "sup", "tt", "small", "big"))
UNSEEN = frozenset(("script", "style", "head", "title", "template"))


class StandardReader(HTMLParser):
    """The standard library's idea of what text an HTML document has."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unseen += tag in UNSEEN
        self.pieces.append("" if tag in INLINE else " ")

    def handle_endtag(self, tag: str) -> None:
        self._unseen -= tag in UNSEEN
        self.pieces.append("" if tag in INLINE else " ")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.pieces.append(data)


def by_standard_library(markup: str) -> str:
    reader = StandardReader()
    reader.feed(markup)
    reader.close()
    return "".join(reader.pieces)


def by_lxml(markup: str) -> str:
    root = lxml_html.document_fromstring(markup)
    for unseen in root.xpath("//script | //style | //head | //template"):
        unseen.drop_tree()
    for element in root.iter():
        if isinstance(element.tag, str) and element.tag not in INLINE:
            element.text = " " + (element.text or "")
            element.tail = " " + (element.tail or "")
    return str(root.text_content())


def words(text: str) -> Counter[str]:
    return Counter(re.findall(r"[^\W_]+", text))


def share_kept(markup: str, second: str) -> float:
    """Share of the second reader's words, with their counts, that stand in our text."""
    expected, found = words(second), words(render(markup)[0])
    total = sum(expected.values())
    return 1.0 if not total else sum(min(n, found[word]) for word, n in expected.items()) / total


NOTES = {
    "outpatient": """<!DOCTYPE html><html><head><title>Visit</title><style>td {border: 0}</style></head><body>
      <h1>Visit of Tuesday</h1>
      <p>She reports <b>no</b> chest pain; walks 2&nbsp;km. <i>Seen with</i> daughter.
      <h2>Vital signs</h2>
      <table border=1><tr><th>BP<th>Pulse<th>SpO<sub>2</sub></tr><tr><td>132/84<td>72<td>97&nbsp;%</table>
      <h2>Assessment</h2>
      <ol><li>Hypertension &ndash; controlled<li>COPD <ul><li>GOLD II<li>no exacerbation</ul></ol>
      <p>Plan:<br>1. Continue amlodipine 5 mg<br>2. Spirometry in six months</p>
      <script>var hidden = 1;</script></body></html>""",
    "mail": """<div class="gmail_quote"><div dir=ltr>Dear colleague,<div><br></div>
      <div>thank you for sending Mr.&nbsp;B.</div>
      <blockquote style="margin:0"><p>Potassium was 5.9 &mdash; please repeat.</p></blockquote>
      <p class=MsoNormal><o:p>&nbsp;</o:p></p><font face=Arial size=2>Kind regards</font></div></div>""",
    "layout": """<table width=100%><tr><td><table><tr><td>Name</td><td>Doe</td></tr>
      <tr><td>Ward</td><td>3B</td></tr></table></td>
      <td><h3>Course</h3><p>Admitted after a fall.</p><p>Hip fracture, operated on day 1.</p></td></tr>
      </table>""",
    "broken": """<p>Unclosed <b>bold <i>and italic</b> text</i><p>next <td>cell <li>item <tr><td>x
      <table><tr>y</table>end</div></span> WBC <11 and >4, K <normal; A&P ok &amp more""",
}


@pytest.mark.parametrize("second", [by_standard_library, by_lxml])
@pytest.mark.parametrize("name", ["outpatient", "mail", "layout"])
def test_every_word_of_a_note_is_kept(name: str, second: Callable[[str], str]) -> None:
    assert share_kept(NOTES[name], second(NOTES[name])) == 1.0


def test_every_word_of_a_broken_note_is_kept() -> None:
    assert share_kept(NOTES["broken"], by_standard_library(NOTES["broken"])) == 1.0


WORD = st.text(st.characters(codec="utf-8", categories=("L", "N")), min_size=1, max_size=8)
TAGS = (
    *(
        "p",
        "div",
        "br",
        "b",
        "i",
        "span",
        "table",
        "tr",
        "td",
        "th",
        "ul",
        "ol",
        "li",
        "h1",
        "h2",
        "pre",
        "sup",
    ),
    *("dl", "dt", "dd", "blockquote", "a", "hr", "font", "q"),
)
TAG = st.sampled_from(TAGS)
PIECE = st.one_of(
    WORD, st.just(" "), TAG.map("<{}>".format), TAG.map("</{}>".format), TAG.map("<{}/>".format)
)


@settings(max_examples=300)
@given(st.lists(PIECE, max_size=60))
def test_whatever_the_nesting_no_character_is_lost_or_moved(pieces: list[str]) -> None:
    text, headings, unread = render("".join(pieces))
    expected = "".join(piece for piece in pieces if not piece.startswith("<")).replace(" ", "")
    # What the layout adds: markers, cell borders, joints, colons of labels, quotation marks, carets, the
    # brackets of a raised number. No word holds any of them.
    bare = re.sub(r"-|[0-9]+\.(?= )|[\s|;:^\"\[\]]", "", text)
    assert unread == 0
    assert bare == expected
    for heading in headings:
        assert text[heading.start : heading.end].strip()


@settings(max_examples=200)
@given(st.text(max_size=200))
def test_any_text_is_rendered_without_error_or_surrogate(markup: str) -> None:
    render(markup.encode("utf-8", "replace").decode())[0].encode("utf-8")


@settings(max_examples=200)
@given(st.lists(PIECE, max_size=60))
def test_lines_are_tidy(pieces: list[str]) -> None:
    text = render("".join(pieces))[0]
    assert "\n\n\n" not in text
    assert text == text.strip("\n")
    assert not any(line != line.rstrip() for line in text.split("\n"))
