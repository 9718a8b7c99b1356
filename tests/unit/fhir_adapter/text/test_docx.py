"""DOCX: paragraphs, headings, lists, tables, revisions, fields, boxes, and packages that are none."""

import io
import re
import zipfile
from collections import Counter

import docx
import pytest
from docx.enum.text import WD_BREAK

from fhir_adapter.errors import NoteError
from fhir_adapter.note import NoteText
from fhir_adapter.reasons import Reason
from fhir_adapter.text.docx.reader import docx_text

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/wordprocessingml/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MC = "http://schemas.openxmlformats.org/markup-compatibility/2006"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def part(name: str, inner: str, namespace: str = W) -> str:
    spaces = f'xmlns:w="{namespace}" xmlns:mc="{MC}" xmlns:v="urn:v"'
    return f'<?xml version="1.0"?><w:{name} {spaces}>{inner}</w:{name}>'


def relations(*pairs: tuple[str, str]) -> str:
    inner = "".join(
        f'<Relationship Id="r{number}" Type="{R}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(pairs)
    )
    return f'<Relationships xmlns="{PACKAGE}">{inner}</Relationships>'


def package(body: str, parts: dict[str, str] | None = None, namespace: str = W) -> bytes:
    """A package of `body` and of further parts by the kind of their relation (`styles`, `header2`)."""
    parts = parts or {}
    related = relations(*((re.sub(r"\d", "", kind), f"{kind}.xml") for kind in parts))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("_rels/.rels", relations(("officeDocument", "word/document.xml")))
        archive.writestr("word/document.xml", part("document", f"<w:body>{body}</w:body>", namespace))
        archive.writestr("word/_rels/document.xml.rels", related)
        for kind, content in parts.items():
            archive.writestr(f"word/{kind}.xml", content)
    return out.getvalue()


def p(*runs: str, properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr>{''.join(runs)}</w:p>"


def r(text: str, properties: str = "") -> str:
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def read(body: str, **parts: str) -> NoteText:
    return docx_text(package(body, parts))


def written(document: "docx.document.Document") -> bytes:
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def test_document_of_a_word_processor() -> None:
    document = docx.Document()
    document.add_heading("Discharge Summary", 0)
    document.add_heading("History", 1)
    paragraph = document.add_paragraph("Admitted with ")
    paragraph.add_run("chest pain").bold = True
    paragraph.add_run(".").add_break(WD_BREAK.LINE)
    paragraph.add_run("No\tfever.")
    document.add_paragraph("Aspirin", style="List Bullet")
    document.add_paragraph("Rest", style="List Number")
    document.add_paragraph("Drink", style="List Number")
    table = document.add_table(rows=2, cols=3)
    for row, values in enumerate([("Test", "Value", "Unit"), ("WBC", "", "x10")]):
        for column, text in enumerate(values):
            table.cell(row, column).text = text
    document.sections[0].header.paragraphs[0].text = "General Hospital"
    document.sections[0].footer.paragraphs[0].text = "Confidential"

    note = docx_text(written(document))

    assert note.text.split("\n") == [
        "General Hospital", "", "Discharge Summary", "", "History", "Admitted with chest pain.", "No\tfever.",
        "- Aspirin", "1. Rest", "2. Drink", "", "Test | Value | Unit", "WBC | | x10", "", "Confidential",
    ]  # fmt: skip
    assert [note.text[h.start : h.end] for h in note.headings] == ["Discharge Summary", "History"]
    assert note.normalization.endswith("/text-extraction/docx|3")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (p(r("kept "), f"<w:del>{r('gone')}</w:del>", f"<w:ins>{r('added')}</w:ins>"), "kept added"),
        (p(f"<w:moveFrom>{r('old')}</w:moveFrom><w:moveTo>{r('new')}</w:moveTo>"), "new"),
        (p(r("seen "), r("hidden", "<w:vanish/>"), r("and", '<w:vanish w:val="0"/>')), "seen and"),
        (p(f"<w:hyperlink>{r('link')}</w:hyperlink>"), "link"),
        (p(f"<w:sdt><w:sdtContent>{r('box')}</w:sdtContent></w:sdt>"), "box"),
        (f"<w:sdt><w:sdtPr><w:t/></w:sdtPr><w:sdtContent>{p(r('in'))}</w:sdtContent></w:sdt>", "in"),
        (p("<w:r><w:t>a</w:t><w:noBreakHyphen/><w:t>b</w:t><w:softHyphen/><w:t>c</w:t></w:r>"), "a-bc"),
        (p('<w:r><w:sym w:font="Symbol" w:char="F0B3"/><w:t> 5</w:t></w:r>'), "≥ 5"),
        (p('<w:r><w:sym w:font="Wingdings" w:char="F0FE"/></w:r>'), "☑"),
        (p("<w:r><w:t>one</w:t><w:br/><w:t>two</w:t></w:r>"), "one\ntwo"),
        (p('<w:r><w:fldChar w:fldCharType="begin"/><w:instrText>DATE</w:instrText>'
           '<w:t>instruction</w:t><w:fldChar w:fldCharType="separate"/><w:t>1 May</w:t>'
           '<w:fldChar w:fldCharType="end"/><w:t> 2020</w:t></w:r>'), "1 May 2020"),
        (p('<w:r><w:fldChar w:fldCharType="begin"><w:ffData><w:checkBox><w:checked/>'
           '</w:checkBox></w:ffData></w:fldChar><w:fldChar w:fldCharType="end"/>'
           '<w:t>Smoker</w:t></w:r>'), "[x] Smoker"),
        (p(f'<w:fldSimple w:instr="PAGE">{r("7")}</w:fldSimple>'), "7"),
        (p("<w:r><w:ruby><w:rt><w:r><w:t>x</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>base</w:t></w:r></w:rubyBase>"
           "</w:ruby></w:r>"), "base"),
        (p(r("long " * 30)) + p(r("short")), ("long " * 30).strip() + "\n\nshort"),
    ],
)  # fmt: skip
def test_text(body: str, text: str) -> None:
    assert read(body).text == text


