"""FHIR documents give the narratives a person is meant to read."""

import base64
import json
from typing import Any

import pytest

from fhir_adapter.errors import NoteError
from fhir_adapter.note import Content, NoteText
from fhir_adapter.reasons import Reason
from fhir_adapter.text import Limits
from fhir_adapter.text.formats import read

XHTML = 'xmlns="http://www.w3.org/1999/xhtml"'
LOINC = "http://loinc.org"


def text_of(resource: Any) -> NoteText:
    data = resource if isinstance(resource, bytes) else json.dumps(resource).encode()
    return read(Content("x", data, "application/fhir+json"), Limits())


def narrative(html: str, status: str = "additional") -> dict[str, str]:
    return {"status": status, "div": f"<div {XHTML}>{html}</div>"}


def section(title: str | None, html: str | None = None, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = dict(more)
    if title:
        found["title"] = title
    if html:
        found["text"] = narrative(html)
    return found


def document(
    *sections: dict[str, Any], others: tuple[dict[str, Any], ...] = (), **more: Any
) -> dict[str, Any]:
    composition = {"resourceType": "Composition", "title": "Discharge summary", "section": sections, **more}
    entries = [{"fullUrl": "urn:uuid:c", "resource": composition}, *others]
    return {"resourceType": "Bundle", "type": "document", "entry": entries}


def code(value: str, display: str = "") -> dict[str, Any]:
    return {"coding": [{"system": LOINC, "code": value, "display": display}]}


def test_sections_in_order_with_their_titles_and_codes() -> None:
    inner = section("Allergies", "<ul><li>Penicillin</li></ul>", code=code("48765-2"))
    note = text_of(
        document(
            section("History", "<p>Fell at home.</p>", code=code("11348-0"), section=[inner]),
            section(
                "Plan",
                "<table><tr><th>Drug</th><th>Dose</th></tr><tr><td>ASS</td><td>100 mg</td></tr></table>",
            ),
            type=code("18842-5"),
        )
    )
    assert note.text == (
        "Discharge summary\n\nHistory\n\nFell at home.\n\nAllergies\n\n- Penicillin\n\n"
        "Plan\n\nDrug | Dose\nASS | 100 mg"
    )
    assert [(note.text[each.start : each.end], each.code) for each in note.headings] == [
        ("Discharge summary", "18842-5"),
        ("History", "11348-0"),
        ("Allergies", "48765-2"),
        ("Plan", None),
    ]
    assert note.normalization.endswith("/text-extraction/fhir|5")
    assert (note.media_type, note.verbatim) == ("application/fhir+json", False)


def test_a_section_without_narrative_shows_those_of_its_entries() -> None:
    problem = {"resourceType": "Condition", "id": "1", "text": narrative("Asthma", "generated")}
    entry = {"fullUrl": "urn:uuid:1", "resource": problem}
    note = text_of(
        document(
            section(None, code=code("11450-4", "Problem list"), entry=[{"reference": "urn:uuid:1"}]),
            others=(entry,),
        )
    )
    assert note.text == "Discharge summary\n\nProblem list\n\nAsthma"
    relative = text_of(document(section("Problems", entry=[{"reference": "Condition/1"}]), others=(entry,)))
    assert relative.text.endswith("Asthma")


def test_an_empty_section_says_why() -> None:
    note = text_of(document(section("Allergies", emptyReason={"text": "Nil known"})))
    assert note.text == "Discharge summary\n\nAllergies\n\n(Nil known)"


@pytest.mark.parametrize(
    ("status", "shown"), [("generated", "S\n\nbody"), ("additional", "header\n\nS\n\nbody")]
)
def test_a_generated_narrative_of_the_composition_only_repeats_it(status: str, shown: str) -> None:
    note = text_of(document(section("S", "body"), text=narrative("header", status)))
    assert note.text == f"Discharge summary\n\n{shown}"


def test_without_sections_the_composition_narrative_is_the_note() -> None:
    note = text_of(
        {"resourceType": "Composition", "title": "Note", "text": narrative("All is well.", "generated")}
    )
    assert note.text == "Note\n\nAll is well."


def test_a_report_and_a_plain_bundle() -> None:
    report = {
        "resourceType": "DiagnosticReport",
        "text": narrative("Chest X-ray"),
        "conclusion": "Normal.\nNo effusion.",
    }
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": report}, {}, {"resource": None}],
    }
    assert text_of(report).text == "Chest X-ray\n\nNormal.\nNo effusion."
    assert text_of(bundle).text == text_of(report).text


