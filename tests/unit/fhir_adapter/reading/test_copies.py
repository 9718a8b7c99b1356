"""What speaks against two resources being one note, filed twice."""

from typing import Any

import pytest

from fhir_adapter.note import NoteText
from fhir_adapter.reading.copies import same_note, same_occasion, same_text
from fhir_adapter.reading.source_note import read_source
from summarizer.types import Mark, MarkKind

BASE = "http://127.0.0.1/fhir"
STAY = {"reference": f"{BASE}/Encounter/1"}
MONDAY, FRIDAY = "2026-03-02", "2026-03-06"


def document(**elements: Any) -> Any:
    return read_source({"resourceType": "DocumentReference", "id": "d", **elements})


def report(**elements: Any) -> Any:
    return read_source({"resourceType": "DiagnosticReport", "id": "r", **elements})


def in_stay(ident: str) -> dict[str, Any]:
    return {"encounter": {"reference": f"Encounter/{ident}"}}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (document(), report(), True),
        (document(date=MONDAY), document(date=FRIDAY), True),
        (report(effectiveDateTime=MONDAY), report(effectiveDateTime=FRIDAY), False),
        (report(effectiveDateTime=MONDAY, issued=f"{FRIDAY}T08:00:00Z"), document(date=FRIDAY), True),
        (report(effectiveDateTime=MONDAY), document(context={"period": {"start": FRIDAY}}), False),
        (
            report(effectiveDateTime=MONDAY, issued=f"{FRIDAY}T08:00:00Z"),
            document(context={"period": {"start": FRIDAY}}),
            True,
        ),
        (
            report(effectiveDateTime=f"{MONDAY}T23:30:00-05:00"),
            report(effectiveDateTime="2026-03-03T04:30:00Z"),
            True,
        ),
        (report(effectiveDateTime="2026"), report(effectiveDateTime=FRIDAY), True),
        (report(**in_stay("1")), report(**in_stay("2")), False),
        (
            report(**in_stay("1")),
            document(context={"encounter": [{"reference": f"{BASE}/Encounter/1"}]}),
            True,
        ),
        (report(**in_stay("1")), document(), True),
    ],
)
def test_what_the_resources_state_decides(one: Any, other: Any, same: bool) -> None:
    assert same_occasion(one, other, BASE) is same
    assert same_occasion(other, one, BASE) is same


def test_other_labels_make_another_note() -> None:
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
    secret = document(meta={"security": [label]})
    assert same_note(document(), report(), BASE)
    assert same_note(secret, report(meta={"security": [label]}), BASE)
    assert not same_note(document(), secret, BASE)


def test_a_text_is_the_same_with_its_marks_alone() -> None:
    plain = NoteText("Aspirin. Warfarin.", "plain|1", "text/plain")
    html = NoteText("Aspirin. Warfarin.", "html|3", "text/html")
    struck = NoteText("Aspirin. Warfarin.", "html|3", "text/html", marks=(Mark(0, 8, MarkKind.STRIKE),))
    assert same_text(plain, html)
    assert not same_text(plain, struck)
    assert not same_text(plain, NoteText("Aspirin. Warfarin.\n", "plain|1", "text/plain"))
