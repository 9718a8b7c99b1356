"""`/`: where somebody begins. With a FHIR server, at its patients; without one, at a note that is pasted."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from jobs.web.guard.access import Scope, requires
from jobs.web.routes.patients import find_page
from jobs.web.routes.summarise_page import page as summarise_page
from jobs.web.service import TheService
from jobs.web.views.pages import PATIENTS

router = APIRouter(include_in_schema=False)


@router.get("/")
async def home(request: Request, service: TheService) -> Response:
    """The first page; who may not read the server's notes may still summarise their own."""
    principal = request.state.principal
    may_read = principal and (principal.sight or Scope.READ in principal.scopes)
    if request.app.state.first == PATIENTS and may_read:
        return find_page(request, service)
    requires(Scope.SUMMARISE)(request)
    return await summarise_page(request, service)
