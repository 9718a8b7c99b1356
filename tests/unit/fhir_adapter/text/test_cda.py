"""C-CDA: sections, narrative, the file in an unstructured body, and what is refused."""

import base64
import re
import time
import zlib
from collections import Counter
from xml.etree import ElementTree

import pytest

from fhir_adapter.errors import NoteError
from fhir_adapter.note import Content, NoteText
from fhir_adapter.reasons import Reason
from fhir_adapter.text import Limits
from fhir_adapter.text.cda.reader import Embedded, cda_text
from fhir_adapter.text.formats import read as extract

LOINC = "2.16.840.1.113883.6.1"


def section(text: str, title: str = "Plan", code: str = "18776-5", more: str = "") -> str:
    return (
        f'<component><section><code code="{code}" codeSystem="{LOINC}"/><title>{title}</title>'
        f"<text>{text}</text>{more}</section></component>"
    )


def document(*sections: str, title: str = "<title>Discharge Summary</title>") -> bytes:
    body = "".join(sections)
    return (
        '<?xml version="1.0" encoding="UTF-8"?><?xml-stylesheet href="CDA.xsl"?>'
        '<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:sdtc="urn:hl7-org:sdtc">'
        f'<code code="18842-5" codeSystem="{LOINC}" displayName="Discharge summary"/>{title}'
        "<recordTarget><patientRole><patient><name>Headername</name></patient></patientRole></recordTarget>"
        f"<component><structuredBody>{body}</structuredBody></component></ClinicalDocument>"
    ).encode()


def unstructured(content: str, attributes: str) -> bytes:
    return (
        f'<ClinicalDocument xmlns="urn:hl7-org:v3"><component><nonXMLBody><text {attributes}>{content}</text>'
        "</nonXMLBody></component></ClinicalDocument>"
    ).encode()


def read(data: bytes) -> NoteText:
    result = cda_text(data)
    assert isinstance(result, NoteText)
    return result


def narrative(text: str) -> str:
    """The lines under the section's title."""
    return read(document(section(text))).text.split("Plan\n", 1)[1]


def test_title_and_sections_are_headings_with_their_codes() -> None:
    note = read(document(section("Rest.", "Plan", "18776-5"), section("Cough.", "Complaint", "10154-3")))

    assert note.text == "Discharge Summary\n\nPlan\nRest.\n\nComplaint\nCough."
    assert [(note.text[h.start : h.end], h.code) for h in note.headings] == [
        ("Discharge Summary", "18842-5"),
        ("Plan", "18776-5"),
        ("Complaint", "10154-3"),
    ]
    assert note.normalization.endswith("/text-extraction/cda|3")
    assert note.media_type == "application/cda+xml"
    assert not note.verbatim


def test_header_of_the_document_is_left_out() -> None:
    assert "Headername" not in read(document(section("Rest."))).text


def test_names_of_codes_stand_in_for_missing_titles() -> None:
    untitled = f'<component><section><code code="8716-3" codeSystem="{LOINC}" displayName="Vital signs"/>'
    note = read(document(untitled + "<text>BP 120/80</text></section></component>", title=""))

    assert note.text == "Discharge summary\n\nVital signs\nBP 120/80"


def test_nested_sections_follow_the_text_of_the_outer_one() -> None:
    inner = section("Clear lungs.", "Chest", "11392-8")
    note = read(document(section("Overall well.", "Exam", "29545-1", more=inner)))

    assert note.text.endswith("Exam\nOverall well.\n\nChest\nClear lungs.")


def test_code_is_taken_from_a_translation_where_the_section_has_a_local_one() -> None:
    local = (
        '<component><section><code code="X1" codeSystem="1.2.3">'
        f'<translation code="10160-0" codeSystem="{LOINC}"/></code><title>Meds</title><text>None.</text>'
        "</section></component>"
    )
    assert read(document(local)).headings[-1].code == "10160-0"


