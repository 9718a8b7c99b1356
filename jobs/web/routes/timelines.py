"""`/timeline`: addresses of before there were pages of patients; they lead there."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import RedirectResponse, Response

from jobs.web.guard.access import Scope, requires
from jobs.web.problems import ProblemError
from jobs.web.routes.compositions import Id
from jobs.web.views.links import patient_page

router = APIRouter(include_in_schema=False, dependencies=[Depends(requires(Scope.READ))])


@router.get("/timeline")
async def form(subject: Annotated[str | None, Query(max_length=100)] = None) -> Response:
    """The way to a patient or an encounter that is named, else to the form."""
    asked = (subject or "").strip()
    url = patient_page(asked if "/" in asked else f"Patient/{asked}")
    if subject is not None and not url:
        raise ProblemError("invalid", "That is no id of a patient or an encounter, such as Patient/123.")
    return RedirectResponse(url or "/patient", 303)


@router.get("/timeline/{patient}")
async def of_patient(request: Request, patient: Id) -> Response:
    """The way to a patient's notes, with the same dates."""
    return _moved(request, f"Patient/{patient}")


@router.get("/timeline/Encounter/{id}")
async def of_encounter(request: Request, id: Id) -> Response:
    """The way to those of one stay or visit."""
    return _moved(request, f"Encounter/{id}")


def _moved(request: Request, subject: str) -> Response:
    url = patient_page(subject)
    if not url:
        raise ProblemError("not-found")
    query = request.url.query
    return RedirectResponse(f"{url}?{query}" if query else url, 308)
