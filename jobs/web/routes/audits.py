"""`/audit`: the latest Compositions on the FHIR server, and the way to one."""

import re
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import RedirectResponse, Response

from fhir_adapter import canonical
from fhir_adapter.audit.standing import ended_words
from fhir_adapter.timeline.clinical_time import readable
from jobs.web.answers import while_wanted
from jobs.web.guard.access import Scope, requires
from jobs.web.listing import SummaryListing, page_of
from jobs.web.problems import ProblemError
from jobs.web.routes.compositions import Cursor, Id
from jobs.web.service import TheService
from jobs.web.views.links import ID, note_page
from jobs.web.views.pages import render

router = APIRouter(include_in_schema=False, dependencies=[Depends(requires(Scope.READ))])

_ON_A_PAGE = 25
_ID_AND_VERSION = re.compile(rf"({ID.pattern})(?:/_history/[^/]{{0,64}})?/?")

Kind = Literal["summaries", "timelines"]
_TAGS = {"summaries": canonical.SUMMARY_TAG, "timelines": canonical.TIMELINE_TAG}


@dataclass(frozen=True, slots=True)
class ListRow:
    """A Composition in the list, in words."""

    reference: str
    url: str
    title: str
    about: str
    version: str
    state: str
    current: bool
    review: bool
    sentences: int
    changed: str


@router.get("/audit")
async def index(
    request: Request,
    service: TheService,
    kind: Kind = "summaries",
    cursor: Cursor = None,
    composition: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """The list; with a Composition's id or address, the way to its page."""
    found = _id_in(composition) if composition is not None else ""
    if found:
        return RedirectResponse(note_page(f"Composition/{found}"), 303)
    page = await while_wanted(request, service, page_of(service, _TAGS[kind], _ON_A_PAGE, cursor or ""))
    return render(
        request,
        "audit_list.html",
        status=422 if composition is not None else 200,
        kind=kind,
        entries=[_row(entry, kind) for entry in page.entries],
        known=page.known,
        paged=cursor is not None,
        first=_list(kind),
        next=_list(kind, page.cursor) if page.cursor else "",
        asked=composition or "",
        wrong=composition is not None,
    )


def _id_in(asked: str) -> str:
    """The id in what somebody typed; "" where there is none."""
    base, named, rest = asked.strip().rpartition("Composition/")
    found = _ID_AND_VERSION.fullmatch(rest)
    if named and found and base[-1:] in ("", "/"):
        return found[1]
    return rest if not named and ID.fullmatch(rest) else ""


def _list(kind: Kind, cursor: str = "") -> str:
    query = {"kind": "" if kind == "summaries" else kind, "cursor": cursor}
    written = urlencode({name: value for name, value in query.items() if value})
    return "/audit" + (f"?{written}" if written else "")


def _row(entry: SummaryListing, kind: Kind) -> ListRow:
    claims, record = entry.claims, entry.record
    state = f"no longer current: {ended_words(record.ended)}" if record.ended else record.status
    return ListRow(
        reference=claims.composition,
        url=note_page(claims.composition),
        title=record.title.removeprefix("AI-extracted summary: ") or claims.composition,
        about=(claims.source if kind == "summaries" else record.subject) or "none named",
        version=claims.version if kind == "summaries" else "",
        state=state.replace("-", " ") if not record.ended else state,
        current=record.current,
        review=record.needs_review,
        sentences=entry.sentences,
        changed=readable(record.last_updated),
    )


@router.get("/audit/{id}")
async def moved(id: Id) -> Response:
    """The way to the note's page, which holds its audit; a browser takes the fragment along."""
    url = note_page(f"Composition/{id}")
    if not url:
        raise ProblemError("not-found")
    return RedirectResponse(url, 308)
