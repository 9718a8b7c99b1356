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
    subject={"reference": "Patient/1"},
    encounter={"reference": "Encounter/e"},
    date="2026-05-30T08:00:00Z",
    author_references=("Practitioner/p",),
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


def actions(*codes: str) -> list[dict[str, Any]]:
    system = "http://terminology.hl7.org/CodeSystem/consentaction"
    return [{"coding": [{"system": system, "code": code}]} for code in codes]


def purposes(*codes: str) -> list[dict[str, Any]]:
    return [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": code} for code in codes]


def meaning(code: str, reference: str) -> list[dict[str, Any]]:
    return [{"meaning": code, "reference": {"reference": reference}}]


@pytest.mark.parametrize(
    ("found", "forbidden"),
    [
        # The note by other names, and what it belongs to.
        (consent(deny(data=about("https://h/fhir/DocumentReference/n"))), True),
        (consent(deny(data=about("DocumentReference/n/_history/1"))), True),
        (consent(deny(data=about("https://other/fhir/DocumentReference/n"))), False),
        (consent(deny(data=[*about("DocumentReference/m"), *about("DocumentReference/n")])), True),
        (consent(deny(data=meaning("related", "Encounter/e"))), True),
        (consent(deny(data=meaning("dependents", "Encounter/e"))), True),
        (consent(deny(data=meaning("dependents", "Encounter/f"))), False),
        (consent(deny(data=meaning("instance", "Encounter/e"))), False),
        (consent(deny(data=meaning("related", "Patient/1"))), True),
        (consent(deny(data=meaning("authoredby", "Practitioner/p"))), True),
        (consent(deny(data=meaning("authoredby", "Practitioner/q"))), False),
        # When the data were made.
        (consent(deny(dataPeriod={"start": "2026-05-01", "end": "2026-05-31"})), True),
        (consent(deny(dataPeriod={"end": "2020-12-31"})), False),
        (consent(deny(dataPeriod={"start": "2026-05-31"})), False),
        (consent(deny(dataPeriod={"start": "once"})), True),
        # For what, and what is done.
        (consent(deny(purpose=purposes("HRESCH"))), False),
        (consent(deny(purpose=purposes("HRESCH", "TREAT"))), True),
        (consent(deny(purpose=purposes("TREAT"))), True),
        (consent(deny(purpose=purposes("HMARKT"))), False),
        (consent(deny(action=actions("access"))), True),
        (consent(deny(action=actions("correct"))), False),
        (consent(deny(action=actions("disclose"))), True),
        (consent(deny(action=[{"text": "look at it"}])), True),
        # By whom: a class and a code of which no coding is known leave it in doubt.
        (consent(deny(code=[{"text": "Psychotherapy note"}])), True),
        (consent(deny(actor=[{"role": {"text": "heir"}, "reference": {"display": "A neighbour"}}])), False),
        (consent(deny(**{"class": [{"code": "DiagnosticReport"}, {"code": "DocumentReference"}]})), True),
        # Three levels: what is given back inside, and taken again.
        (
            consent(
                {
                    "type": "permit",
                    "provision": [
                        deny(
                            **{"class": [{"code": "DocumentReference"}]},
                            provision=[{"type": "permit", "data": about("DocumentReference/n")}],
                        )
                    ],
                }
            ),
            False,
        ),
        (consent(deny(provision=[{"type": "permit", "provision": [deny(code=loinc("18842-5"))]}])), True),
        # Not in force.
        *((consent(deny(), status=status), False) for status in ("draft", "proposed", "rejected")),
        (consent(deny(), status="entered-in-error"), False),
        (consent(deny(period={"end": "2026-06-01"})), True),  # its last day
        (consent(deny(period={"end": "2026-05-31T00:00:00Z"})), False),
    ],
)
def test_the_rule_in_its_corners(found: dict[str, Any], forbidden: bool) -> None:
    assert forbids(found, NOTE, "https://h/fhir", NOW) is forbidden
