"""What the bytes are wins over the label."""

import gzip
import io
import zipfile

import pytest

from fhir_adapter.text.sniff import Kind, Sniffed, sniff

HTML = b"<!DOCTYPE html>\n<html><body><p>Note</p></body></html>"
CDA = (
    b'<?xml version="1.0"?>\n<!-- a -->\n<?xml-stylesheet href="c.xsl"?>'
    b'<ClinicalDocument xmlns="urn:hl7-org:v3"/>'
)


def archive(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name in names:
            file.writestr(name, "content")
    return buffer.getvalue()


@pytest.mark.parametrize(
    "label", ["", "text/plain", "plain/text", "application/octet-stream", "image/png", "PDF"]
)
@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"Patient is well.", Kind.PLAIN),
        (HTML, Kind.HTML),
        (b"\xef\xbb\xbf  " + HTML, Kind.HTML),
        (HTML.decode().encode("utf-16"), Kind.HTML),
        (HTML.decode().encode("utf-16-be"), Kind.HTML),
        (b"<div><p>A fragment</p></div>\n", Kind.HTML),
        (b'<p:div xmlns:p="http://www.w3.org/1999/xhtml">x</p:div>', Kind.HTML),
        (b"<!-- c --><html>x", Kind.HTML),
        (CDA, Kind.CDA),
        (CDA.decode().encode("utf-16"), Kind.CDA),
        (b'<n1:ClinicalDocument xmlns:n1="urn:hl7-org:v3">', Kind.CDA),
        (b"{\\rtf1\\ansi Note}", Kind.RTF),
        (b"\n %PDF-1.7\n", Kind.PDF),
        (b'{"resourceType": "Bundle"}', Kind.FHIR_JSON),
        (b'<Bundle xmlns="http://hl7.org/fhir">', Kind.FHIR_XML),
        (gzip.compress(b"x"), Kind.GZIP),
        (archive("note.txt"), Kind.ZIP),
        (archive("[Content_Types].xml", "word/document.xml"), Kind.DOCX),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", Kind.NONE),
        (b"\x89PNG\r\n\x1a\n", Kind.NONE),
        (b"\0" * 128 + b"DICM\x02\0", Kind.NONE),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, Kind.NONE),
        (b'<?xml version="1.0"?><labels/>', Kind.NONE),
    ],
)
def test_bytes_that_speak_for_themselves(data: bytes, kind: Kind, label: str) -> None:
    assert sniff(data, label).kind is kind


@pytest.mark.parametrize(
    "note",
    [
        b"Patient says <b>ouch</b> often.",
        b"<b>, she wrote, and left",
        b"<5 mg/dl",
        b"<div> is how the note began",
        b"BZh is no word",
        b"ID3 mutation found",
        b"OggS",
        b"{as of today} stable",
        b"%PD",
        b"PK stable",
    ],
)
def test_a_note_that_only_looks_like_markup_stays_plain(note: bytes) -> None:
    assert sniff(note, "text/plain").kind is Kind.PLAIN


def test_the_label_decides_what_the_bytes_leave_open() -> None:
    assert sniff(b"Well &amp; stable", "text/html").kind is Kind.HTML
    assert sniff(b"Well &amp; stable", "text/plain").kind is Kind.PLAIN
    assert sniff(b"Well.\n\nR&D, BP < 140\n", "text/html") == Sniffed(Kind.PLAIN, "text/plain")
    assert sniff(b"# Plan", "text/markdown").media_type == "text/markdown"
    assert sniff(b"[1, 2]", "application/json").kind is Kind.NONE


def test_binary_bytes_that_claim_to_be_text_go_to_the_reader_that_says_why() -> None:
    assert sniff(bytes(range(256)), "text/plain").kind is Kind.PLAIN
    assert sniff(bytes(range(256)), "application/x-thing").kind is Kind.NONE


def test_the_media_type_of_a_picture_is_named() -> None:
    assert sniff(b"\x89PNG\r\n\x1a\n", "text/plain").media_type == "image/png"


@pytest.mark.parametrize(
    "prolog", [b"<!-- a -->" * 10_000, b"<?a?>" * 20_000, b"<!a>" * 20_000, b"<!a [" * 20_000, b" " * 100_000]
)
def test_a_hostile_prolog_costs_no_more_than_its_size(prolog: bytes) -> None:
    assert sniff(b"<!-- -->" + prolog + b"<x>", "text/xml").kind is Kind.NONE


def test_a_root_element_behind_a_long_comment_is_found() -> None:
    assert sniff(b"<!--" + b"x" * 100_000 + b"-->" + CDA, "").kind is Kind.CDA
