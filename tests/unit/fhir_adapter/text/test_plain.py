"""Plain text is decoded and nothing else."""

import hashlib

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from fhir_adapter.errors import NoteError
from fhir_adapter.reasons import Reason
from fhir_adapter.text.plain import decode, plain_text

NOTE = "Äußere Befunde: Hb 10,2 g/dl – “stabil”.\r\n\tNaïve Patientin, 37 °C.\r\n"


def any_text() -> st.SearchStrategy[str]:
    return st.text(st.characters(codec="utf-8"), max_size=200)


@given(any_text())
def test_utf_8_with_a_mark_comes_back_as_it_was(text: str) -> None:
    assert plain_text(b"\xef\xbb\xbf" + text.encode()).text == text


@given(any_text(), st.sampled_from(["utf-16", "utf-32"]))
def test_a_byte_order_mark_is_dropped_and_the_rest_kept(text: str, encoding: str) -> None:
    # UTF-16 text that starts with U+0000 has the same bytes as a UTF-32 mark; the mark wins.
    if text.startswith("\0"):
        text = "x" + text
    assert decode(text.encode(encoding)).text == text


@given(
    st.binary(max_size=300), st.sampled_from([None, "utf-8", "iso-8859-1", "utf-16", "shift_jis", "nonsense"])
)
def test_any_bytes_give_sound_text_or_a_reason(data: bytes, charset: str | None) -> None:
    reason = None
    try:
        note = plain_text(data, charset)
    except NoteError as error:
        reason = error.reason
    if reason is not None:
        event(reason.value)
        assert reason is Reason.BAD_ENCODING
        return
    assert note.sha256 == hashlib.sha256(note.text.encode("utf-8")).hexdigest()
    assert note.verbatim


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_unicode_without_mark_or_label_is_recognised(encoding: str) -> None:
    assert decode(NOTE.encode(encoding)).text == NOTE


def test_windows_1252_is_the_fallback() -> None:
    found = decode(NOTE.encode("cp1252"))
    assert (found.text, found.encoding) == (NOTE, "windows-1252")
    assert found.notice == "no charset stated; read as windows-1252"


def test_unassigned_bytes_of_windows_1252_become_c1_controls() -> None:
    assert decode(b"temperature \x81\x8d\x8f\x90\x9d here").text == "temperature \x81\x8d\x8f\x90\x9d here"


def test_a_latin_1_label_means_windows_1252() -> None:
    assert decode(b"\x93stable\x94 caf\xe9", "ISO-8859-1").text == "“stable” café"


def test_a_declared_charset_counts_where_the_bytes_allow_it() -> None:
    text = "Состояние удовлетворительное"
    assert decode(text.encode("cp1251"), "windows-1251").text == text
    assert decode("所見なし".encode("shift_jis"), "Shift_JIS").text == "所見なし"


def test_utf_8_under_a_latin_1_label_is_utf_8_and_said_so() -> None:
    found = decode("naïve – 37 °C".encode(), "iso-8859-1")
    assert found.text == "naïve – 37 °C"
    assert "read as utf-8" in found.notice


def test_plain_ascii_under_a_utf_16_label_is_not_turned_into_chinese() -> None:
    assert decode(b"No acute distress.", "utf-16").text == "No acute distress."


@pytest.mark.parametrize("charset", ["x-unknown", "unicode_escape", "rot13", "utf-7", "", "\0", "é" * 99])
def test_a_charset_that_is_none_is_passed_over(charset: str) -> None:
    assert decode(b"caf\xc3\xa9 \\u0041", charset).text == "café \\u0041"


def test_a_note_cut_in_mid_character_keeps_all_but_that_character() -> None:
    found = decode("Größe 180 cm, Gefäße weiß".encode()[:-1])
    assert found.text == "Größe 180 cm, Gefäße wei\ufffd"
    assert found.notice == "1 damaged characters in utf-8"


def test_a_lone_surrogate_in_utf_16_becomes_a_replacement_character() -> None:
    assert decode(b"\xff\xfeA\x00\x00\xd8B\x00").text == "A\ufffdB"


