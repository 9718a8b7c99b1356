"""What a source states comes through in a form that stands anywhere, or not at all."""

from typing import Any

import pytest

from fhir_adapter import elements
from fhir_adapter.narrative import paragraph
from tests.unit.fhir_adapter.builders import BASE_URL, a_draft

URN = "urn:uuid:4a3a1c60-6c2d-4f0e-9a55-6f1b0f0e8f11"


@pytest.mark.parametrize(
    ("found", "kept"),
    [
        ({"reference": "Patient/1", "type": "Patient"}, {"reference": "Patient/1", "type": "Patient"}),
        ({"reference": "Patient/1", "type": "Group"}, {"reference": "Patient/1"}),
        ({"reference": f"{BASE_URL}/Patient/1/_history/4"}, {"reference": "Patient/1"}),
        ({"reference": "https://a.example/r4/Patient/1"}, {"reference": "https://a.example/r4/Patient/1"}),
        ({"reference": "./Patient/1"}, {"reference": "Patient/1"}),
        ({"reference": "Patient/1#"}, {"reference": "Patient/1"}),
        ({"reference": "Patient/1?_format=json"}, {"reference": "Patient/1"}),
        ({"reference": f"{BASE_URL}/Patient/1?_pretty=true"}, {"reference": "Patient/1"}),
        ({"reference": "Patient/a%7Eb"}, {"reference": "Patient/a~b"}),
        ({"reference": "/fhir/Patient/1"}, {"reference": "Patient/1"}),
        ({"reference": "Patient/..%2FBinary"}, None),
        ({"reference": URN}, {"identifier": {"system": elements.URI, "value": URN}}),
        (
            {"reference": URN, "type": "Patient"},
            {"type": "Patient", "identifier": {"system": elements.URI, "value": URN}},
        ),
        ({"reference": "#p", "display": "A patient"}, {"display": "A patient"}),
        ({"display": "A patient", "type": "Person there"}, {"display": "A patient"}),
        ({"display": "A patient", "type": "HumanName"}, {"display": "A patient"}),
        ({"identifier": {"system": elements.URI, "value": "4711"}}, {"identifier": {"value": "4711"}}),
        ({"type": "Patient"}, None),
        ({"reference": "#p"}, None),
    ],
)
def test_references(found: dict[str, Any], kept: dict[str, Any] | None) -> None:
    assert elements.reference(found, BASE_URL) == kept


LOINC_NOTE = {"system": "http://loinc.org", "code": "34109-9"}


@pytest.mark.parametrize(
    ("found", "kept"),
    [
        ({"coding": [LOINC_NOTE, {"code": "N", "display": "Note"}]}, {"coding": [LOINC_NOTE]}),
        ({"coding": [{"code": "N", "display": "Note"}]}, {"text": "Note"}),
        ({"coding": [{"code": "N"}], "text": "A note"}, {"text": "A note"}),
        ({"coding": [{"code": "N"}]}, {"text": "N"}),
        ({"coding": [{}]}, None),
    ],
)
def test_a_code_without_a_system_is_left_out_but_not_its_name(
    found: dict[str, Any], kept: dict[str, Any] | None
) -> None:
    assert elements.concept(found) == kept


@pytest.mark.parametrize(
    ("found", "kept"),
    [
        (
            {"system": elements.URI, "value": "urn:oid:1.2.3"},
            {"system": elements.URI, "value": "urn:oid:1.2.3"},
        ),
        ({"system": elements.URI, "value": "4711"}, {"value": "4711"}),
        (
            {"system": "https://a.example/mrn", "value": "4711"},
            {"system": "https://a.example/mrn", "value": "4711"},
        ),
        ({"system": elements.URI}, None),
    ],
)
def test_an_identifier_that_should_be_a_uri_and_is_none_keeps_its_value(
    found: dict[str, Any], kept: dict[str, Any] | None
) -> None:
    assert elements.identifier(found) == kept


@pytest.mark.parametrize(
    ("stated", "kept"),
    [
        ("de", "de"),
        ("pt-BR", "pt-BR"),
        ("en_US", "en-US"),
        (" fr ", "fr"),
        ("english", None),
        ("", None),
        (7, None),
    ],
)
def test_languages(stated: object, kept: str | None) -> None:
    assert elements.language(stated) == kept


def test_a_language_that_is_none_counts_as_not_stated() -> None:
    assert a_draft(language="english").language == "en"
    assert a_draft(language="de_CH").language == "de-CH"


def test_our_words_say_that_they_are_english_in_a_resource_that_is_not() -> None:
    assert 'lang="de"' in paragraph("A remark.", "de")["div"]
    assert '<p lang="en" xml:lang="en">A remark.</p>' in paragraph("A remark.", "de")["div"]
    assert "<p>A remark.</p>" in paragraph("A remark.")["div"]