def test_strict_documents_are_read_alike() -> None:
    assert docx_text(package(p(r("Strict.")), namespace=STRICT)).text == "Strict."


def test_text_box_follows_its_paragraph_and_is_read_once() -> None:
    box = f"<w:txbxContent>{p(r('In the box'))}</w:txbxContent>"
    old = f"<mc:Fallback><w:pict>{box}</w:pict></mc:Fallback>"
    new = f"<mc:Choice><w:drawing>{box}</w:drawing></mc:Choice>"
    body = p(r("Around."), f"<w:r><mc:AlternateContent>{new}{old}</mc:AlternateContent></w:r>")
    only = p(f"<w:r><mc:AlternateContent>{old}</mc:AlternateContent></w:r>")
    assert read(body + p(r("After."))).text == "Around.\nIn the box\nAfter."
    assert read(only).text == "In the box"


def row(*cells: str) -> str:
    return f"<w:tr>{''.join(cells)}</w:tr>"


def cell(text: str, properties: str = "") -> str:
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{p(r(text))}</w:tc>"


def test_merged_cells_stand_once_and_keep_the_columns() -> None:
    start, goes_on = '<w:vMerge w:val="restart"/>', "<w:vMerge/>"
    table = row(cell("Day 1", start), cell("BP"), cell("120")) + row(
        cell("", goes_on), cell("HR"), cell("60")
    )
    table += (
        row(cell("Total", '<w:gridSpan w:val="2"/>'), cell("2")) + "<w:tr><w:trPr><w:del/></w:trPr></w:tr>"
    )
    assert read(f"<w:tbl>{table}</w:tbl>").text.split("\n") == [
        "Day 1 | BP | 120",
        "| HR | 60",
        "Total | | 2",
    ]


def test_nested_table_and_wrapped_rows() -> None:
    inner = f"<w:tbl>{row(cell('A'), cell('1'))}{row(cell('B'), cell('2'))}</w:tbl>"
    outer = f"<w:sdt><w:sdtContent>{row(cell('Left'), f'<w:tc>{inner}<w:p/></w:tc>')}</w:sdtContent></w:sdt>"
    assert read(f"<w:tbl>{outer}</w:tbl>").text.split("\n") == ["Left", "A | 1", "B | 2"]


NUMBERING = part(
    "numbering",
    '<w:abstractNum w:abstractNumId="0">'
    '<w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/></w:lvl>'
    '<w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="lowerLetter"/><w:lvlText w:val="%1.%2)"/></w:lvl>'
    '</w:abstractNum><w:abstractNum w:abstractNumId="1">'
    '<w:lvl w:ilvl="0"><w:start w:val="4"/><w:numFmt w:val="upperRoman"/><w:lvlText w:val="%1)"/></w:lvl>'
    '</w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>'
    '<w:num w:numId="2"><w:abstractNumId w:val="1"/></w:num>'
    '<w:num w:numId="3"><w:abstractNumId w:val="0"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="7"/>'
    "</w:lvlOverride></w:num>",
)


def item(text: str, number: int, level: int = 0) -> str:
    numbered = f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>'
    return p(r(text), properties=numbered)


def test_lists_count_as_word_does() -> None:
    body = item("a", 1) + item("b", 1, 1) + item("c", 1, 1) + item("d", 1) + item("e", 1, 1)
    body += item("f", 2) + item("g", 3) + item("h", 0) + item("i", 99) + item("j", 1)
    assert read(body, numbering=NUMBERING).text.split("\n") == [
        "1. a", "  1.a) b", "  1.b) c", "2. d", "  2.a) e", "IV) f", "7. g", "h", "i", "3. j",
    ]  # fmt: skip


