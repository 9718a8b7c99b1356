"""Addresses on pages are made of ids alone, whatever a Composition holds."""

import pytest

from jobs.web.views.links import history, note_page, on_server, patient_page

BASE = "https://fhir.example.org/r4"
ODD = (
    "",
    "javascript:alert(1)",
    "javascript:alert(1)//DocumentReference/1",
    "//evil.example/DocumentReference/1",
    "https://evil.example/DocumentReference/1",
    "DocumentReference/1/_history/2",
    "DocumentReference/..",
    "DocumentReference/.",
    "DocumentReference/1?x=y",
    "DocumentReference/1#x",
    "DocumentReference/" + "1" * 65,
    "DocumentReference/1\n",
    "documentReference/1",
    "../metadata",
)


@pytest.mark.parametrize("reference", ODD)
def test_what_is_no_reference_leads_nowhere(reference: str) -> None:
    assert on_server(BASE, reference) == history(BASE, reference) == ""
    assert note_page(reference.replace("DocumentReference", "Composition")) == ""
    assert patient_page(reference.replace("DocumentReference", "Patient")) == ""


def test_what_is_one_leads_there() -> None:
    assert on_server(f"{BASE}/", "DocumentReference/a.b-1") == f"{BASE}/DocumentReference/a.b-1"
    assert on_server(BASE, "DocumentReference/1", "7") == f"{BASE}/DocumentReference/1/_history/7"
    assert on_server(BASE, "DocumentReference/1", "7/../8") == ""
    assert history(BASE, "Composition/1") == f"{BASE}/Composition/1/_history"
    assert note_page("Composition/1", "c0-7") == "/note/1#c0-7"
    assert note_page("Patient/1") == ""
    assert patient_page("Patient/1") == "/patient/1"
    assert patient_page("Encounter/1") == "/patient/Encounter/1"
    assert patient_page("Group/1") == ""
