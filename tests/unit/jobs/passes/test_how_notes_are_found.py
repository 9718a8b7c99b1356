"""Passes over servers that want a patient, over a selection of notes, and past Consents that forbid."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from jobs.passes.outcome import Outcome, Totals
from jobs.runtime import open_ledger
from jobs.schedule import reconcile
from jobs.settings import SettingsError, load_settings
from tests.contract.passes import Site, reference
from tests.unit.jobs.passes.faulty import Fault, Faulty

Use = Callable[[Fault], list[Faulty]]
NOTES = ("DocumentReference", "DiagnosticReport", "Consent")
SUMMARY = {"coding": [{"system": "http://loinc.org", "code": "18842-5"}]}
PROGRESS = {"coding": [{"system": "http://loinc.org", "code": "11506-3"}]}


def patient(site: Site, ident: str, **elements: Any) -> str:
    return f"Patient/{site.fhir.put({'resourceType': 'Patient', 'id': ident, **elements})['id']}"


def of(site: Site, whom: str, **elements: Any) -> str:
    return reference(site.document(subject={"reference": whom}, **elements))


def walked(site: Site) -> tuple[dict[str, Outcome], Totals]:
    ended: dict[str, Outcome] = {}
    settings = site.settings
    with open_ledger(settings) as ledger:
        told = reconcile(settings, ledger, None, None, lambda one: ended.update({one.source: one}))
        return ended, asyncio.run(told)


def wants_a_patient(request: httpx.Request) -> httpx.Response | None:
    """Refuses searches for notes without a patient, by `_lastUpdated`, and sorted ones."""
    kind, asked = request.url.path.rpartition("/")[2], request.url.params
    if request.method != "GET" or kind not in NOTES:
        return None
    if "patient" not in asked or "_lastUpdated" in asked or "_sort" in asked:
        issue = [{"severity": "error", "code": "required", "diagnostics": "patient is required"}]
        outcome = {"resourceType": "OperationOutcome", "issue": issue}
        return httpx.Response(400, json=outcome, request=request)
    return None


def passed_on(url: httpx.URL, request: httpx.Request) -> httpx.Response:
    """The server's answer at another address."""
    answer = httpx.get(url, trust_env=False, timeout=600)
    return httpx.Response(200, content=answer.content, request=request)


@pytest.fixture
def ward(site: Site) -> Site:
    """A patient named by id, one by identifier, one with an open Encounter, and one who is not asked for."""
    patient(site, "a")
    patient(site, "b", identifier=[{"system": "urn:mrn", "value": "007"}])
    patient(site, "c")
    patient(site, "other")
    for ident, status, whom in (("e1", "in-progress", "c"), ("e2", "finished", "other")):
        site.fhir.put(
            {
                "resourceType": "Encounter",
                "id": ident,
                "status": status,
                "class": {"code": "IMP"},
                "subject": {"reference": f"Patient/{whom}"},
            }
        )
    site.options = {"PATIENTS": "Patient/a, urn:mrn|007, open-encounters"}
    return site


def test_a_server_that_wants_a_patient_is_walked_patient_by_patient(ward: Site, faulty: Use) -> None:
    notes = {of(ward, f"Patient/{whom}") for whom in ("a", "a", "b", "c")}
    left = of(ward, "Patient/other")
    faulty(wants_a_patient)

    first, _ = ward.poll()
    again, _ = ward.poll()

    assert {source: one.status for source, one in first.items()} == dict.fromkeys(notes, "written")
    assert {source: one.status for source, one in again.items()} == dict.fromkeys(notes, "unchanged")
    assert ward.written(left) == []


def test_an_admitted_patient_brings_notes_older_than_all_that_was_read(ward: Site, faulty: Use) -> None:
    old = of(ward, "Patient/other")
    of(ward, "Patient/a")
    faulty(wants_a_patient)
    ward.poll()

    encounter = ward.fhir.get("Encounter/e2")
    ward.fhir.put({**encounter, "status": "in-progress"})
    ended, _ = ward.poll()

    assert ended[old].status == "written"


