"""A check in parts against one of the whole resource: the same answer, also once a form is known."""

from typing import Any

import pytest
from pydantic import ValidationError

from fhir_adapter.errors import NoteError
from fhir_adapter.models import model_of
from fhir_adapter.writing.summary import composition
from fhir_adapter.writing.validity import validate
from tests.unit.fhir_adapter.builders import a_draft

ODD: list[Any] = [
    {"url": "a", "valueInteger": 0},
    {"url": "a", "valueInteger": 2**31 - 1},
    {"url": "a", "valueInteger": -(2**31)},
    {"url": "a", "valueInteger": 2**31},
    {"url": "a", "valueInteger": True},
    {"url": "a", "valueInteger": "7"},
    {"url": "a", "valueInteger": "seven"},
    {"url": "a", "valueDecimal": 0.25},
    {"url": "a", "valueDecimal": float("nan")},
    {"url": "a", "valueDecimal": "half"},
    {"url": "a", "valueCode": "two  words"},
    {"url": "a", "valueString": "a", "valueCode": "a"},
    {"url": "a", "valueString": "0" * 64},
    {"url": "a", "valueString": "0" * 64 + "\x00"},
    {"url": "a", "valueString": ""},
    {"url": "a", "valueString": 7},
    {"url": "a", "valueUri": "https://fhir.example.org:8080/fhir/DocumentReference/1/_history/2"},
    {"url": "a", "valueUri": "https://fhir.example.org/a b"},
    {"url": "a", "valueUri": 7},
    {"url": "a", "valueString": "0" * 64, "valueUri": "https://fhir.example.org"},
    {"url": "a", "valueReference": {"reference": "DocumentReference/1", "type": "DocumentReference"}},
    {"url": "a", "valueReference": {"reference": "DocumentReference/2", "type": 7}},
    {"url": "a", "valueReference": {"reference": "DocumentReference/2", "unknown": 1}},
    {"url": "a", "valueReference": "DocumentReference/1"},
    {"url": "a", "valueReference": {"reference": 7}},
    {"url": "a", "valueReference": {"reference": "Patient/1", "extension": [{"url": 7}]}},
    {"url": "a", "extension": [{"url": "b", "extension": [{"url": "c", "valuePositiveInt": 0}]}]},
    {"url": "a", "unknown": 1},
    {"url": 7},
    {"url": "a", "extension": [None]},
    {"url": "a", "extension": {"url": "b"}},
    {"valueString": "a"},
    {},
    None,
    "a",
]


def whole(resource: dict[str, Any]) -> bool:
    try:
        model_of(resource["resourceType"]).model_validate(resource)
    except ValidationError:
        return False
    return True


def in_parts(resource: dict[str, Any]) -> bool:
    try:
        validate(resource)
    except NoteError:
        return False
    return True


@pytest.mark.parametrize("odd", ODD, ids=str)
@pytest.mark.parametrize("place", ["resource", "element", "primitive"])
def test_an_extension_is_valid_where_it_is_in_the_whole(odd: Any, place: str) -> None:
    resource = composition(a_draft())
    if place == "resource":
        resource["extension"] = [*resource["extension"], odd]
    elif place == "element":
        resource["subject"] = {**resource["subject"], "extension": [odd]}
    else:
        resource["_title"] = {"extension": [odd]}
    for _ in range(3):
        assert in_parts(resource) == whole(resource)
        assert in_parts(composition(a_draft()))


@pytest.mark.parametrize("reason", [{"url": "a", "valueCode": "unknown"}, {"url": "a", "valueCode": ""}])
def test_a_required_element_may_have_an_extension_in_its_place(reason: dict[str, Any]) -> None:
    resource = composition(a_draft())
    del resource["status"]
    assert not in_parts(resource)
    resource["_status"] = {"extension": [reason]}
    assert in_parts(resource) == whole(resource)


LEAVES: list[tuple[str, Any]] = [
    ("id", "another-1"),
    ("id", "with_underscore"),
    ("id", "0" * 65),
    ("id", ""),
    ("title", "Other words"),
    ("title", " words"),
    ("title", ""),
    ("title", "\x00"),
    ("title", "\ud800"),
    ("title", 7),
    ("date", "2025-02-28T10:00:00+00:00"),
    ("date", "2025-02-29T10:00:00+00:00"),
    ("date", "2025-02-30T10:00:00Z"),
    ("date", "2025-04-30T10:00:00.5Z"),
    ("date", "2025-13-01T10:00:00Z"),
    ("date", "2025-04-31T10:00:00Z"),
    ("date", "2025-04-30T24:00:00Z"),
    ("date", "2025-04-30T10:00:00"),
    ("date", "2025-04-30T10:00:00Z\n"),
    ("date", "2025"),
    ("text", {"status": "generated", "div": "<div />"}),
    ("text", {"status": "generated", "div": "<div \ud800/>"}),
    ("text", {"status": "generated", "div": 7}),
    ("text", "words"),
    ("subject", {"reference": "Patient/2"}),
    ("subject", {"reference": "Patient/2/_history/3"}),
    ("subject", {"reference": "urn:uuid:80e59143-f65f-5318-b5e8-e1aca1b48604"}),
    ("subject", {"reference": " "}),
    ("subject", {"reference": 7}),
    ("subject", {"display": "A name"}),
    ("subject", {"display": "\n"}),
    ("identifier", {"system": "urn:a", "value": "Observation-1.other"}),
    ("identifier", {"system": "urn:a", "value": "https://fhir.example.org/a/1"}),
    ("identifier", {"system": "urn:a", "value": ""}),
    ("type", {"coding": [{"code": "other"}]}),
    ("type", {"coding": [{"code": "two  words"}]}),
    ("type", {"coding": [{"code": 7}]}),
    ("type", {"text": ""}),
    ("language", "en\n"),
    ("unknown", "a"),
]


@pytest.mark.parametrize(("name", "value"), LEAVES, ids=repr)
def test_an_element_is_valid_where_it_is_in_the_whole(name: str, value: Any) -> None:
    assert in_parts(composition(a_draft()))  # its form is known from here on
    resource = {**composition(a_draft()), name: value}
    for _ in range(3):
        assert in_parts(resource) == whole(resource)


def test_a_quantity_is_no_identifier() -> None:
    """`value` is a number there, which may stand as a string."""
    for value in ("5", "Infinity", "abc-1", "5", "abc-1"):
        resource = {"resourceType": "Observation", "status": "final", "code": {"text": "a"}}
        resource["valueQuantity"] = {"value": value}
        assert in_parts(resource) == whole(resource)
