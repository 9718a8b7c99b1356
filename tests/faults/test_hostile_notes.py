"""Files built to break a reader: bombs, loops, references to what is not theirs."""

import base64
import gzip
import zlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from fhir_adapter.errors import NoteError
from fhir_adapter.note import Content, NoteText
from fhir_adapter.reasons import Reason
from fhir_adapter.text import Extractor, Limits
from tests.faults.seeds import cda, cda_around, docx, fhir_xml, pdf, pdf_of, rtf, zipped

LIMITS = Limits(seconds=10.0, max_unpacked=5_000_000, max_characters=2_000_000)
FAULTS = frozenset(
    (Reason.MALFORMED, Reason.TOO_LARGE, Reason.EMPTY_TEXT, Reason.TIMEOUT, Reason.UNSUPPORTED_TYPE)
)

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
BILLION_LAUGHS = f'<!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]>'
QUADRATIC = f'<!DOCTYPE x [<!ENTITY a "{"a" * 50_000}">]>'


def with_doctype(document: str, doctype: str, entity: str) -> bytes:
    """The document with a DOCTYPE in front and a use of its entity in the text."""
    prolog, at = "", 0
    if document.startswith("<?xml"):
        at = document.index("?>") + 2
        prolog = document[:at]
    return (prolog + doctype + document[at:].replace("Troponin", entity + " Troponin", 1)).encode()


def external(path: Path) -> str:
    return f'<!DOCTYPE x [<!ENTITY e SYSTEM "{path.as_uri()}"><!ENTITY % p SYSTEM "{path.as_uri()}">%p;]>'


def deflated(stream: bytes) -> bytes:
    packed = zlib.compress(stream, 9)
    return b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(packed), packed)


def gzip_layers(data: bytes, depth: int) -> bytes:
    for _ in range(depth):
        data = gzip.compress(data)
    return data


def cda_layers(depth: int) -> bytes:
    data = cda().encode()
    for _ in range(depth):
        data = cda_around(data, "text/xml").encode()
    return data


PAGE = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R >>"
CATALOG = b"<< /Type /Catalog /Pages 2 0 R >>"

