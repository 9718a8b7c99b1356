"""What the settings ask for is asked of the server where it can, and every match is held against it."""

from typing import Any

import pytest

from fhir_adapter.reading.selection import Selection

BASE = "https://h.example/fhir"
LOINC = "http://loinc.org"


def note(**changed: Any) -> dict[str, Any]:
    return {
        "resourceType": "DocumentReference",
        "type": {"coding": [{"system": LOINC, "code": "18842-5"}, {"system": "urn:local", "code": "DS"}]},
        "category": [{"coding": [{"system": "urn:c", "code": "clinical-note"}]}],
        "author": [{"reference": f"{BASE}/Practitioner/7/_history/2"}],
        "date": "2026-03-10T09:00:00+01:00",
        **changed,
    }


def report(**changed: Any) -> dict[str, Any]:
    return {
        "resourceType": "DiagnosticReport",
        "code": {"coding": [{"system": LOINC, "code": "18748-4"}]},
        "performer": [{"reference": "Organization/rad"}],
        "effectivePeriod": {"start": "2026-03-10", "end": "2026-03-12"},
        **changed,
    }


@pytest.mark.parametrize(
    ("selection", "resource", "holds"),
    [
        (Selection(), {"resourceType": "DocumentReference"}, True),
        (Selection(types=(f"{LOINC}|18842-5",)), note(), True),
        (Selection(types=("DS",)), note(), True),
        (Selection(types=(f"{LOINC}|DS",)), note(), False),
        (Selection(types=("18748-4", "DS")), report(), True),
        (Selection(types=("DS",)), note(type=None), False),
        (Selection(categories=("urn:c|clinical-note",)), note(), True),
        (Selection(categories=("urn:c|",)), note(category=[]), False),
        (Selection(authors=("Practitioner/7",)), note(), True),
        (Selection(authors=(f"{BASE}/Practitioner/7",)), note(), True),
        (Selection(authors=("Practitioner/70",)), note(), False),
        (Selection(authors=("Organization/rad",)), report(), True),
        (Selection(since="2026-03-12"), note(), False),
        (Selection(since="2026-03-12"), report(), True),
        (Selection(since="2026-03-14"), report(), False),
        (Selection(until="2026-03-08"), note(), False),
        (Selection(until="2026-03"), note(), True),
        (Selection(since="2026-01-01"), note(date=None), False),
        (Selection(since="2026-01-01"), note(date="March"), False),
    ],
)
def test_a_match_is_held_against_what_was_asked(
    selection: Selection, resource: dict[str, Any], holds: bool
) -> None:
    assert selection.holds(resource, BASE) is holds


def test_only_parameters_that_the_server_states_are_sent() -> None:
    asked = Selection(("DS",), ("a", "b"), ("Practitioner/7",), "2026-01-01", "2026-02-01")
    every = frozenset({"type", "category", "author", "date"})

    assert asked.params("DocumentReference", every) == (
        ("type", "DS"),
        ("category", "a,b"),
        ("author", "Practitioner/7"),
        ("date", "ge2026-01-01"),
        ("date", "le2026-02-01"),
    )
    assert asked.params("DocumentReference", frozenset({"category"})) == (("category", "a,b"),)
    assert [name for name, _ in asked.params("DiagnosticReport", frozenset())] == [
        "code",
        "category",
        "performer",
        "date",
        "date",
    ]
