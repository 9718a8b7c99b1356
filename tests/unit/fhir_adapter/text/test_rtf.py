"""RTF: code pages, tables, lists, what is skipped, and braces that do not match."""

import random
import re
from collections import Counter

import pytest
from striprtf.striprtf import rtf_to_text

from fhir_adapter.errors import NoteError
from fhir_adapter.reasons import Reason
from fhir_adapter.text.rtf.reader import rtf_text

FONTS = (
    r"{\fonttbl{\f0\fswiss\fcharset0 Arial;}{\f1\fcharset204 Arial Cyr;}{\f2\fcharset2 Symbol;}"
    r"{\f3\fcharset2 Wingdings;}{\f4\fcharset134 SimSun{\*\falt ;};}{\f5\fcharset128\cpg932 MS Gothic;}}"
)
HEAD = (
    r"{\rtf1\ansi\ansicpg1252\deff0" + FONTS + r"{\colortbl;\red0\green0\blue0;}"
    r"{\stylesheet{\s0 Normal;}{\s1\b heading 1;}}{\info{\title Secret title}{\author Nobody}}"
    r"{\*\generator Writer 1.0;}\pard\plain "
)


def read(body: str) -> str:
    return rtf_text((HEAD + body + "}").encode("latin-1")).text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (r"One\par Two\line Three\par\par\par Four", "One\nTwo\nThree\n\nFour"),
        (r"Caf\'e9, 38 \'b0C", "Café, 38 °C"),
        ("Raw caf\xe9", "Raw café"),
        (r"\f1 \'c4\'e0\f0  \'e9", "Да é"),
        (r"\f4 \'d6\'d0\'ce\'c4 ok", "中文 ok"),
        (r"\f5 \'82\'a0", "あ"),
        (r"\f5 \'83e", b"\x83e".decode("cp932")),
        (r"\f2 a\f0 -blocker \f2\'b3\f0  5", "α-blocker ≥ 5"),
        (r"\f3\'fe\f0  yes {\f3\'a8} no", "☑ yes ☐ no"),
        (r"\f2\u-3913 ?\f0", "•"),
        (r"\u8804? 5, \uc0\u8805 5, {\uc2\u176 ab}C", "≤ 5, ≥5, °C"),
        (r"\u-10179?\u-8704?", "😀"),
        (r"\u55357\'3f\u56832\'3f done", "😀 done"),
        (r"lone \u-10179? here", "lone \ufffd here"),
        (r"\u8217\'92s and \u8217{x}", "’s and ’x"),
        (r"no fallback \u8804\par next", "no fallback ≤\nnext"),
        (r"a\~b\_c\-d \{x\} \\ \emdash\endash\lquote q\rquote", "a b-cd {x} \\ —–‘q’"),
        ("split \\b wo\r\nrd\\b0", "split word"),
        ("typed\\\nline", "typed\nline"),
        (r"seen {\v hidden }text {\deleted gone }{\revised new}", "seen text new"),
        (r"\v hidden\v0 shown \v x\plain y", "shown y"),
        (r"{\*\unknown secret {\b deep}}kept {\newword known}", "kept known"),
        (r"{\field{\*\fldinst HYPERLINK x}{\fldrslt the result}}", "the result"),
        (r"{\field{\*\fldinst {FORMCHECKBOX {\*\ffdata{\fftype1\ffres1}}}}{\fldrslt}}Smoker", "[x] Smoker"),
        (r"{\field{\*\fldinst {FORMCHECKBOX {\*\ffdata{\fftype1\ffres25\ffdefres0}}}}}Smoker", "[ ] Smoker"),
        (r"{\upr{old}{\*\ud{n\u233?w}}}", "néw"),
        (r"before {\pict\pngblip 89504e47\par 0a1b}after", "before after"),
        (r"before {\object\objemb{\*\objdata 0102}{\result shown}} after", "before shown after"),
        (r"{\pict\bin5 }}{{\}kept", "kept"),
        (r"text\bin999999  is not lost", "text is not lost"),
        (r"{\*\annotation comment}x{\xe{index}}", "x"),
        (r"\pard{\pntext\f2\'b7\tab}First\par{\listtext 2.\tab}Second", "- First\n2. Second"),
        (r"{\listtext\f3\'a7\tab}Item{\listtext}", "- Item"),
    ],
)
def test_text(body: str, text: str) -> None:
    assert read(body) == text


