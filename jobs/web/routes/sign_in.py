"""`/login` and `/logout`: a browser gets a session for a bearer token, since it cannot send one by itself.

A person who came out of a record signs in there (`launches`); the page leads the way, and signs out both.
"""

from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from jobs.web.guard.access import Access
from jobs.web.guard.sessions import SESSION_SECONDS
from jobs.web.problems import ProblemError
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
    response.set_cookie(
        SESSION_COOKIE,
        access.sessions.begin(principal.name),
        max_age=SESSION_SECONDS,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return response


@router.post("/logout")
async def sign_out(request: Request) -> Response:
    """Ends the session, in this browser and wherever else its cookie may be."""
    if cookie := request.cookies.get(SESSION_COOKIE):
        await request.app.state.access.end_session(cookie)
    response = RedirectResponse("/", 303)
    response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="strict")
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
