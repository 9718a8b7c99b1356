"""What only the look of a document shows is written out, in one notation for every format."""

from collections.abc import Callable

import docx
import pytest
from reportlab.pdfgen.canvas import Canvas

from fhir_adapter.note import NoteText
from fhir_adapter.text import notation
from summarizer.types import MarkKind
from tests.unit.fhir_adapter.text.small_notes import body, cda, html, marked, pdf, rtf, run, saved, word

Run = Callable[["docx.text.run.Run"], object]


STRUCK = "[struck out: Lisinopril 20 mg]"


@pytest.mark.parametrize(
    "found",
    [
        html("<p><del>Lisinopril 20 mg</del> held</p>"),
        html("<style>.x, b.y {text-decoration: line-through}</style><p><i class=x>Lisinopril 20 mg</i> held"),
        html("<style>em{top:0;text-decoration:line-through }</style><em>Lisinopril <b>20 mg</b></em> held"),
        html('<font style="text-decoration-line:line-through">Lisinopril 20 mg</font> held'),
        rtf(r"{\strike Lisinopril 20 mg} held"),
        rtf(r"\striked1 Lisinopril \b 20\b0  mg\striked0  held"),
        rtf(r"{\b\strike Lisinopril 20 mg\plain  held}"),
        cda('<content styleCode="Strikethrough">Lisinopril 20 mg</content> held'),
        cda("<paragraph><s>Lisinopril 20 mg</s> held</paragraph>"),
        word(run("Lisinopril ", "<w:strike/>") + run("20 mg", "<w:strike/><w:b/>") + run(" held")),
        word(run("Lisinopril 20 mg", '<w:dstrike w:val="true"/>') + run(" held", '<w:strike w:val="0"/>')),
    ],
)  # fmt: skip
def test_struck_out_words_say_so(found: NoteText) -> None:
    assert body(found) == f"{STRUCK} held"
    assert marked(found, MarkKind.STRIKE) == [STRUCK]


def test_a_style_can_strike_out() -> None:
    document = docx.Document()
    style = document.styles.add_style("Old", docx.enum.style.WD_STYLE_TYPE.PARAGRAPH)
    style.font.strike = True
    document.add_paragraph("Lisinopril 20 mg", style="Old")
    assert saved(document).text == STRUCK


def test_every_line_of_struck_out_words_says_so() -> None:
    assert html("<s>Warfarin<br>Digoxin</s><p>Aspirin").text.split("\n") == [
        "[struck out: Warfarin]", "[struck out: Digoxin]", "", "Aspirin",
    ]  # fmt: skip
    assert rtf(r"{\strike Warfarin\par Digoxin\par}Aspirin").text.split("\n") == [
        "[struck out: Warfarin]", "[struck out: Digoxin]", "Aspirin",
    ]  # fmt: skip


def test_struck_out_cells_stay_in_their_row() -> None:
    found = html("<s><table><tr><td>Warfarin<td>5 mg</tr></table></s><table><tr><td>Aspirin<td>81 mg</table>")
    assert found.text.split("\n\n") == [
        "[struck out: Warfarin] | [struck out: 5 mg]",
        "Aspirin | 81 mg",
    ]


@pytest.mark.parametrize("at", [3.4, 4.0, 2.5])
def test_a_line_through_words_of_a_pdf_strikes_them_out(at: float) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.drawString(72, 700, "Stop Lisinopril 20 mg today")
        start = 72 + canvas.stringWidth("Stop ", "Helvetica", 11)
        end = start + canvas.stringWidth("Lisinopril 20 mg", "Helvetica", 11)
        canvas.line(start, 700 + at, end, 700 + at)
        canvas.drawString(72, 680, "Aspirin 81 mg")
        canvas.line(72, 678, 160, 678)
        canvas.line(60, 665, 500, 665)

    assert pdf(draw).text.replace("\n\n", "\n") == f"Stop {STRUCK} today\nAspirin 81 mg"


