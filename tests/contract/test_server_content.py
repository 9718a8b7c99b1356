"""What comes back is what was sent: Binary, and strings of any Unicode."""

import base64

import pytest
from lxml import etree

from tests.contract.contract_fhir import JSON, Fhir, composition, document, new_id

NARRATIVE = '<div xmlns="http://www.w3.org/1999/xhtml">{}</div>'


def test_binary_as_bytes_and_as_resource(fhir: Fhir) -> None:
    data = b"Note.\r\n\x00\xff"
    sent = {
        "resourceType": "Binary",
        "id": new_id("bin"),
        "contentType": "application/rtf",
        "data": base64.b64encode(data).decode(),
    }
    fhir.put(sent)
    raw = fhir.http.get(f"Binary/{sent['id']}", headers={"Accept": "*/*"})
    assert raw.status_code == 200
    assert raw.content == data
    assert raw.headers["Content-Type"].partition(";")[0] == "application/rtf"
    by_type = fhir.http.get(f"Binary/{sent['id']}", headers={"Accept": "application/rtf"})
    assert by_type.content == data
    resource = fhir.http.get(f"Binary/{sent['id']}", headers={"Accept": JSON}).json()
    assert (resource["resourceType"], resource["data"]) == ("Binary", sent["data"])


def test_raw_bytes_become_a_binary(fhir: Fhir) -> None:
    answer = fhir.http.post("Binary", content=b"Note.", headers={"Content-Type": "text/plain"})
    assert answer.status_code == 201
    path = "/".join(answer.headers["Location"].split("/Binary/")[1].split("/")[:1])
    raw = fhir.http.get(f"Binary/{path}", headers={"Accept": "*/*"})
    assert raw.content == b"Note."


def test_attachment_data_is_untouched(fhir: Fhir, patient: str) -> None:
    data = base64.b64encode(bytes(range(256)) * 40).decode()
    sent = document(patient, content=[{"attachment": {"contentType": "text/plain", "data": data}}])
    fhir.put(sent)
    assert fhir.get(f"DocumentReference/{sent['id']}")["content"][0]["attachment"]["data"] == data


STRINGS = {
    "astral": "\U0001f600 \U00020bb7",
    "combining": "e\u0301 \u00e9",
    "right-to-left": "\u05e9\u05dc\u05d5\u05dd \u202eabc\u202c",
    "line ends": "a\rb\r\nc\nd\te",
    "white space": "  a  b ",
    "separators": "a\u0085b\u2028c\u2029d",
    "invisible": "\ufeffa\u200bb\u200d\u00ad",
    "private": "\ue000\ufdd0\U000f0000",
    "controls": "a\x00b\x0c\x7f",
}


@pytest.mark.parametrize("text", STRINGS.values(), ids=STRINGS.keys())
def test_strings_come_back_as_they_were(fhir: Fhir, patient: str, text: str) -> None:
    sent = document(
        patient, description=text, extension=[{"url": "https://example.org/x", "valueString": text}]
    )
    fhir.put(sent)
    read = fhir.get(f"DocumentReference/{sent['id']}")
    assert read["description"] == text
    assert read["extension"][0]["valueString"] == text
    assert fhir.put(sent)["meta"]["versionId"] == "1"


def test_a_lone_surrogate_is_refused_or_kept(fhir: Fhir, patient: str) -> None:
    """No UTF-8 can hold it. HAPI says 500; never may something else stand in its place."""
    sent = document(patient, description="a\ud800b")
    path = f"DocumentReference/{sent['id']}"
    answer = fhir.send("PUT", path, sent)
    if answer.is_success:
        assert fhir.get(path)["description"] == sent["description"]
    else:
        assert answer.json()["resourceType"] == "OperationOutcome"
        assert fhir.send("GET", path).status_code == 404


@pytest.mark.parametrize(
    ("inner", "text"),
    [
        ("a &lt; b &amp; c", "a < b & c"),
        ("\U0001f600 e\u0301 \u05e9\u05dc\u05d5\u05dd", "\U0001f600 e\u0301 \u05e9\u05dc\u05d5\u05dd"),
        ("  a   b  ", "  a   b  "),
        ("a\nb\tc", "a\nb\tc"),
        ("a\u0085b\u2028c\u2400\u00a0", "a\u0085b\u2028c\u2400\u00a0"),
    ],
    ids=["markup", "any script", "white space", "line ends", "separators"],
)
def test_narrative_text_comes_back(fhir: Fhir, patient: str, device: str, inner: str, text: str) -> None:
    """Compared as XML: a server may write the same characters and attributes another way."""
    div = NARRATIVE.format(f'<ol><li id="s1">{inner}</li></ol>')
    section = [{"text": {"status": "generated", "div": div}}]
    sent = composition(patient, device, section=section)
    fhir.put(sent)
    read = fhir.get(f"Composition/{sent['id']}")["section"][0]["text"]["div"]
    (item,) = etree.fromstring(read).iter("{http://www.w3.org/1999/xhtml}li")
    assert (item.get("id"), "".join(item.itertext())) == ("s1", text)
    assert fhir.put(sent)["meta"]["versionId"] == "1"


@pytest.mark.parametrize("inner", ["a\x01b", "a\x00b", "<b>a"], ids=["control", "NUL", "not well-formed"])
def test_narrative_that_is_not_xml_is_refused(fhir: Fhir, patient: str, device: str, inner: str) -> None:
    section = [{"text": {"status": "generated", "div": NARRATIVE.format(f"<p>{inner}</p>")}}]
    sent = composition(patient, device, section=section)
    answer = fhir.send("PUT", f"Composition/{sent['id']}", sent)
    assert answer.status_code in {400, 422}
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert fhir.send("GET", f"Composition/{sent['id']}").status_code == 404
