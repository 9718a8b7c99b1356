"""A recipe's version promises that the same bytes give the same text, everywhere and in every later release.

A failure here means that what is extracted has changed: raise that recipe's version and state the new hash.
"""

import gzip
import json

import pytest

from fhir_adapter.canonical import CANONICAL_BASE
from fhir_adapter.note import Content
from fhir_adapter.text import Limits, recipe
from fhir_adapter.text.formats import read
from fhir_adapter.text.recipe import is_earlier, recipe_name, wrapped

HTML = (
    "<!doctype html><meta charset=utf-8><title>x</title><h1>Visit</h1>"
    "<p>BP 130/80, 10<sup>9</sup>; <s>no</s> pain<ul><li>one"
    "<ol type=a><li>two<li>three</ol></ul><table><tr><th>T<th>V<tr><td rowspan=2>Na<td>140"
    "<tr><td>141</table><pre>\n a  b\n</pre><p hidden>no"
    "<div>K <normal &amp; &#x2264; 5<br><br><br>&nbsp;end"
)
FHIR = {
    "resourceType": "Composition",
    "title": "Summary",
    "section": [
        {"title": "Plan", "text": {"status": "additional", "div": "<div><p>Rest.</p><p>Fluids.</p></div>"}}
    ],
}

PLAIN_TEXT = "ed9ea8ce9be48683eb45d6494550eae3af4c92372c0251e1c58222fa6c9f47b9"
HTML_TEXT = "1f03e2b6bd7b61ffff8e1b8841b3a1cb36e8ae0c4180c393e3ac6a55f5b3277b"
FHIR_TEXT = "58ec72c07019691fe3b7a8b0b0d96e7bac26e39317974bfc9e5c73965288e71e"


@pytest.mark.parametrize(
    ("data", "name", "sha256"),
    [
        ("Größe 180 cm\r\n\tNaïve\n".encode("cp1252"), "plain|2", PLAIN_TEXT),
        ("Größe 180 cm\r\n\tNaïve\n".encode("utf-16"), "plain|2", PLAIN_TEXT),
        (HTML.encode(), "html|5", HTML_TEXT),
        (gzip.compress(HTML.encode()), "gzip+html|5", HTML_TEXT),
        (json.dumps(FHIR).encode(), "fhir|5", FHIR_TEXT),
    ],
)
def test_a_recipe_keeps_its_promise(data: bytes, name: str, sha256: str) -> None:
    note = read(Content("x", data, ""), Limits())
    assert note.normalization == f"{CANONICAL_BASE}/text-extraction/{name}"
    assert note.sha256 == sha256, note.text


def test_names_of_recipes() -> None:
    assert recipe("pdf", "1+pdfium-7191") == f"{CANONICAL_BASE}/text-extraction/pdf|1+pdfium-7191"
    assert wrapped("gzip", recipe("cda")) == f"{CANONICAL_BASE}/text-extraction/gzip+cda|1"


@pytest.mark.parametrize(
    ("stated", "present", "earlier"),
    [
        ("https://x.org/text-extraction/html|1", "https://x.org/text-extraction/html|2", True),
        ("https://x.org/t/gzip+cda|1", "https://x.org/t/gzip+cda|12", True),
        ("https://x.org/t/pdf|1+pdfium-7", "https://x.org/t/pdf|2+pdfium-7", True),
        ("https://x.org/t/pdf|1+pdfium-7", "https://x.org/t/pdf|2+pdfium-8", False),
        ("https://x.org/t/html|2", "https://x.org/t/html|2", False),
        ("https://x.org/t/html|3", "https://x.org/t/html|2", False),
        ("https://x.org/t/plain|1", "https://x.org/t/html|2", False),
        ("https://y.org/t/html|1", "https://x.org/t/html|2", False),
        ("", "https://x.org/t/html|2", False),
        ("html|one", "html|2", False),
    ],
)
def test_an_earlier_version_of_a_recipe_is_known(stated: str, present: str, earlier: bool) -> None:
    assert is_earlier(stated, present) is earlier


def test_a_name_that_is_no_recipe_is_not_repeated() -> None:
    assert recipe_name("https://x.org/text-extraction/gzip+pdf|1+pdfium-8149") == "gzip+pdf|1+pdfium-8149"
    assert recipe_name("https://x.org/John Doe") == ""