def test_a_binary_is_opened() -> None:
    data = base64.b64encode("<h1>Plan</h1>Größe".encode()).decode()
    note = text_of({"resourceType": "Binary", "contentType": "text/html; charset=utf-8", "data": data})
    assert note.text == "Plan\n\nGröße"
    assert note.normalization.endswith("/text-extraction/fhir+html|5")
    assert note.declared_type == "application/fhir+json"


def test_xml_reads_as_json_does() -> None:
    xml = f"""<?xml version="1.0" encoding="UTF-8"?>
    <Bundle xmlns="http://hl7.org/fhir"><type value="document"/>
      <entry><fullUrl value="urn:uuid:c"/><resource><Composition>
        <type><coding><system value="{LOINC}"/><code value="18842-5"/></coding></type>
        <title value="Discharge summary"/><section><title value="History"/>
          <code><coding><system value="{LOINC}"/><code value="11348-0"/></coding></code>
          <text><status value="additional"/><div {XHTML}><p>Fell &lt; 1 m.</p></div></text>
          <section><title value="Allergies"/><entry><reference value="urn:uuid:1"/></entry></section>
        </section>
      </Composition></resource></entry>
      <entry><fullUrl value="urn:uuid:1"/><resource><AllergyIntolerance>
        <text><div {XHTML}>Penicillin</div></text></AllergyIntolerance></resource></entry>
    </Bundle>"""
    note = text_of(xml.encode())
    allergy = {"resourceType": "AllergyIntolerance", "text": narrative("Penicillin")}
    inner = section("Allergies", entry=[{"reference": "urn:uuid:1"}])
    json_note = text_of(
        document(
            section("History", "<p>Fell &lt; 1 m.</p>", code=code("11348-0"), section=[inner]),
            others=({"fullUrl": "urn:uuid:1", "resource": allergy},),
            type=code("18842-5"),
        )
    )
    assert (
        note.text
        == json_note.text
        == "Discharge summary\n\nHistory\n\nFell < 1 m.\n\nAllergies\n\nPenicillin"
    )
    assert note.headings == json_note.headings
    assert note.media_type == "application/fhir+xml"


@pytest.mark.parametrize(
    "odd",
    [
        {"resourceType": "Composition", "section": "x", "title": 5, "text": narrative("kept")},
        {"resourceType": "Composition", "section": [None, 3, "x"], "text": narrative("kept")},
        {
            "resourceType": "Bundle",
            "type": "document",
            "entry": {"resource": {"resourceType": "X", "text": narrative("kept")}},
        },
        {"resourceType": "X", "text": {"div": "kept"}},
        {
            "resourceType": "Composition",
            "section": {"text": narrative("kept"), "code": "x", "entry": [{"reference": 1}]},
        },
        {"resourceType": "X", "text": {"div": "kept<!--"}},
    ],
)
def test_odd_resources_give_what_they_hold(odd: dict[str, Any]) -> None:
    assert text_of(odd).text == "kept"


def test_a_lone_surrogate_in_json_becomes_a_replacement_character() -> None:
    assert (
        text_of(b'{"resourceType": "X", "text": {"div": "a \\ud83d b \\ud83d\\ude00"}}').text
        == "a \ufffd b 😀"
    )


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'{"resourceType": "Patient", "name": []}', Reason.EMPTY_TEXT),
        (b'{"resourceType": "Patient", "text": {"div": "<div> </div>"}}', Reason.EMPTY_TEXT),
        (b'{"resourceType": 5}', Reason.MALFORMED),
        (b'{"resourceType": "Bundle"', Reason.MALFORMED),
        (b'{"resourceType": "Binary", "data": "***"}', Reason.BAD_BASE64),
        (b'<Patient xmlns="http://hl7.org/fhir"/>', Reason.EMPTY_TEXT),
        (
            b'<!DOCTYPE x [<!ENTITY a "b">]><Patient xmlns="http://hl7.org/fhir">&a;</Patient>',
            Reason.MALFORMED,
        ),
    ],
)
def test_what_has_no_narrative_has_a_reason(data: bytes, reason: Reason) -> None:
    with pytest.raises(NoteError) as caught:
        text_of(data)
    assert caught.value.reason is reason


def test_sections_nested_without_end_are_refused() -> None:
    nested = section("S", "x")
    for _ in range(40):
        nested = section("S", section=[nested])
    with pytest.raises(NoteError):
        text_of(document(nested))
