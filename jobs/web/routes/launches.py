"""`/smart`: a record opens the page of its patient (SMART App Launch), or a person begins here."""

import hashlib
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from jobs.web.answers import while_wanted
from jobs.web.guard.cookies import set_cookie
from jobs.web.guard.sessions import SESSION_SECONDS
from jobs.web.problems import ProblemError
from jobs.web.service import Service, TheService
from jobs.web.smart import SIGN_IN_SECONDS
from jobs.web.views.links import patient_page
from jobs.web.views.pages import SESSION_COOKIE

router = APIRouter(include_in_schema=False)

_CALLBACK = "/smart/callback"

Server = Annotated[str, Query(max_length=500)]
Opaque = Annotated[str, Query(max_length=4096)]


@router.get("/smart/launch")
async def launch(request: Request, service: TheService, iss: Server, launch: Opaque) -> Response:
    """The address that a record opens: which server it is, and what names its context there."""
    if not (iss and launch):
        raise ProblemError("invalid", "A record names its server, iss, and its launch.")
    return await _begin(request, service, iss, launch)


@router.get("/smart/standalone")
async def standalone(request: Request, service: TheService, iss: Server = "") -> Response:
    """A person begins here; the server lets them choose a patient."""
    return await _begin(request, service, iss, "")


async def _begin(request: Request, service: Service, iss: str, launch: str) -> Response:
    _offered(service)
    redirect_uri = str(request.base_url).rstrip("/") + _CALLBACK
    begun = await while_wanted(request, service, service.smart.begin(iss, launch, redirect_uri))
    response = RedirectResponse(begun.address, 303)
    framed = service.framed
    name = _cookie(begun.state)  # `lax`: it has to come along from the server's page
    set_cookie(response, request, name, begun.browser, seconds=SIGN_IN_SECONDS, path=_CALLBACK, framed=framed)
    return response


@router.get(_CALLBACK)
async def callback(
    request: Request,
    service: TheService,
    state: Opaque = "",
    code: Opaque = "",
    iss: Server = "",
    error: Opaque = "",
) -> Response:
    """Where the server sends the browser afterwards; the address holds a code that is used up here."""
    _offered(service)
    cookie = _cookie(state)
    work = service.smart.finish(state, request.cookies.get(cookie, ""), iss, "" if error else code)
    signed_in = await while_wanted(request, service, work)
    access = request.app.state.access
    await access.end_session(request.cookies.get(SESSION_COOKIE, ""))
    session = await access.launched.begin(signed_in)
    response = RedirectResponse(patient_page(signed_in.sight.patient) or "/", 303)
    # `lax`: a stricter one would not be sent on the way from the server's page to the patient's.
    set_cookie(response, request, SESSION_COOKIE, session, seconds=SESSION_SECONDS, framed=service.framed)
    set_cookie(response, request, cookie, "", seconds=0, path=_CALLBACK, framed=service.framed)
    return response


def _offered(service: Service) -> None:
    if not service.smart.servers:
        raise ProblemError("not-found")


def _cookie(state: str) -> str:
    """One for each sign-in, so that two at a time do not take each other's."""
    return f"clinsum_launch_{hashlib.sha256(state.encode('utf-8', 'replace')).hexdigest()[:16]}"