# Made by the process that tests them: all processes import this, and these take two seconds.
HOSTILE: dict[str, Callable[[], tuple[bytes, str]]] = {
    "laughs-cda": lambda: (with_doctype(cda(), BILLION_LAUGHS, "&l11;"), "application/xml"),
    "laughs-fhir": lambda: (with_doctype(fhir_xml(), BILLION_LAUGHS, "&l11;"), "application/fhir+xml"),
    "laughs-html": lambda: (
        with_doctype(f"<html><p>Troponin{'&l11;' * 1000}</p></html>", BILLION_LAUGHS, "&l11;"),
        "application/xhtml+xml",
    ),
    "quadratic-cda": lambda: (with_doctype(cda(), QUADRATIC, "&a;" * 50_000), "application/xml"),
    "laughs-docx": lambda: (
        zipped(
            {
                "[Content_Types].xml": "<Types/>",
                "word/document.xml": BILLION_LAUGHS + "<x>&l11;</x>",
            }
        ),
        "",
    ),
    "gzip-bomb": lambda: (gzip.compress(bytes(50_000_000)), "text/plain"),
    "gzip-bomb-in-cda": lambda: (
        cda_around(gzip.compress(bytes(50_000_000)), "text/plain").encode(),
        "text/xml",
    ),
    "zip-bomb": lambda: (zipped({"note.txt": bytes(50_000_000)}), "application/zip"),
    "docx-bomb": lambda: (docx("<w:p><w:r><w:t>" + "A" * 40_000_000 + "</w:t></w:r></w:p>"), ""),
    "gzip-50-deep": lambda: (gzip_layers(b"note", 50), "text/plain"),
    "cda-in-cda": lambda: (cda_layers(8), "text/xml"),
    "deep-cda": lambda: (cda("<a>" * 100_000 + "</a>" * 100_000).encode(), "text/xml"),
    "deep-lists-cda": lambda: (
        cda().replace("<paragraph>", "<list><item>" * 3000, 1).encode(),
        "text/xml",
    ),
    "deep-html-gzip": lambda: (gzip.compress(b"<div>" * 500_000 + b"x"), "text/html"),
    "deep-json": lambda: (b'{"resourceType":"Bundle","entry":' + b"[" * 500_000, "application/fhir+json"),
    "long-number-json": lambda: (
        b'{"resourceType":"Bundle","total":' + b"9" * 1_000_000 + b"}",
        "application/json",
    ),
    "deep-rtf": lambda: (b"{\\rtf1 note " + b"{" * 500_000 + b"x" + b"}" * 500_000, "application/rtf"),
    "rtf-bin": lambda: (
        rtf().encode().replace(b"\\pard End", b"\\bin4294967295 \\pard End"),
        "application/rtf",
    ),
    "rtf-numbers": lambda: (
        b"{\\rtf1 " + b"\\u" + b"9" * 100_000 + b"?" + b"\\uc99999999 x}",
        "application/rtf",
    ),
    "pdf-page-loop": lambda: (
        pdf_of([CATALOG, b"<< /Type /Pages /Kids [2 0 R 2 0 R 3 0 R] /Count 3 >>", PAGE, deflated(b"BT ET")]),
        "application/pdf",
    ),
    "pdf-stream-bomb": lambda: (
        pdf_of([CATALOG, b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>", PAGE, deflated(b"q " * 40_000_000)]),
        "application/pdf",
    ),
    "pdf-self-form": lambda: (
        pdf_of(
            [
                CATALOG,
                b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
                PAGE[:-2] + b"/Resources << /XObject << /X 5 0 R >> >> >>",
                deflated(b"/X Do"),
                b"<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 5 0 R >> >> "
                b"/Length 11 >>\nstream\n/X Do /X Do\nendstream",
            ]
        ),
        "application/pdf",
    ),
    "pdf-many-pages": lambda: (
        pdf_of(
            [CATALOG, b"<< /Type /Pages /Kids [%s] /Count 999999999 >>" % (b"3 0 R " * 50_000), PAGE, b"<<>>"]
        ),
        "application/pdf",
    ),
    "pdf-deep-arrays": lambda: (pdf([b"[" * 2_000_000]), "application/pdf"),
    "base64-bomb-cda": lambda: (
        cda_around(b"", "text/plain").replace('B64">', 'B64">' + "QUFB" * 3_000_000, 1).encode(),
        "text/xml",
    ),
}


@pytest.fixture
async def extractor() -> AsyncIterator[Extractor]:
    async with Extractor(LIMITS, workers=1) as running:
        yield running


async def outcome(extractor: Extractor, data: bytes, label: str) -> NoteText | NoteError:
    try:
        return await extractor.extract(Content("hostile", data, label))
    except NoteError as error:
        return error


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_file_is_survived(name: str, extractor: Extractor) -> None:
    data, label = HOSTILE[name]()
    found = await outcome(extractor, data, label)
    if isinstance(found, NoteError):
        assert found.reason in FAULTS, str(found)
    else:
        assert len(found.text) <= 4 * len(data)


@pytest.mark.parametrize("label", ["application/xml", "text/plain"])
@pytest.mark.parametrize("document", ["cda", "fhir", "html", "docx"])
async def test_no_file_of_this_machine_gets_into_a_text(
    document: str, label: str, extractor: Extractor, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("sesame-opens")
    doctype = external(secret)
    data = {
        "cda": with_doctype(cda(), doctype, "&e;"),
        "fhir": with_doctype(fhir_xml(), doctype, "&e;"),
        "html": with_doctype("<html><p>Troponin</p></html>", doctype.replace(" x ", " html "), "&e;"),
        "docx": zipped({"[Content_Types].xml": "<Types/>", "word/document.xml": f"{doctype}<x>&e;</x>"}),
    }[document]
    found = await outcome(extractor, data, label)
    if isinstance(found, NoteText):
        assert "sesame" not in found.text
        assert "sesame" not in found.notice
    else:
        assert found.reason in FAULTS
        assert "sesame" not in found.detail


async def test_an_embedded_reference_to_a_file_is_not_followed(extractor: Extractor, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("sesame-opens")
    uri = (tmp_path / "secret.txt").as_uri()
    body = f'<nonXMLBody><text mediaType="text/plain"><reference value="{uri}"/></text></nonXMLBody>'
    found = await outcome(extractor, cda(body).encode(), "text/xml")
    assert isinstance(found, NoteError)
    assert found.reason is Reason.NO_ATTACHMENT


async def test_details_hold_no_text_of_the_note(extractor: Extractor) -> None:
    marker = "Zebrafish"
    for data in (
        f'<?xml version="1.0"?><{marker}>{marker}</{marker}>'.encode(),
        f'{{"resourceType": "{marker}", "name": "{marker}"}}'.encode(),
        f"<ClinicalDocument><{marker}".encode(),
        b"{\\rtf1 " + base64.b64encode(marker.encode()),
        f"%PDF-1.4 {marker}".encode(),
    ):
        found = await outcome(extractor, data, f"application/{marker.lower()}")
        if isinstance(found, NoteError):
            assert marker.lower() not in str(found).lower()