def test_of_those_seen_before_edits_and_new_notes_are_found(ward: Site, faulty: Use) -> None:
    first = of(ward, "Patient/c")
    faulty(wants_a_patient)
    ward.poll()
    ward.fhir.put({**ward.fhir.get("Encounter/e1"), "status": "finished"})
    later = of(ward, "Patient/c")

    ward.options = {"PATIENTS": "open-encounters"}
    assert ward.poll()[0] == {}
    ward.options = {"PATIENTS": "open-encounters, seen"}
    ended, _ = ward.poll()

    assert (ended[first].status, ended[later].status) == ("unchanged", "written")


def test_the_members_of_a_group_are_read_but_those_that_left(ward: Site, faulty: Use) -> None:
    member = [
        {"entity": {"reference": "Patient/a"}},
        {"entity": {"reference": "Patient/b"}, "inactive": True},
        {"entity": {"reference": "Device/pump"}},
    ]
    ward.fhir.put({"resourceType": "Group", "id": "g", "type": "person", "actual": True, "member": member})
    mine, _ = of(ward, "Patient/a"), of(ward, "Patient/b")
    ward.options = {"PATIENTS": "Group/g"}
    faulty(wants_a_patient)

    assert ward.poll()[0].keys() == {mine}


def test_matches_of_other_patients_are_left_where_a_server_ignores_the_parameter(
    ward: Site, monkeypatch: pytest.MonkeyPatch, faulty: Use
) -> None:
    mine, other = of(ward, "Patient/a"), of(ward, "Patient/other")
    ward.options = {"PATIENTS": "a"}

    def ignoring(request: httpx.Request) -> httpx.Response | None:
        if request.url.path.endswith("/DocumentReference") and "patient" in request.url.params:
            everything = request.url.copy_remove_param("patient")
            return passed_on(everything, request)
        return None

    faulty(ignoring)
    ended, _ = ward.poll()

    assert ended.keys() == {mine}
    assert ward.written(other) == []


@pytest.mark.parametrize("empty", [True, False], ids=["finds nothing by patient", "refuses patient"])
def test_a_server_that_does_not_search_by_patient_is_asked_by_subject(
    ward: Site, faulty: Use, empty: bool
) -> None:
    """FirelyTeam/spark#521: `patient` finds nothing with 200, where `subject` finds all."""
    mine = of(ward, "Patient/a")
    ward.options = {"PATIENTS": "a,b"}

    def blind(request: httpx.Request) -> httpx.Response | None:
        if request.url.path.rpartition("/")[2] in NOTES and "patient" in request.url.params:
            nothing = {"resourceType": "Bundle", "type": "searchset", "total": 0}
            return httpx.Response(200 if empty else 400, json=nothing, request=request)
        return None

    faulty(blind)
    ended, totals = ward.poll()

    assert {source: one.status for source, one in ended.items()} == {mine: "written"}
    assert totals.by_status["failed"] == 0


def test_one_patient_that_is_refused_fails_alone_and_is_counted(ward: Site, faulty: Use) -> None:
    good, closed = of(ward, "Patient/c"), of(ward, "Patient/a")

    def protected(request: httpx.Request) -> httpx.Response | None:
        if request.url.path.endswith("/DocumentReference") and request.url.params.get("patient") == "a":
            return httpx.Response(403, request=request)
        return wants_a_patient(request)

    faulty(protected)
    ended, totals = ward.poll()

    assert ended[good].status == "written"
    assert totals.by_status["failed"] == 1
    faulty(wants_a_patient)
    assert ward.poll()[0][closed].status == "written"  # no watermark has passed it


def test_a_walk_over_everything_goes_by_patient_too_and_looks_at_the_discharged(
    ward: Site, faulty: Use
) -> None:
    here, gone = of(ward, "Patient/c"), of(ward, "Patient/c")
    faulty(wants_a_patient)
    ward.poll()
    ward.fhir.put({**ward.fhir.get("Encounter/e1"), "status": "finished"})
    ward.fhir.send("DELETE", gone).raise_for_status()

    ended, _ = walked(ward)

    assert (ended[here].status, ended[gone].reason) == ("unchanged", "deleted")


def test_a_wrong_name_of_patients_is_refused_without_being_shown() -> None:
    with pytest.raises(SettingsError) as told:
        load_settings({"PATIENTS": "a, John Smith"})
    assert "Smith" not in str(told.value)