def test_table_rows_are_lines() -> None:
    rows = (
        r"\trowd\cellx1\cellx2\cellx3\intbl Test\cell Value\cell Unit\cell\row"
        r"\intbl WBC\cell\cell x10\cell\row\pard\intbl Na\par 140\cell low\line mild\cell\row\pard After"
    )
    assert read(rows).splitlines() == ["Test | Value | Unit", "WBC | | x10", "Na; 140 | low mild", "After"]


def test_nested_table_stands_in_its_cell() -> None:
    nested = (
        r"\intbl\itap2 A\nestcell 1\nestcell{\*\nesttableprops\trowd\nestrow}{\nonesttables\par}"
        r"\itap2 B\nestcell 2\nestcell{\*\nesttableprops\trowd\nestrow}{\nonesttables\par}"
    )
    body = rf"Scores\par\pard\intbl Left\cell {nested}\pard\intbl\itap1\cell\row\pard End"
    assert read(body).splitlines() == ["Scores", "Left", "A | 1", "B | 2", "End"]


def test_table_that_is_never_closed_loses_nothing() -> None:
    assert read(r"\intbl one\cell two\cell three").splitlines() == ["one | two | three"]
    assert read(r"\intbl one\cell two\pard\par free").splitlines() == ["one", "two", "free"]


def test_headers_footers_and_footnotes_once() -> None:
    body = (
        r"{\header General Hospital\par}{\headerf General Hospital\par}{\footer Page {\field{\*\fldinst PAGE}"
        r"{\fldrslt 1}}\par}\pard Note{\super\chftn{\footnote\pard {\super\chftn} Per chart.}} here.\par\sect"
        r"{\header General Hospital\par}\pard More."
    )
    assert read(body) == "General Hospital\n\nNote[1] here.\n\nMore.\n[1] Per chart.\n\nPage 1"


def test_text_boxes_are_lines_of_their_own() -> None:
    box = (
        r"{\shp{\*\shpinst\shpleft1{\sp{\sn name}{\sv value}}{\shptxt\pard In the box\par}}"
        r"{\shprslt{\*\do\dptxbx{\dptxbxtext\pard In the box\par}}}}"
    )
    old = r"{\*\do\dobxcolumn{\dptxbxtext\pard Old box\par}}"
    assert "name" not in read(f"Around {box}it.")
    assert read(f"Around {box}it.").splitlines()[-1] == "Around it."
    assert read(f"{old}Rest").splitlines() == ["Old box", "Rest"]


def test_html_in_rtf_is_read_once() -> None:
    body = (
        r"{\rtf1\ansi\ansicpg1252\fromhtml1\deff0{\fonttbl{\f0 Arial;}}\uc1\pard\plain "
        r"{\*\htmltag64 <p>}\htmlrtf {\htmlrtf0 We should {\*\htmltag84 <b>}\htmlrtf{\b\htmlrtf0 meet"
        r"{\*\htmltag92 </b>}\htmlrtf}\htmlrtf0 {\*\htmltag72 </p>}\htmlrtf\par}\htmlrtf0 }"
    )
    assert rtf_text(body.encode()).text == "We should meet"


@pytest.mark.parametrize(
    ("page", "encoded", "text"),
    [
        (r"\ansicpg1250", r"\'9a\'e8", "šč"),
        (r"\ansicpg1251", r"\'c4", "Д"),
        (r"\ansicpg932", r"\'93\'fa", "日"),
        (r"\mac", r"\'8e", "é"),
        (r"\pc", r"\'82", "é"),
        (r"\ansicpg65001", r"\'c3\'a9", "é"),
        (r"\ansicpg99999", r"\'e9", "é"),
        (r"\ansicpg0", r"\'e9", "é"),
    ],
)
def test_code_page_of_the_document(page: str, encoded: str, text: str) -> None:
    assert rtf_text(rf"{{\rtf1\ansi{page} {encoded}}}".encode()).text == text


def test_raw_utf8_is_read_as_such() -> None:
    note = rtf_text(r"{\rtf1\ansi Fièvre 38 °C, caf\'e9}".encode())
    assert note.text == "Fièvre 38 °C, café"
    assert note.normalization.endswith("/text-extraction/rtf|3")
    assert note.media_type == "application/rtf"


