"""Pages: Jinja2 with everything escaped, and static files under addresses that change with their content."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup
from starlette.responses import HTMLResponse, RedirectResponse, Response

from jobs.runtime import software_version

SESSION_COOKIE = "clinsum_session"

FOLDER = Path(str(files("jobs.web")))
STATIC = FOLDER / "static"

BANNER = (
    "Word for word, picked by a machine; unverified whether these are the right ones. "
    "No substitute for the note."
)
SHORT_BANNER = "Picked by a machine, unverified. Read the note."  # one line of a telephone
_INLINE = MarkdownIt("commonmark", {"html": False})
DEMO_BANNER = "A demonstration. Do not paste notes of real patients."


@dataclass(frozen=True, slots=True)
class Tab:
    """An entry of the navigation; shown where the application has the page.

    Attributes:
        many: it shows many patients, and so none to whom one record is open.
    """

    path: str
    label: str
    many: bool = False


PATIENTS = "/patient"
SUMMARISE = "/summarise"
TABS = (
    Tab(PATIENTS, "Patients"),
    Tab(SUMMARISE, "Summarise"),
    Tab("/notes", "Notes", many=True),
    Tab("/audit", "Audit", many=True),
    Tab("/model", "Model"),
    Tab("/docs", "API"),
)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["asset"] = asset
    environment.filters["markdown"] = _inline
    return environment


def _inline(words: str) -> Markup:
    """A line of the OpenAPI document, whose descriptions are CommonMark."""
    return Markup(_INLINE.renderInline(words))  # noqa: S704


@cache
def asset(name: str) -> str:
    """The address of a static file; it names the content, so that browsers may keep it for good."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


def render(
    request: Request,
    template: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **context: Any,
) -> HTMLResponse:
    """A page from `templates/`, with what `base.html` needs already in its context.

    Args:
        request: gives the template `request`, and what may be seen: `principal`.
        template: file name.
        status: of the answer.
        headers: of the answer.
        context: what the template shows.
    """
    options = request.app.state.options
    principal = getattr(request.state, "principal", None)
    narrow = getattr(principal, "sight", None) is not None
    shared = {
        "request": request,
        "principal": principal,
        "tabs": [t for t in TABS if t.path in request.app.state.paths and not (narrow and t.many)],
        "here": request.url.path if request.url.path != "/" else request.app.state.first,
        "sign_out": SESSION_COOKIE in request.cookies,
        "banner": BANNER,
        "short_banner": SHORT_BANNER,
        "now": datetime.now(UTC),
        "demo_banner": DEMO_BANNER if options.demo else "",
        "version": software_version(),
    }
    page = _environment().get_template(template).render(shared | context)
    # FHIR fields may hold half of a character that takes two (a lone surrogate), which UTF-8 has no form for.
    return HTMLResponse(page.encode("utf-8", "replace"), status, headers)


def to_sign_in(request: Request) -> Response:
    """Where a browser without a session goes instead of the page it asked for."""
    return RedirectResponse(f"/login?to={quote(request.url.path)}", 303)