@pytest.mark.parametrize(
    ("markup", "lines"),
    [
        ("<paragraph>One\n      wrapped.</paragraph><paragraph>Two.</paragraph>", "One wrapped.\n\nTwo."),
        ("A<br/>B", "A\nB"),
        ("Line one\nline two typed", "Line one\nline two typed"),
        (
            '<list listType="ordered"><caption>Do</caption><item>Rest</item><item>Drink</item></list>',
            "Do\n1. Rest\n2. Drink",
        ),
        (
            "<list><item>Asthma<list><item>mild</item></list></item><item>GERD</item></list>",
            "- Asthma\n  - mild\n- GERD",
        ),
        (
            "<list><item><content>Take care:<br/>no salt</content></item></list>",
            "- Take care:\n  no salt",
        ),
        ("H<sub>2</sub>O, 10<sup>9</sup>/L, 24 kg/m<sup>2</sup>", "H2O, 10^9/L, 24 kg/m^2"),
        ("Afraid of falling.<sup>1</sup> The 1<sup>st</sup>", "Afraid of falling.[1] The 1st"),
        ('Keep <content revised="delete">not</content><content revised="insert">this</content>', "Keep this"),
        ('<content ID="a">Aspirin</content><content>81 mg</content>', "Aspirin 81 mg"),
        (
            'See<footnote ID="f">Per <b>chart</b>.</footnote> above',
            "See[1] above\n[1] Per chart.",
        ),
        (
            'X<footnoteRef IDREF="g"/><paragraph ID="g">late</paragraph>',
            "X[1]\n\nlate\n[1] late",
        ),
        (
            '<renderMultiMedia referencedObject="M"><caption>Left hand</caption></renderMultiMedia>',
            "Left hand",
        ),
        ('<linkHtml href="https://example.org/x">Leaflet</linkHtml>', "Leaflet"),
        ("5 &lt; 6 &amp; more\u00a0space", "5 < 6 & more space"),
        ("<content><![CDATA[T < 38]]></content>", "T < 38"),
    ],
)
def test_narrative_becomes_lines(markup: str, lines: str) -> None:
    assert narrative(markup) == lines


def rows(markup: str) -> list[str]:
    return narrative(f"<table>{markup}</table>").splitlines()


def test_table_has_its_caption_and_one_line_a_row() -> None:
    head = "<caption>Labs</caption><thead><tr><th>Test</th><th>Value</th><th>Unit</th></tr></thead>"
    body = "<tbody><tr><td>WBC</td><td/><td>x10</td></tr><tr><td>HGB</td><td>14</td><td/></tr></tbody>"

    assert rows(head + body) == ["Labs", "Test | Value | Unit", "WBC | | x10", "HGB | 14"]


def test_spanning_cells_stand_once_and_keep_the_columns() -> None:
    spanned = (
        '<tr><td rowspan="2">Day 1</td><td>BP</td><td>120</td></tr><tr><td>HR</td><td>60</td></tr>'
        '<tr><td colspan="2">Total</td><td>2</td></tr>'
    )
    assert rows(spanned) == ["Day 1 | BP | 120", "| HR | 60", "Total | | 2"]


def test_absurd_spans_do_not_multiply_the_text() -> None:
    row = '<tr><td colspan="9999999" rowspan="9999999">x</td><td>y</td></tr>'
    assert len(narrative(f"<table>{row * 50}</table>")) < 100_000


def test_cells_of_several_lines_stay_in_their_row() -> None:
    row = "<tr><td><list><item>Aspirin</item><item>Statin</item></list></td><td>12 Main<br/>Street</td></tr>"
    assert rows(row) == ["- Aspirin; - Statin | 12 Main Street"]


def test_table_that_is_a_page_keeps_its_lines() -> None:
    page = "".join(f"<paragraph>Finding {n} is described at some length.</paragraph>" for n in range(12))
    assert rows(f"<tr><td>Note</td><td>{page}</td></tr>")[:2] == ["Note", ""]
    assert rows("<tr><td><paragraph>One.</paragraph><paragraph>Two.</paragraph></td></tr>") == [
        "One.",
        "",
        "Two.",
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<ClinicalDocument xmlns=", b"<ClinicalDocument xmlns:x="),
        (b'xmlns="urn:hl7-org:v3"', b""),
    ],
)
def test_namespace_does_not_matter(old: bytes, new: bytes) -> None:
    assert read(document(section("Rest.")).replace(old, new)).text.endswith("Plan\nRest.")


def test_prefixes_of_any_vendor() -> None:
    data = re.sub(rb"<(/?)([a-zA-Z])", rb"<\1n1:\2", document(section("<paragraph>Rest.</paragraph>")))
    data = data.replace(b"xmlns=", b"xmlns:n1=")
    assert read(data).text.endswith("Plan\nRest.")


def test_undeclared_prefix_is_repaired_and_said() -> None:
    data = document(section("Rest.", more="<sdtcx:thing>5</sdtcx:thing>"))
    note = read(data)
    assert note.text.endswith("Plan\nRest.")
    assert note.notice.startswith("damaged XML repaired")