@pytest.mark.parametrize(
    "data",
    [
        HEAD + r"Alpha\par Beta} Gamma\par Delta}",
        HEAD + r"{Alpha\par {Beta\par Gamma {Delta}",
        HEAD.replace("Arial Cyr;}", "Arial Cyr;") + r"Alpha\par Beta Gamma Delta}",
        HEAD.replace("heading 1;}", "heading 1;") + r"Alpha\par Beta Gamma Delta}",
        HEAD.replace("1.0;}", "1.0;") + r"Alpha\par Beta Gamma Delta}",
        HEAD.replace("1.0;}", "1.0;") + r"Alpha\par Beta Gamma Delta",
        HEAD.replace("Nobody}}", "Nobody") + r"Alpha\par Beta Gamma Delta}",
        HEAD + r"Alpha {\*\bkmkstart x\par Beta\par\pard Gamma {\b Delta}}",
        HEAD + r"Alpha {\pict 00ff \pard Beta\par Gamma\par Delta}",
        HEAD + r"Alpha}" + HEAD + r"Beta Gamma Delta}",
    ],
    ids=[
        "one-too-many", "never-closed", "font-table", "style", "generator", "generator-cut", "info",
        "bookmark", "picture", "two-files",
    ],
)  # fmt: skip
def test_braces_that_do_not_match_never_truncate(data: str) -> None:
    note = rtf_text(data.encode())
    assert {"Alpha", "Beta", "Gamma", "Delta"} <= set(note.text.split())
    assert note.notice == ("" if data.count(r"{\rtf1") == 2 else "braces do not match")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Reason.MALFORMED),
        (b"plain words", Reason.MALFORMED),
        (b"{\\rtf", Reason.EMPTY_TEXT),
        (rb"{\rtf1{\pict 00}}", Reason.EMPTY_TEXT),
        (rb"{\rtf1 " + b"{" * 6000 + b"x", Reason.MALFORMED),
        (rb"{\rtf1 " + b"x" * 21_000_000, Reason.TOO_LARGE),
    ],
    ids=["empty", "no-rtf", "header-only", "picture-only", "deep", "large"],
)
def test_refused_with_a_reason(data: bytes, reason: Reason) -> None:
    with pytest.raises(NoteError) as caught:
        rtf_text(data)
    assert caught.value.reason is reason


def test_noise_before_the_header() -> None:
    assert rtf_text(b"\xef\xbb\xbf\r\n {\\rtf1 Hello}\0\0").text == "Hello"


def test_remains_of_a_buffer_after_the_file_are_left_out() -> None:
    note = rtf_text(b"{\\rtf1 Hello}ve\\'")
    assert note.text == "Hello"
    assert note.notice == ""


WORDS = ("Patient", "denies", "chest", "pain", "fièvre", "Café", "β-blocker", "2.5", "mg", "follow-up")


@pytest.mark.parametrize("seed", range(20))
def test_no_word_is_lost_by_a_second_reader(seed: int) -> None:
    """What striprtf finds in a well-formed file is in our text, word for word."""
    chance = random.Random(seed)
    pieces = []
    for _ in range(60):
        word = "".join(c if c.isascii() else rf"\u{ord(c)}?" for c in chance.choice(WORDS))
        pieces.append(
            chance.choice([r"%s ", r"{\b %s} ", r"%s\par ", r"{\f0\fs20 %s }", r"\i %s\i0  "]) % word
        )
    body = "".join(pieces) + r"\trowd\cellx1\cellx2\intbl cell one\cell cell two\cell\row\pard end"
    data = HEAD + body + "}"
    source = Counter(re.findall(r"\w+", rtf_to_text(data)))
    assert sum(source.values()) > 60
    assert source - Counter(re.findall(r"\w+", rtf_text(data.encode()).text)) == Counter()


@pytest.mark.parametrize("seed", range(200))
def test_damaged_files_give_text_or_a_reason(seed: int) -> None:
    chance = random.Random(seed)
    data = bytearray((HEAD + r"Alpha {\b beta} \u8804? \'e9\par\intbl a\cell b\cell\row\bin3 abc}").encode())
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(5, len(data))
        if chance.random() < 0.5:
            data[at] = chance.choice(b"{}\\'u-0\x00\xff")
        else:
            del data[at : at + chance.randint(1, 20)]
    outcome: str | Reason
    try:
        outcome = rtf_text(bytes(data)).text
    except NoteError as error:
        outcome = error.reason
    if isinstance(outcome, Reason):
        assert outcome in (Reason.MALFORMED, Reason.EMPTY_TEXT)
    else:
        assert outcome.encode("utf-8")
        assert "\0" not in outcome
