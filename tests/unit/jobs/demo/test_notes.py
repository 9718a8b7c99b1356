"""The demo's notes: what is promised of them is in them, and they are valid FHIR where they mean to be."""

import base64
import binascii
import io
from typing import Any

import pypdfium2
import pytest
from fhir.resources.R4B import get_fhir_model_class

from fhir_adapter.reasons import Reason
from jobs.demo.bundle import demo_bundle
from jobs.demo.notes import DemoNote, manifest, note_file
from jobs.demo.render import pdf_bytes, png_bytes

NOTES = manifest().notes


def resources(stage: int) -> dict[str, dict[str, Any]]:
    return {e["request"]["url"]: e["resource"] for e in demo_bundle(stage)["entry"]}


def note(note_id: str, stage: int = 1) -> DemoNote:
    return next(n for n in NOTES if n.id == note_id and n.stage == stage)


def attached(note_id: str) -> bytes:
    content = resources(1)[f"DocumentReference/{note_id}"]["content"]
    return base64.b64decode(content[0]["attachment"]["data"], validate=True)


@pytest.mark.parametrize("stage", [1, 2])
def test_every_resource_but_the_one_with_bad_base64_is_valid(stage: int) -> None:
    for url, resource in resources(stage).items():
        if url == "DocumentReference/demo-asthma-school-form":
            continue
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)


def test_every_reference_has_its_target_in_the_bundle() -> None:
    there = resources(1)

    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["reference"]] if "reference" in value else []
            return own + [r for child in value.values() for r in references(child)]
        return [r for child in value for r in references(child)] if isinstance(value, list) else []

    found = references(list(there.values()) + list(resources(2).values()))
    assert len(found) > 100
    assert set(found) <= set(there)


def test_the_kinds_promised_are_there() -> None:
    first = manifest().stage(1)
    assert 30 <= len(first) <= 40
    assert len(manifest().patients) == 6
    assert {n.expect for n in first} == {
        None,
        Reason.NOT_FINAL,
        Reason.SUPERSEDED,
        Reason.UNSUPPORTED_TYPE,
        Reason.FOREIGN_HOST,
        Reason.NO_ATTACHMENT,
        Reason.EMPTY_TEXT,
        Reason.ENTERED_IN_ERROR,
        Reason.BAD_BASE64,
    }
    assert {(n.content_type or "").partition(";")[0] for n in first} == {
        "",
        "text/plain",
        "text/html",
        "application/rtf",
        "application/pdf",
        "application/hl7-v3+xml",
    }
    assert {n.carrier for n in first} == {
        "inline",
        "bad-base64",
        "binary",
        "foreign-url",
        "conclusion",
        "nothing",
    }


def test_ids_are_unique_within_a_stage_and_every_file_is_used() -> None:
    for stage in (1, 2):
        ids = [n.id for n in manifest().stage(stage)]
        assert len(ids) == len(set(ids))
    from importlib.resources import files

    on_disk = {f.name for f in files("jobs.demo").joinpath("notes").iterdir()} - {"manifest.json"}
    assert on_disk == {n.file for n in NOTES if n.file}


def test_lengths_are_those_of_real_notes() -> None:
    for n in NOTES:
        words = len(n.text.split())
        assert words <= 700, n.id
        if n.display == "Discharge summary":
            assert words >= 150, n.id


def test_the_amendment_keeps_the_id_and_changes_the_text() -> None:
    before, after = note("demo-nstemi-discharge"), note("demo-nstemi-discharge", stage=2)
    assert "ticagrelor 90 mg once daily" in before.text
    assert "ticagrelor 90 mg once daily" not in after.text
    assert "ticagrelor 90 mg twice daily" in after.text
    assert (before.doc_status, after.doc_status) == ("final", "amended")
    urls = resources(1).keys() & resources(2).keys()
    assert urls == {"DocumentReference/demo-nstemi-discharge"}


def test_the_old_note_is_windows_1252_with_crlf_and_does_not_say_so() -> None:
    data = attached("demo-copd-clinic")
    with pytest.raises(UnicodeDecodeError):
        data.decode("utf-8")
    text = data.decode("windows-1252")
    assert all(mark in text for mark in "–°µ“”•")
    assert text.count("\r\n") == text.count("\n") > 20
    assert note("demo-copd-clinic").content_type == "text/plain"


def test_the_wrong_media_type_is_a_png_called_text() -> None:
    assert attached("demo-foot-photo").startswith(b"\x89PNG\r\n\x1a\n")
    assert note("demo-foot-photo").content_type == "text/plain"


def test_the_bad_base64_is_bad() -> None:
    attachment = resources(1)["DocumentReference/demo-asthma-school-form"]["content"][0]["attachment"]
    with pytest.raises(binascii.Error):
        base64.b64decode("".join(attachment["data"].split()), validate=True)


def test_the_pdf_reads_back_as_its_text() -> None:
    source = note("demo-breast-surgical-pathology")
    assert max(map(len, source.text.splitlines())) <= 85
    document = pypdfium2.PdfDocument(io.BytesIO(source.data))
    read = " ".join(page.get_textpage().get_text_range() for page in document)
    document.close()
    assert read.split() == source.text.split()
    assert len(source.data) < 20_000


def test_the_pdf_writer_turns_pages_and_escapes() -> None:
    lines = [f"line {n} (a\\b) 5 µg" for n in range(130)]
    document = pypdfium2.PdfDocument(io.BytesIO(pdf_bytes("\n".join(lines))))
    pages = [page.get_textpage().get_text_range() for page in document]
    document.close()
    assert len(pages) == 3
    assert "\r\n".join(pages).split() == "\n".join(lines).split()


def test_the_png_has_true_checksums() -> None:
    import struct
    import zlib

    data, at, kinds = png_bytes(), 8, []
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", data, at + 8 + length)[0] == zlib.crc32(kind + body)
        kinds.append(kind)
        at += 12 + length
    assert kinds == [b"IHDR", b"IDAT", b"IEND"]


def test_no_such_stage() -> None:
    with pytest.raises(ValueError, match="no stage 3"):
        demo_bundle(3)


def test_the_note_by_url_lies_in_a_binary() -> None:
    there = resources(1)
    attachment = there["DocumentReference/demo-breast-operative"]["content"][0]["attachment"]
    binary = there[attachment["url"]]
    assert base64.b64decode(binary["data"]) == note_file("breast-operative.txt")
    assert "data" not in attachment
