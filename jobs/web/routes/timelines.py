"""`/timeline`: what the notes of a patient or an encounter say, in the order in which it happened."""

import asyncio
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from fhir_adapter.timeline.clinical_time import Calendar, Precision, precision
from fhir_adapter.timeline.timeline import TimelineError
from jobs.timelines import timeline_reader
from jobs.web.answers import while_wanted
from jobs.web.guard.access import Scope, requires
from jobs.web.problems import ProblemError
from jobs.web.routes.compositions import Id
from jobs.web.service import Service, TheService
from jobs.web.views.links import timeline_page
from jobs.web.views.pages import render
from jobs.web.views.timeline_page import timeline_view

router = APIRouter(include_in_schema=False, dependencies=[Depends(requires(Scope.READ))])

Bound = Annotated[str, Query(max_length=40)]


@dataclass(frozen=True, slots=True)
class TimelineQuery:
    """Whose timeline, as `Patient/id` or `Encounter/id`, and the dates of the form, as they were typed."""

    subject: str
    since: str
    until: str

    @property
    def url(self) -> str:
        """Of the whole timeline."""
        return timeline_page(self.subject)

    @property
    def fault(self) -> str:
        """What is wrong with the dates, in a sentence; "" where nothing is."""
        return fault(self.since, self.until)


@router.get("/timeline")
async def form(request: Request, subject: Annotated[str | None, Query(max_length=100)] = None) -> Response:
    """Asks whose timeline; with an answer, the way to it."""
    asked = (subject or "").strip()
    url = timeline_page(asked if "/" in asked else f"Patient/{asked}")
    if url:
        return RedirectResponse(url, 303)
    wrong = subject is not None
    return render(request, "timeline_form.html", status=422 if wrong else 200, asked=asked, wrong=wrong)


@router.get("/timeline/{patient}")
async def of_patient(
    request: Request, patient: Id, service: TheService, since: Bound = "", until: Bound = ""
) -> HTMLResponse:
    """The timeline of a patient."""
    return await _answer(request, service, f"Patient/{patient}", since, until)


@router.get("/timeline/Encounter/{id}")
async def of_encounter(
    request: Request, id: Id, service: TheService, since: Bound = "", until: Bound = ""
) -> HTMLResponse:
    """The timeline of one stay or visit."""
    return await _answer(request, service, f"Encounter/{id}", since, until)


async def _answer(request: Request, service: Service, subject: str, since: str, until: str) -> HTMLResponse:
    asked = TimelineQuery(subject, since, until)
    if asked.fault:
        return render(request, "timeline.html", status=422, page=None, asked=asked)
    return await while_wanted(request, service, _read(request, service, asked))


async def _read(request: Request, service: Service, asked: TimelineQuery) -> HTMLResponse:
    reader = timeline_reader(service.settings, service.client, service.auditor, service.ledger)
    try:
        found = await reader.read(asked.subject, asked.since, asked.until)
    except TimelineError as error:
        raise ProblemError("not-found", str(error)) from None

    def made() -> HTMLResponse:
        page = timeline_view(found, service.client.base_url)
        return render(request, "timeline.html", page=page, asked=asked)

    return await asyncio.to_thread(made)


def fault(since: str, until: str) -> str:
    """What is wrong with the dates asked for, in a sentence; "" where nothing is."""
    for bound in (since, until):
        if bound and (precision(bound) is Precision.UNKNOWN or len(bound) > len("2024-05-31")):
            return "A date is a year, a month or a day: 2024, 2024-05 or 2024-05-31."
    calendar = Calendar((since, until))
    first, last = calendar.span(since), calendar.span(until)
    if first and last and first[0] >= last[1]:
        return "The first date is after the last one."
    return ""
