"""`/summarise`: a note pasted or dropped, its chosen sentences marked, the summary beside it.

The page holds no note: its script asks `POST /v1/summaries` and shows the answer. The address never changes.
"""

from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse, PlainTextResponse

from jobs.demo.notes import note_file
from jobs.web.guard.access import Scope, requires
from jobs.web.schemas import MAX_CHARACTERS
from jobs.web.service import TheService
from jobs.web.views.pages import render

router = APIRouter(include_in_schema=False, dependencies=[Depends(requires(Scope.SUMMARISE))])

EXAMPLE = "hip-admission.txt"


@router.get("/summarise")
async def page(request: Request, service: TheService) -> HTMLResponse:
    """The page, empty."""
    return render(
        request,
        "summarise.html",
        max_bytes=service.settings.max_bytes,
        max_characters=MAX_CHARACTERS,
    )


@router.get("/example")
async def example() -> PlainTextResponse:
    """A note to try it on, of an invented patient."""
    return PlainTextResponse(note_file(EXAMPLE))
