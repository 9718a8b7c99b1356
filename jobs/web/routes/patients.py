"""`/patient`: patients found by name or number, and what the notes of one say, in the order of time."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Literal
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from fhir_adapter.reading.persons import Person, find_persons, last_visit, read_person
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.timeline.timeline import Timeline, TimelineError
from jobs.timelines import timeline_reader
from jobs.web.answers import while_wanted
from jobs.web.guard.access import Scope, requires, sees
from jobs.web.problems import ProblemError
from jobs.web.routes.compositions import Id
from jobs.web.service import Service, TheService
from jobs.web.views.links import patient_page
from jobs.web.views.pages import render
from jobs.web.views.patient_page import PatientQuery, patient_view

router = APIRouter(include_in_schema=False, dependencies=[Depends(sees)])

_MOST_FOUND = 50
_LONGEST = 100  # characters of what is looked for


def page_query(
    since: Annotated[str, Query(max_length=40)] = "",
    until: Annotated[str, Query(max_length=40)] = "",
    order: Literal["", "oldest"] = "",
    start: Annotated[int, Query(alias="from", ge=0, le=1_000_000)] = 0,
    whole: Annotated[Literal["", "1"], Query(alias="all")] = "",
) -> PatientQuery:
    """A route's dependency: what the address asks for, of nobody yet."""
    return PatientQuery("", since, until, order == "oldest", start, bool(whole))


Asked = Annotated[PatientQuery, Depends(page_query)]


@router.get("/patient")
async def form(request: Request, service: TheService) -> Response:
    """Asks whose notes."""
    return find_page(request, service)


def find_page(request: Request, service: Service) -> Response:
    """The form, before anybody is looked for; with an open record, its patient."""
    if patient := service.seen_by(request).patient:
        return RedirectResponse(patient_page(patient), 303)
    return render(request, "patient_find.html", asked="", hits=None, most=_MOST_FOUND)


@router.post("/patient", dependencies=[Depends(requires(Scope.READ))])
async def find(request: Request, service: TheService) -> Response:
    """Takes the form; a name is in its body, never in an address."""
    fields = parse_qs((await request.body()).decode("utf-8", "replace"), max_num_fields=10)
    words = fields.get("who", [""])[0].strip()[:_LONGEST]
    if words.startswith("Encounter/") and (url := patient_page(words)):
        return RedirectResponse(url, 303)
    hits = (
        await while_wanted(request, service, find_persons(service.client, words, _MOST_FOUND))
        if words
        else []
    )
    found = [(patient_page(hit.reference), hit) for hit in hits]
    if len(found) == 1 and found[0][0]:
        return RedirectResponse(found[0][0], 303)
    return render(request, "patient_find.html", asked=words, hits=found, most=_MOST_FOUND)


@router.get("/patient/{id}")
async def of_patient(request: Request, id: Id, service: TheService, asked: Asked) -> HTMLResponse:
    """The notes of a patient."""
    return await _answer(request, service, f"Patient/{id}", asked)


@router.get("/patient/Encounter/{id}")
async def of_encounter(request: Request, id: Id, service: TheService, asked: Asked) -> HTMLResponse:
    """The notes of one stay or visit."""
    return await _answer(request, service, f"Encounter/{id}", asked)


async def _answer(request: Request, service: Service, subject: str, given: PatientQuery) -> HTMLResponse:
    asked = PatientQuery(subject, given.since, given.until, given.oldest, given.start, given.whole)
    if asked.fault:
        return render(request, "patient.html", status=422, page=None, asked=asked)
    return await while_wanted(request, service, _page(request, service, asked))


async def _page(request: Request, service: Service, asked: PatientQuery) -> HTMLResponse:
    sight = service.seen_by(request)
    if asked.subject.startswith("Patient/"):
        await sight.admit([asked.subject])
    reader = timeline_reader(service.settings, sight.client, sight.auditor, service.ledger, sight.proofs)
    try:
        # All of it: what is new is known by what was there before.
        found = await reader.read(asked.subject, authors=True)
    except TimelineError as error:
        raise ProblemError("not-found", str(error)) from None
    today = datetime.now(UTC).date()
    patients = found.scope.patients
    await sight.admit(patients)
    person = await _person(sight.client, found)
    visit = await last_visit(sight.client, patients, today.isoformat()) if patients else ""

    def made() -> HTMLResponse:
        page = patient_view(found, person, visit, asked, today)
        return render(request, "patient.html", page=page, asked=asked)

    return await asyncio.to_thread(made)


async def _person(client: FhirClient, found: Timeline) -> Person | None:
    if not found.scope.patients:
        return None
    resource = await client.read_if_there(found.scope.patients[0])
    return read_person(resource) if resource else None