def test_bare_characters_survive_repair() -> None:
    note = read(document(section("T < 38 & pulse &nbsp;< 90, see A&amp;E")))
    assert note.text.endswith("T < 38 & pulse < 90, see A&E")


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: b" \r\n\t" + text.encode(),
        lambda text: text.encode("cp1252"),
        lambda text: text.replace("UTF-8", "ISO-8859-1").encode("latin-1"),
        lambda text: text.replace("UTF-8", "UTF-16").encode("utf-16"),
        lambda text: text.encode("utf-16-le"),
        lambda text: text.replace("UTF-8", "utf-16").encode(),
        lambda text: text.replace("UTF-8", "no-such-code").encode(),
        lambda text: text.replace("UTF-8", "us-ascii").encode(),
    ],
    ids=[
        "bom",
        "leading-space",
        "cp1252-as-utf8",
        "latin1",
        "utf16",
        "utf16le-as-utf8",
        "utf8-as-utf16",
        "unknown",
        "ascii",
    ],
)
def test_encodings_declared_rightly_and_wrongly(encode) -> None:
    data = encode(document(section("Café, 38 °C")).decode())
    assert read(data).text.endswith("Café, 38 °C")


def test_empty_narrative_lists_the_original_text_of_its_entries() -> None:
    entries = (
        '<entry><observation><value><originalText><reference value="#p1"/></originalText></value>'
        "</observation></entry><entry><observation><code><originalText>Fever</originalText></code>"
        "<value><originalText>Fever</originalText></value></observation></entry>"
    )
    note = read(
        document(
            section('<content ID="p1">Old stroke</content>', "History"),
            section("", "Problems", more=entries),
        )
    )
    assert note.text.endswith("History\nOld stroke\n\nProblems\nOld stroke\nFever")


def test_coded_entries_without_any_words_are_counted_in_the_notice() -> None:
    coded = section("", "Allergies", more="<entry><act><code code='1'/></act></entry>")
    assert read(document(section("Rest."), coded)).notice == "1 sections with coded entries alone"


def test_embedded_file_comes_out_with_its_type() -> None:
    data = base64.encodebytes(b"{\\rtf1 Hello}").decode()
    assert cda_text(unstructured(data, 'mediaType="text/rtf; x=1" representation="B64"')) == Embedded(
        b"{\\rtf1 Hello}", "text/rtf"
    )
    assert cda_text(unstructured("Seen &lt; 1 h", 'mediaType="text/plain"')) == Embedded(
        b"Seen < 1 h", "text/plain", "utf-8"
    )


def test_wrapping_states_both_recipes() -> None:
    inner = NoteText("Hello", "https://x.org/y/pdf|1+pdfium-7", "application/pdf", notice="n")
    wrapped = Embedded(b"", "", notice="damaged XML repaired (line 2)").wrap(inner)
    assert wrapped.normalization.endswith("/cda+pdf|1+pdfium-7")
    assert wrapped.notice == "damaged XML repaired (line 2); n"
    assert wrapped.text == "Hello"


@pytest.mark.parametrize(("name", "window"), [("DF", -15), ("ZL", 15), ("GZ", 31), ("DF", 15)])
def test_compressed_embedded_file(name: str, window: int) -> None:
    packer = zlib.compressobj(wbits=window)
    packed = base64.b64encode(packer.compress(b"words" * 100) + packer.flush()).decode()
    result = cda_text(
        unstructured(packed, f'representation="B64" compression="{name}" mediaType="text/plain"')
    )
    assert isinstance(result, Embedded)
    assert result.data == b"words" * 100


def bomb() -> str:
    packer = zlib.compressobj(9, wbits=-15)
    zeros = bytes(1_000_000)
    return base64.b64encode(b"".join(packer.compress(zeros) for _ in range(60)) + packer.flush()).decode()


DOCTYPE = b'<!DOCTYPE x [<!ENTITY a "aaaaaa"><!ENTITY b "&a;&a;">]><ClinicalDocument>&b;</ClinicalDocument>'


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Reason.MALFORMED),
        (b"no xml at all", Reason.MALFORMED),
        (b"<html><body>Hello</body></html>", Reason.MALFORMED),
        (DOCTYPE, Reason.MALFORMED),
        (b"<!-- c --><?p q?>" + DOCTYPE, Reason.MALFORMED),
        (DOCTYPE.decode().encode("utf-16"), Reason.MALFORMED),
        (b"<!-- never closed <ClinicalDocument/>", Reason.MALFORMED),
        (document(section("<content>" * 150 + "x" + "</content>" * 150)), Reason.MALFORMED),
        (document(section("<list><item>" * 110 + "x" + "</item></list>" * 110)), Reason.MALFORMED),
        (document(section("<content>" * 5000 + "x" + "</content>" * 5000)), Reason.MALFORMED),
        (document(section("Rest."))[:320], Reason.MALFORMED),
        (document(section("")), Reason.EMPTY_TEXT),
        (document(), Reason.EMPTY_TEXT),
        (unstructured("", ""), Reason.EMPTY_TEXT),
        (unstructured('<reference value="a.pdf"/>', ""), Reason.NO_ATTACHMENT),
        (unstructured("abc", 'representation="B64"'), Reason.BAD_BASE64),
        (unstructured("AAAA", 'representation="B64" compression="DF"'), Reason.MALFORMED),
        (unstructured("AAAA", 'representation="B64" compression="Z7"'), Reason.UNSUPPORTED_TYPE),
        (unstructured(bomb(), 'representation="B64" compression="DF"'), Reason.TOO_LARGE),
        (document(section("x" * 10_100_000)), Reason.TOO_LARGE),
    ],
)
def test_refused_with_a_reason(data: bytes, reason: Reason) -> None:
    with pytest.raises(NoteError) as caught:
        cda_text(data)
    assert caught.value.reason is reason


