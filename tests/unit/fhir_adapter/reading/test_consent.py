"""When a Consent forbids a note, and when it does not."""

from datetime import UTC, datetime
from typing import Any

import pytest

from fhir_adapter.note import SourceNote
from fhir_adapter.reading.consent import forbids

SCOPES = "http://terminology.hl7.org/CodeSystem/consentscope"
NOTE = SourceNote(
    "DocumentReference",
    "n",
    "1",
    "",
    type={"coding": [{"system": "http://loinc.org", "code": "18842-5"}]},
    security=({"system": "urn:l", "code": "PSY"},),
)
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def consent(provision: dict[str, Any] | None, **changed: Any) -> dict[str, Any]:
    return {
        "resourceType": "Consent",
        "status": "active",
        "scope": {"coding": [{"system": SCOPES, "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": "Patient/1"},
        "provision": provision,
        **changed,
    }


def deny(**narrowed: Any) -> dict[str, Any]:
    return {"type": "deny", **narrowed}


def about(reference: str) -> list[dict[str, Any]]:
    return [{"meaning": "instance", "reference": {"reference": reference}}]


def loinc(code: str) -> list[dict[str, Any]]:
    return [{"coding": [{"system": "http://loinc.org", "code": code}]}]


@pytest.mark.parametrize(
    ("found", "forbidden"),
    [
        (consent(deny()), True),
        (consent(deny(), status="inactive"), False),
        (consent(deny(), scope={"coding": [{"system": SCOPES, "code": "research"}]}), False),
        (consent(None), False),
        (consent({"type": "permit"}), False),
        (consent({"type": "permit", "provision": [deny()]}), True),
        (consent({"provision": [deny(code=loinc("18842-5"))]}), True),
        (consent({"provision": [deny(code=loinc("11488-4"))]}), False),
        (consent(deny(**{"class": [{"code": "DocumentReference"}]})), True),
        (consent(deny(**{"class": [{"code": "Observation"}]})), False),
        (consent(deny(securityLabel=[{"system": "urn:l", "code": "PSY"}])), True),
        (consent(deny(securityLabel=[{"system": "urn:l", "code": "HIV"}])), False),
        (
            consent(deny(data=about("DocumentReference/n"))),
            True,
        ),
        (
            consent(deny(data=about("DocumentReference/m"))),
            False,
        ),
        (consent(deny(period={"start": "2026-01-01", "end": "2026-12-31"})), True),
        (consent(deny(period={"end": "2026-05-01"})), False),
        (consent(deny(period={"start": "2026-07-01"})), False),
        (consent(deny(actor=[{"reference": {"reference": "RelatedPerson/aunt"}}])), False),
        (consent(deny(actor=[{"reference": {"reference": "Device/summarizer"}}])), True),
        (consent(deny(provision=[{"type": "permit", "code": loinc("18842-5")}])), False),
        (consent(deny(provision=[{"type": "permit", "code": loinc("11488-4")}])), True),
    ],
)
def test_the_rule(found: dict[str, Any], forbidden: bool) -> None:
    assert forbids(found, NOTE, "https://h/fhir", NOW) is forbidden