def test_a_selection_leaves_out_what_the_server_gives_all_the_same(site: Site, faulty: Use) -> None:
    wanted, other = reference(site.document(type=SUMMARY)), reference(site.document(type=PROGRESS))
    site.options = {"NOTE_TYPES": "http://loinc.org|18842-5"}

    def ignoring(request: httpx.Request) -> httpx.Response | None:
        if request.url.path.endswith("/DocumentReference") and "type" in request.url.params:
            return passed_on(request.url.copy_remove_param("type"), request)
        return None

    faulty(ignoring)
    ended, _ = site.poll()

    assert ended.keys() == {wanted}
    assert site.written(other) == []


def test_a_wider_selection_begins_from_the_start(site: Site) -> None:
    site.options = {"NOTE_TYPES": "18842-5"}
    early = reference(site.document(type=PROGRESS))
    reference(site.document(type=SUMMARY))
    site.poll()

    site.options = {"OVERLAP": "0.001s"}
    assert site.poll()[0][early].status == "written"


def test_what_leaves_the_selection_ends_as_out_of_date(site: Site) -> None:
    note = site.document(type=SUMMARY)
    site.options = {"NOTE_TYPES": "18842-5"}
    site.poll()
    site.fhir.put({**note, "type": PROGRESS})

    ended, _ = walked(site)

    assert (ended[reference(note)].status, ended[reference(note)].reason) == ("skipped", "not-selected")
    (summary,) = site.written(reference(note))
    assert summary["status"] == "preliminary"
    assert site.poll()[0].get(reference(note)) is None  # it is no match any more


def test_a_note_taken_back_is_seen_whatever_statuses_are_asked_for(site: Site) -> None:
    note = site.document()
    site.options = {"NOTE_STATUSES": "final"}
    assert site.poll()[0][reference(note)].status == "written"
    other = reference(site.document(docStatus="amended"))
    site.fhir.put({**note, "status": "entered-in-error"})

    ended, _ = site.poll()

    assert (ended[other].reason, ended[reference(note)].reason) == ("not-final", "entered-in-error")


def consent(site: Site, **changed: Any) -> dict[str, Any]:
    return site.fhir.put(
        {
            "resourceType": "Consent",
            "id": "no",
            "status": "active",
            "scope": {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/consentscope",
                        "code": "patient-privacy",
                    }
                ]
            },
            "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
            "patient": {"reference": "Patient/a"},
            "provision": {"type": "deny"},
            **changed,
        }
    )


def test_a_consent_that_forbids_skips_the_note_and_ends_its_summary(site: Site) -> None:
    patient(site, "a")
    patient(site, "b")
    mine, other = of(site, "Patient/a"), of(site, "Patient/b")
    site.poll()
    consent(site)

    ended, _ = walked(site)

    assert (ended[mine].status, ended[mine].reason) == ("skipped", "consent")
    assert ended[other].status == "unchanged"
    later = of(site, "Patient/a")
    assert site.poll()[0][later].reason == "consent"
    assert site.written(later) == []

    consent(site, status="inactive")
    ended, _ = walked(site)
    assert {ended[mine].status, ended[later].status} == {"written"}


def test_a_server_that_cannot_be_asked_about_consents_is_named_once(
    site: Site, faulty: Use, capsys: pytest.CaptureFixture[str]
) -> None:
    patient(site, "a")
    note = of(site, "Patient/a")

    def closed(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(403, request=request) if request.url.path.endswith("/Consent") else None

    faulty(closed)
    assert site.poll()[0][note].status == "written"
    said = "".join(capsys.readouterr())
    assert said.count("Consents cannot be asked for (HTTP 403)") == 1


def test_where_the_search_for_consents_fails_the_note_waits(site: Site, faulty: Use) -> None:
    patient(site, "a")
    note = of(site, "Patient/a")

    def broken(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(500, request=request) if request.url.path.endswith("/Consent") else None

    faulty(broken)
    ended, _ = site.poll()
    assert (ended[note].status, ended[note].reason) == ("failed", "server-error")
    faulty(lambda _: None)
    assert site.poll()[0][note].status == "written"