def test_no_word_of_titles_and_narratives_is_lost() -> None:
    data = document(
        section(
            "<paragraph>Seen by Dr. Ito; well.</paragraph><table><thead><tr><th>Drug</th><th>Dose</th>"
            "</tr></thead><tbody><tr><td><content>Metoprolol</content></td><td>25 mg<br/>daily</td></tr>"
            "</tbody></table><list><item>Sodium 140</item></list>Loose words at the end."
        ),
        section("<content>Outer<content>inner</content></content><paragraph>Last</paragraph>", "Other"),
    )
    source = Counter[str]()
    for element in ElementTree.fromstring(data).iter("{urn:hl7-org:v3}section"):
        for name in ("title", "text"):
            for piece in element.find(f"{{urn:hl7-org:v3}}{name}").itertext():  # type: ignore[union-attr]
                source.update(re.findall(r"\w+", piece))
    assert sum(source.values()) > 20

    lost = source - Counter(re.findall(r"\w+", read(data).text))

    assert lost == Counter({"Outer": 1, "inner": 1})  # one word, half of it bold: `Outerinner`


@pytest.mark.parametrize(
    ("markup", "lines"),
    [
        ("<item><paragraph>No fever.</paragraph><paragraph>Left hip.</paragraph></item>",
         ["No fever.", "Left hip."]),
        ('<text xmlns="urn:hl7-org:v3">No fever.<br/>No cough.</text>', ["No fever.", "No cough."]),
        ('<list listType="ordered"><item>Rest</item><item>Fluids</item></list>', ["1. Rest", "2. Fluids"]),
        ("<text><table><tbody><tr><td>Na</td><td>140</td></tr></tbody></table></text>", ["Na | 140"]),
        ("<section><title>Plan</title><text><paragraph>Rest.</paragraph></text></section>",
         ["Plan", "Rest."]),
        ("<n1:paragraph xmlns:n1='urn:hl7-org:v3'>No fever.</n1:paragraph>", ["No fever."]),
    ],
)  # fmt: skip
def test_a_piece_cut_out_of_a_document_is_read(markup: str, lines: list[str]) -> None:
    note = extract(Content("x", markup.encode(), "application/xml"), Limits())
    assert [line for line in note.text.split("\n") if line] == lines
    assert note.media_type == "text/x-hl7-text+xml"


@pytest.mark.parametrize(
    "markup", ["<feed><entry/></feed>", "<text>words</text>", "<list><row id='1'/></list>"]
)
def test_other_xml_is_no_piece_of_a_document(markup: str) -> None:
    with pytest.raises(NoteError) as caught:
        extract(Content("x", markup.encode(), "application/xml"), Limits())
    assert caught.value.reason is Reason.UNSUPPORTED_TYPE


def test_a_tall_row_under_named_columns_stays_one_row() -> None:
    vaccines = "".join(f"<paragraph>Vaccine {number}</paragraph>" for number in range(9))
    rows = f"<tr><td>{vaccines}</td><td>completed</td></tr>"
    heads = "<thead><tr><th>Vaccines</th><th>Status</th></tr></thead>"
    named = read(document(section(f"<table>{heads}<tbody>{rows}</tbody></table>"))).text
    assert named.split("\n")[-1] == "; ".join(f"Vaccine {number}" for number in range(9)) + " | completed"


def test_a_row_in_a_cell_stays_in_its_row() -> None:
    inner = "<table><tbody><tr><td>2 puffs</td><td>daily</td></tr></tbody></table>"
    row = f"<tr><td>Salbutamol</td><td><paragraph>Inhaled</paragraph>{inner}</td><td>Active</td></tr>"
    assert rows(f"<tbody>{row}</tbody>")[-1] == "Salbutamol | Inhaled; 2 puffs, daily | Active"


def test_a_million_attributes_take_no_square_of_time() -> None:
    def seconds(count: int) -> float:
        attributes = " ".join(f'a{number}="1"' for number in range(count))
        data = document(section(f"<paragraph {attributes}>Rest.</paragraph>"))
        started = time.process_time()
        assert read(data).text.endswith("Rest.")
        return time.process_time() - started

    assert seconds(64_000) < 0.05 + 8 * seconds(16_000)