@pytest.mark.parametrize(
    "text", ["", " \r\n\t ", "a\r\nb\rc\n", "e\u0301 \u00e9", "\x00\x07\x1b[1m", "\ufeffa"[1:]]
)
def test_nothing_is_stripped_folded_or_normalised(text: str) -> None:
    assert plain_text(text.encode()).text == text


@pytest.mark.parametrize(
    "data",
    [bytes.fromhex("368b5eb369e8b5eb369e8b5eb3"), b"\xc7\x1c", bytes(range(256)) * 8, b"\x01\x02\x03" * 50],
)
def test_bytes_that_are_no_text_are_refused(data: bytes) -> None:
    with pytest.raises(NoteError) as caught:
        plain_text(data)
    assert caught.value.reason is Reason.BAD_ENCODING


@pytest.mark.parametrize(
    ("label", "encoding", "text"),
    [
        ("Windows-31J", "cp932", "発熱なし"),
        ("x-sjis", "cp932", "発熱なし"),
        ("x-mac-roman", "mac-roman", "Größe 5 cm"),
        ("macintosh", "mac-roman", "Größe 5 cm"),
        ("x-mac-cyrillic", "mac-cyrillic", "Жалоб нет"),
        ("windows-949", "cp949", "발열 없음"),
        ("KS_C_5601-1987", "cp949", "발열 없음"),
        ("windows-936", "gb18030", "无发热"),
        ("GB_2312-80", "gb18030", "无发热"),
        ("IBM00858", "cp858", "Größe 5 €"),
        ("dos-850", "cp850", "Größe 5 cm"),
        ("ISO-8859-8-I", "iso8859-8", "אין חום"),
        ("csISOLatinCyrillic", "iso8859-5", "Жалоб нет"),
        ("8859/15", "iso8859-15", "Größe 5 €"),
        ("AL32UTF8", "utf-8", "Größe 5 cm"),
        ("ISO-10646-UCS-2", "utf-16-le", "Größe 5 cm"),
        ("IBM1140", "cp1140", "GRÖSSE 5 CM"),
    ],
)
def test_charsets_go_by_many_names(label: str, encoding: str, text: str) -> None:
    found = decode(text.encode(encoding), label)
    assert (found.text, found.notice) == (text, "")


@pytest.mark.parametrize(
    "label", ["unicode_escape", "rot13", "utf-7", "idna", "x-user-defined", "cp9999", "?"]
)
def test_what_is_no_charset_of_notes_is_not_believed(label: str) -> None:
    found = decode(rb"no \u0066ever", label)
    assert found.text == r"no \u0066ever"
    assert found.notice.startswith("unknown charset declared")


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (r"PLAN:\.br\1. Stop aspirin\.br\2. Rest", "PLAN:\n1. Stop aspirin\n2. Rest"),
        (r"\.in+4\Fever\.sp2\none", "Fever\n\nnone"),
        ("Rest\\.br\\\r\nFluids", "Rest\nFluids"),
        (r"Rest\.sp 2\Fluids\.in +4\!", "Rest\n\nFluids!"),
        (r"\H\No\N\ fever", "No fever"),
        (r"P\T\O, 5\S\3, a\F\b\R\c", "P&O, 5^3, a|b~c"),
        (r"Temp\X0D\38\XC2B0\ \.br\end", "Temp\n38° \nend"),
        (r"A\E\B\.br\C", "A\\B\nC"),
    ],
)
def test_escapes_of_hl7_messages_are_read(written: str, text: str) -> None:
    note = plain_text(written.encode())
    assert note.text == text
    assert note.normalization.endswith("/text-extraction/hl7+plain|2")
    assert not note.verbatim


@pytest.mark.parametrize(
    "written",
    [r"CN II\XII intact", r"C:\T\note.txt", r"\\share\H\scans", r"see \br\2024", r"and\or", r"5\N/A"],
)
def test_a_backslash_alone_is_no_escape(written: str) -> None:
    note = plain_text(written.encode())
    assert note.text == written
    assert note.verbatim
