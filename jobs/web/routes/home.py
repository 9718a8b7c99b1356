"""`/`: where somebody begins. With a FHIR server, at its patients; without one, at a note that is pasted."""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from jobs.web.guard.access import Scope, requires
from jobs.web.routes.patients import find_page
from jobs.web.routes.summarise_page import page as summarise_page
from jobs.web.service import TheService
from jobs.web.views.pages import PATIENTS

router = APIRouter(include_in_schema=False)


@router.get("/")
async def home(request: Request, service: TheService) -> HTMLResponse:
    """The first page; who may not read the server's notes may still summarise their own."""
    principal = request.state.principal
    if request.app.state.first == PATIENTS and principal and Scope.READ in principal.scopes:
        return find_page(request)
    requires(Scope.SUMMARISE)(request)
    return await summarise_page(request, service)
