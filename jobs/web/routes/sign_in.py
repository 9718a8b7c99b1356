"""`/login` and `/logout`: a browser gets a session for a bearer token, since it cannot send one by itself.

A person who came out of a record signs in there (`launches`); the page leads the way, and signs out both.
"""

from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from jobs.web.guard.access import Access
from jobs.web.guard.cookies import set_cookie
from jobs.web.guard.held import is_held
from jobs.web.guard.sessions import SESSION_SECONDS
from jobs.web.problems import ProblemError
from jobs.web.service import TheService
from jobs.web.views.pages import SESSION_COOKIE, render

router = APIRouter(include_in_schema=False)


@router.get("/login")
async def form(request: Request, to: str = "/") -> Response:
    """The page that asks for a token, or leads to the record's own sign-in."""
    return _page(request, _needed(request), to=_local(to), wrong=False)


@router.post("/login")
async def sign_in(request: Request) -> Response:
    """Takes the form; the token is in its body, never in an address."""
    access = _needed(request)
    if not access.has_tokens:
        raise ProblemError("not-found")
    fields = parse_qs((await request.body()).decode("utf-8", "replace"), max_num_fields=10)
    principal = access.by_token(fields.get("token", [""])[0].strip())
    to = _local(fields.get("to", ["/"])[0])
    if principal is None:
        return _page(request, access, to=to, wrong=True)
    response = RedirectResponse(to, 303)
    session = access.sessions.begin(principal.name)
    set_cookie(response, request, SESSION_COOKIE, session, seconds=SESSION_SECONDS, same_site="strict")
    return response


@router.post("/logout")
async def sign_out(request: Request, service: TheService) -> Response:
    """Ends the session, in this browser and wherever else its cookie may be."""
    cookie = request.cookies.get(SESSION_COOKIE, "")
    if cookie:
        await request.app.state.access.end_session(cookie)
    response = RedirectResponse("/", 303)
    framed = is_held(cookie) and service.framed  # as it was set, else a browser keeps it
    set_cookie(response, request, SESSION_COOKIE, "", seconds=0, same_site="strict", framed=framed)
    return response


def _page(request: Request, access: Access, *, to: str, wrong: bool) -> Response:
    return render(
        request,
        "login.html",
        status=401 if wrong else 200,
        to=to,
        wrong=wrong,
        tokens=access.has_tokens,
        launches=access.launches,
    )


def _needed(request: Request) -> Access:
    access: Access = request.app.state.access
    if not access.signs_in:
        raise ProblemError("not-found")
    return access


def _local(to: str) -> str:
    """A path of this service; anything that leads elsewhere becomes the first page."""
    parts = urlsplit(to)
    plain = not parts.scheme and not parts.netloc and "\\" not in to and to.isprintable()
    return parts.path if plain and parts.path.startswith("/") and not parts.path.startswith("//") else "/"