STYLES = part(
    "styles",
    '<w:style w:styleId="h"><w:name w:val="heading 2"/></w:style>'
    '<w:style w:styleId="own"><w:name w:val="Section"/><w:basedOn w:val="h"/></w:style>'
    '<w:style w:styleId="loop"><w:name w:val="x"/><w:basedOn w:val="loop"/></w:style>'
    '<w:style w:styleId="secret"><w:name w:val="y"/><w:rPr><w:vanish/></w:rPr></w:style>'
    '<w:style w:styleId="listed"><w:name w:val="z"/><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr>'
    "</w:style>",
)


def styled(text: str, style: str) -> str:
    return p(r(text), properties=f'<w:pStyle w:val="{style}"/>')


def test_styles_say_what_is_heading_hidden_or_listed() -> None:
    body = (
        styled("Plan", "own") + styled("Rest.", "loop") + styled("no", "secret") + styled("Walk.", "listed")
    )
    body += p(r("Outlined"), properties='<w:outlineLvl w:val="1"/>')
    note = read(body, styles=STYLES, numbering=NUMBERING)
    assert note.text == "Plan\nRest.\n\n1. Walk.\n\nOutlined"
    assert [note.text[h.start : h.end] for h in note.headings] == ["Plan", "Outlined"]


def test_headers_footers_and_notes_once() -> None:
    body = p(r("Seen"), '<w:r><w:footnoteReference w:id="2"/></w:r>', r(" today."))
    note = read(
        body,
        header=part("hdr", p(r("Hospital"))),
        header2=part("hdr", p(r("Hospital"))),
        footer=part("ftr", p(r("Page 1"))),
        footnotes=part("footnotes", f'<w:footnote w:id="2">{p(r("By phone."))}</w:footnote>'),
    )
    assert note.text == "Hospital\n\nSeen[1] today.\n\n[1] By phone.\n\nPage 1"


def encrypted_member() -> bytes:
    data = bytearray(package(p(r("x"))))
    for at in [found.start() for found in re.finditer(rb"PK\x01\x02", bytes(data))]:
        data[at + 8] |= 1
    return bytes(data)


def other_office() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("_rels/.rels", relations(("officeDocument", "xl/workbook.xml")))
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return out.getvalue()


def plain_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.txt", "x")
    return out.getvalue()


def doctype() -> bytes:
    entities = '<!DOCTYPE x [<!ENTITY a "aaaa">]>'
    return package(p(r("x")), {"styles": entities + "<x>&a;</x>"})


def bomb() -> bytes:
    return package(f"<!--{' ' * 70_000_000}-->")


COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: b"", Reason.MALFORMED),
        (lambda: b"PK\x03\x04 rubbish", Reason.MALFORMED),
        (lambda: package(p(r("x")))[:-40], Reason.MALFORMED),
        (lambda: package("<w:p>"), Reason.EMPTY_TEXT),
        (doctype, Reason.MALFORMED),
        (lambda: package(p("")), Reason.EMPTY_TEXT),
        (lambda: package("<w:sdt>" * 100 + p(r("x")) + "</w:sdt>" * 100), Reason.MALFORMED),
        (encrypted_member, Reason.ENCRYPTED),
        (lambda: COMPOUND + "EncryptedPackage".encode("utf-16-le"), Reason.ENCRYPTED),
        (lambda: COMPOUND, Reason.UNSUPPORTED_TYPE),
        (other_office, Reason.UNSUPPORTED_TYPE),
        (plain_zip, Reason.UNSUPPORTED_TYPE),
        (bomb, Reason.TOO_LARGE),
    ],
    ids=[
        "empty", "rubbish", "cut", "unclosed", "doctype", "blank", "deep", "encrypted",
        "encrypted-ole", "doc", "xlsx", "zip", "bomb",
    ],
)  # fmt: skip
def test_refused_with_a_reason(make, reason: Reason) -> None:
    with pytest.raises(NoteError) as caught:
        docx_text(make())
    assert caught.value.reason is reason


def test_no_word_is_lost_by_a_second_reader() -> None:
    """Every word that python-docx finds in paragraphs and cells is in our text."""
    document = docx.Document()
    for number in range(30):
        document.add_paragraph(f"Finding {number} was seen by Dr. Ito; rate {number * 3} per minute.")
    table = document.add_table(rows=4, cols=4)
    for at, each in enumerate(table._cells):
        each.text = f"cell{at} value"
    source = Counter[str]()
    for paragraph in document.paragraphs:
        source.update(re.findall(r"\w+", paragraph.text))
    for each in table._cells:
        source.update(re.findall(r"\w+", each.text))
    assert sum(source.values()) > 200

    assert source - Counter(re.findall(r"\w+", docx_text(written(document)).text)) == Counter()