def test_rules_of_a_table_strike_nothing_out() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.grid([70, 200, 300], [690, 704, 718])
        for top, cells in ((707, ("Drug", "Dose")), (693, ("Aspirin", "81 mg"))):
            canvas.drawString(74, top, cells[0])
            canvas.drawString(204, top, cells[1])

    assert pdf(draw).text == "Drug | Dose\nAspirin | 81 mg"


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (html("WBC 4.5 x 10<sup>9</sup>/L"), "WBC 4.5 x 10^9/L"),
        (html('4.5 x 10<span style="font-size:7pt; vertical-align: super">9</span>/L'), "4.5 x 10^9/L"),
        (html("<style>.s {vertical-align: super}</style>INR 10<span class=s>9</span>"), "INR 10^9"),
        (html('CO<font style="vertical-align:sub">2</font> 24'), "CO2 24"),
        (html('<table><tr><td style="vertical-align: super">Weight<td>70</table>'), "Weight | 70"),
        (html("10<sup><a href=x>&#8722;3</a></sup>"), "10^−3"),
        (html("35 kg/m<sup>2</sup>, BNP 400<sup>a</sup>"), "35 kg/m^2, BNP 400^a"),
        (html("Aspirin<sup>2</sup> and 3<sup>rd</sup>"), "Aspirin[2] and 3rd"),
        (html("HCO<sub>3</sub><sup>-</sup> 24, SpO<sub>2</sub> 97"), "HCO3- 24, SpO2 97"),
        (html("5<sub>2</sub>; log<sub>2</sub>8; 10<sup>9</sup>5"), "5_2; log2 8; 10^9 5"),
        (rtf(r"WBC 4.5 x 10{\super 9}/L"), "WBC 4.5 x 10^9/L"),
        (rtf(r"WBC 4.5 x 10{\up6 9}/L, CO{\sub 2}"), "WBC 4.5 x 10^9/L, CO2"),
        (rtf(r"WBC 4.5 x 10\super 9\nosupersub /L"), "WBC 4.5 x 10^9/L"),
        (cda("WBC 4.5 x 10<sup>9</sup>/L"), "WBC 4.5 x 10^9/L"),
        (cda("(Confirmed)<sup>1</sup> today"), "(Confirmed)[1] today"),
        (word(run("x 10") + run("1", '<w:vertAlign w:val="superscript"/>')
              + run("2", '<w:vertAlign w:val="superscript"/>') + run("/L")), "x 10^12/L"),
        (word(run("x 10") + run("9", '<w:position w:val="8"/>') + run("/L")), "x 10^9/L"),
        (word(run("H") + run("2", '<w:vertAlign w:val="subscript"/>') + run("O")), "H2O"),
    ],
)  # fmt: skip
def test_raised_and_lowered_characters_keep_their_meaning(found: NoteText, text: str) -> None:
    assert body(found) == text


@pytest.mark.parametrize("height", [4, 5.5])
def test_raised_characters_of_a_pdf(height: float) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.drawString(72, 700, "Platelets 150 x 10")
        end = 72 + canvas.stringWidth("Platelets 150 x 10", "Helvetica", 11)
        canvas.setFontSize(7)
        canvas.drawString(end, 700 + height, "9")
        canvas.setFontSize(11)
        canvas.drawString(end + 4.2, 700, "/L")

    assert pdf(draw).text == "Platelets 150 x 10^9/L"


CHECKED = "<w14:checkbox><w14:checked w14:val='{}'/></w14:checkbox>"


def control(properties: str, inner: str) -> str:
    return f"<w:sdt><w:sdtPr>{properties}</w:sdtPr><w:sdtContent>{inner}</w:sdtContent></w:sdt>"


def legacy(data: str) -> str:
    begin = f'<w:r><w:fldChar w:fldCharType="begin"><w:ffData>{data}</w:ffData></w:fldChar></w:r>'
    return begin + '<w:r><w:instrText>FORM</w:instrText><w:fldChar w:fldCharType="end"/></w:r>'


CHOICES = '<w:listEntry w:val="mild"/><w:listEntry w:val="severe"/>'


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (html("<input type=checkbox checked=''> Diabetes"), "[x] Diabetes"),
        (html("<input type=radio> yes <input type=radio checked> no"), "( ) yes (x) no"),
        (html('<span role=checkbox aria-checked="true"></span> DNR'), "[x] DNR"),
        (html('<div><i role=radio aria-checked="mixed"></i> DNR</div>'), "(?) DNR"),
        (html("Pain <select><option>mild<option selected>severe</select> now"), "Pain severe now"),
        (html("Pain <select><option>mild<option>severe</select>"),
         "Pain [no choice recorded: mild / severe]"),
        (html("<select multiple><option selected>a<option>b<option selected>c</select>"), "a, c"),
        (rtf(r"{\field{\*\fldinst FORMCHECKBOX{\*\formfield{\fftype1\ffres1}}}{\fldrslt}} DNR"), "[x]  DNR"),
        (rtf(r"Pain {\field{\*\fldinst FORMDROPDOWN {\*\formfield{\fftype2\ffres1"
             r"{\*\ffl mild}{\*\ffl sev\'e8re}}}}{\fldrslt }}"), "Pain sevère"),
        (rtf(r"Pain {\field{\*\fldinst FORMDROPDOWN{\*\formfield{\fftype2\ffres25\ffdefres0"
             r"{\*\ffl mild}}}}}"), "Pain mild"),
        (cda('<paragraph><input type="checkbox" checked="checked"/> DNR</paragraph>'), "[x] DNR"),
        (word(control(CHECKED.format(1), run("☒")) + run(" DNR")), "[x] DNR"),
        (word(control(CHECKED.format(0), run("", "<w:rFonts w:ascii='Wingdings'/>")) + run(" DNR")),
         "[ ] DNR"),
        (word(control("<w:showingPlcHdr/>", run("Click here"))), "[not filled in: Click here]"),
        (word(control("<w:dropDownList/>", run("severe"))), "severe"),
        (word(run("Pain ") + legacy(f'<w:ddList><w:result w:val="1"/>{CHOICES}</w:ddList>')), "Pain severe"),
        (word(legacy('<w:checkBox><w:default w:val="0"/></w:checkBox>') + run("DNR")), "[ ] DNR"),
    ],
)  # fmt: skip
def test_forms_say_what_is_ticked_and_chosen(found: NoteText, text: str) -> None:
    assert body(found) == text


def test_form_fields_of_a_pdf() -> None:
    def draw(canvas: Canvas) -> None:
        form = canvas.acroForm
        for number, (label, ticked) in enumerate(
            [("Smoker", True), ("Drinks alcohol", False), ("DNR", True)]
        ):
            y = 700 - 20 * number
            form.checkbox(name=label, x=72, y=y - 2, size=12, checked=ticked, buttonStyle="cross")
            canvas.drawString(92, y, label)
        canvas.drawString(72, 620, "Route:")
        form.radio(name="route", value="oral", selected=True, x=120, y=618, size=12)
        canvas.drawString(136, 620, "oral")
        form.radio(name="route", value="iv", x=180, y=618, size=12)
        canvas.drawString(196, 620, "iv")
        canvas.drawString(72, 600, "Dose:")
        form.textfield(name="dose", value="2.5 mg", x=120, y=596, width=100, height=16)

    assert pdf(draw).text.replace("\n\n", "\n").split("\n") == [
        "[x] Smoker", "[ ] Drinks alcohol", "[x] DNR", "Route: (x) oral | ( ) iv", "Dose: 2.5 mg",
    ]  # fmt: skip


def test_boxes_that_a_pdf_draws() -> None:
    def draw(canvas: Canvas) -> None:
        for number, label in enumerate(["Chest pain", "Syncope", "Fever", "Cough", "Rash"]):
            y = 700 - 20 * number
            if label == "Rash":
                canvas.circle(77, y + 4, 5)
                canvas.circle(77, y + 4, 2.5, fill=1)
            else:
                canvas.rect(72, y, 9, 9)
            canvas.drawString(90, y, label)
        canvas.line(72, 680, 81, 689)
        canvas.line(72, 689, 81, 680)
        canvas.drawString(73, 661, "X")

    assert pdf(draw).text.replace("\n\n", "\n").split("\n") == [
        "[ ] Chest pain", "[x] Syncope", "[x] Fever", "[ ] Cough", "(x) Rash",
    ]  # fmt: skip


def test_cells_for_single_digits_are_no_boxes() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.drawString(72, 700, "Born")
        for number, digit in enumerate("1954"):
            canvas.rect(110 + 12 * number, 697, 12, 12)
            canvas.drawString(113 + 12 * number, 700, digit)

    found = pdf(draw).text
    assert "[" not in found
    assert [character for character in found if character.isdigit()] == list("1954")


@pytest.mark.parametrize("slant", [0.2, 0.27, 0.36])
def test_letters_slanted_by_the_matrix_stay_in_their_line(slant: float) -> None:
    def draw(canvas: Canvas) -> None:
        text = canvas.beginText(72, 700)
        text.textOut("He did ")
        text.setTextTransform(1, 0, slant, 1, 72 + canvas.stringWidth("He did ", "Helvetica", 11), 700)
        text.textOut("not ")
        text.setTextTransform(1, 0, 0, 1, 72 + canvas.stringWidth("He did not ", "Helvetica", 11), 700)
        text.textOut("consent to surgery.")
        canvas.drawText(text)
        canvas.saveState()
        canvas.translate(200, 300)
        canvas.rotate(45)
        canvas.drawString(0, 0, "COPY")
        canvas.restoreState()

    assert pdf(draw).text == "He did not consent to surgery.\n\nCOPY"


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (html("<i style='font-family:Symbol'>&#179;</i> 38, 50 <font face=Symbol>m</font>g"), "≥ 38, 50 μg"),
        (html("<span style='font: 10pt Wingdings'>&#254;</span> DNR"), "☑ DNR"),
        (html("<p style='font-family:Symbol'>\uf0b3 words stay</p>"), "≥ words stay"),
        (html("Temp \uf0b3 38 \uf0fe"), "Temp ≥ 38 ☑"),
        (rtf(r"{\f1 \'a3} 5 {\f2 \'fe} DNR"), "≤ 5 ☑ DNR"),
        (rtf(r'{\field{\*\fldinst SYMBOL 178 \\f "Arial"}{\fldrslt}}'), "²"),
        (rtf(r'{\field{\*\fldinst SYMBOL 0xB1 \\f "Symbol"}}5'), "±5"),
        (cda("Temp \uf0b3 38"), "Temp ≥ 38"),
        (word(run("Temp ") + run("\uf0b3", '<w:rFonts w:ascii="Symbol"/>') + run(" 38")), "Temp ≥ 38"),
        (word(run("50 ") + run("m", '<w:rFonts w:ascii="Symbol" w:hAnsi="Symbol"/>') + run("g")), "50 μg"),
        (word(run("P", '<w:rFonts w:ascii="Wingdings 2"/>') + run(" seen")), "✓ seen"),
        (word('<w:fldSimple w:instr="SYMBOL 163 \\f Symbol"/>' + run("5")), "≤5"),
        (word(run("Segoe", '<w:rFonts w:ascii="Segoe UI Symbol"/>')), "Segoe"),
    ],
)  # fmt: skip
def test_symbol_fonts_are_read(found: NoteText, text: str) -> None:
    assert body(found) == text


def test_a_field_whose_words_are_elsewhere_is_counted() -> None:
    found = rtf(r"Seen by {\field{\*\fldinst MERGEFIELD doctor}{\fldrslt}}.")
    assert (found.text, found.notices) == ("Seen by .", ("1 fields without a result",))


def test_signs_of_the_notation_cannot_come_from_outside() -> None:
    for found in (html("a\ufdd0b&#xFDD1;c"), cda("a\ufdd0b&#xFDD1;c"), rtf(r"a\u-559?b\u-558?c")):
        assert body(found) == "abc"
        assert found.marks == ()


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (f"a {notation.STRUCK} b {notation.STRUCK_END} c", "a [struck out: b] c"),
        (f"{notation.struck('a')} {notation.struck('b')}", "[struck out: a b]"),
        (f"{notation.STRUCK} {notation.STRUCK_END}a", "a"),
        (f"a{notation.STRUCK_END}b{notation.STRUCK}c", "abc"),
    ],
)
def test_loose_signs_leave_nothing(line: str, text: str) -> None:
    assert notation.resolved(line)[0] == text
