"""`/notes`: what came in, as a page, and the form that has notes tried again."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Depends, Request
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from fhir_adapter.reasons import Reason, reason_words
from jobs.ledger.pages import Hour, Mark, NoteFilter, NotePage, Overview, overview, page
from jobs.web.guard.access import Scope, requires
from jobs.web.problems import ProblemError, faults
from jobs.web.routes.notes import tried_again
from jobs.web.schemas import NoteEntry, NoteQuery, RetryRequest
from jobs.web.service import TheService
from jobs.web.views.chart import Chart, bars
from jobs.web.views.links import note_page
from jobs.web.views.pages import render

router = APIRouter(include_in_schema=False)

ROWS = 50
STATUSES = {
    "written": ("Summarised", "A summary was written."),
    "unchanged": ("Unchanged", "The summary that was there is still right."),
    "skipped": ("Skipped", "Nothing to summarise, or not ours to do."),
    "failed": ("Failed", "Something that should have worked did not."),
}
KINDS = ("DocumentReference", "DiagnosticReport")
_FIELDS = 10
_PATIENCE = 3.0  # seconds to wait for a retry, so that its end is on the page


@router.get("/notes", dependencies=[Depends(requires(Scope.READ))])
async def notes(request: Request, service: TheService) -> Response:
    """The list, filtered, with figures and charts above it."""
    given = {name: value for name, value in request.query_params.items() if value}
    older, newer = _mark(given.pop("older", "")), _mark(given.pop("newer", ""))
    query = _query(given)
    ledger = await service.ledger()
    types = service.settings.resource_types
    found, state, ready = await asyncio.gather(
        asyncio.to_thread(page, ledger, query.chosen(), ROWS, older=older, newer=newer),
        asyncio.to_thread(overview, ledger, types, datetime.now(UTC)),
        service.readiness(),
    )
    filters = query.model_dump(exclude_none=True, mode="json")
    return render(
        request,
        "notes.html",
        filters=filters,
        found=found,
        entries=[NoteEntry.of(row) for row in found.rows],
        pages=_pages(found, filters, first=not (older or newer)),
        state=state,
        statuses=STATUSES,
        kinds=KINDS,
        reasons=[(reason.value, reason.words, reason.failure) for reason in Reason],
        why=[(status, _why(state, status)) for status in ("failed", "skipped")],
        handled=_chart(state.hours, "handled"),
        failed=_chart(state.hours, "failed"),
        parts=ready.parts,
        retrying=service.retrying.running,
        may_retry=_may_retry(request),
        to_retry=_failed_in(state, query.chosen()),
        note_page=note_page,
    )


@router.post("/notes/retry", dependencies=[Depends(requires(Scope.RETRY))])
async def retry(request: Request, service: TheService) -> Response:
    """Takes the form: one note by its `source`, or all that failed among those that the filters leave in."""
    try:
        sent = parse_qsl((await request.body()).decode("utf-8", "replace"), max_num_fields=_FIELDS)
    except ValueError:
        raise ProblemError("invalid") from None
    fields = {name: value for name, value in sent if value}
    source = fields.pop("source", None)
    query = _query(fields)
    try:
        wanted = RetryRequest.model_validate({"sources": [source]} if source else query.model_dump())
    except ValidationError as error:
        raise _invalid(error) from None
    if (await tried_again(service, wanted)).running:
        await service.retrying.settled(_PATIENCE)
    return RedirectResponse(_address(query.model_dump(exclude_none=True, mode="json")), 303)


def _query(given: dict[str, str]) -> NoteQuery:
    try:
        return NoteQuery.model_validate(given)
    except ValidationError as error:
        raise _invalid(error) from None


def _invalid(error: ValidationError) -> ProblemError:
    found = error.errors(include_input=False, include_url=False, include_context=False)
    return ProblemError("invalid", errors=faults(found))


def _mark(text: str) -> Mark | None:
    try:
        return Mark.parse(text) if text else None
    except ValueError:
        raise ProblemError("not-found", "There is no such place in the list.") from None


def _may_retry(request: Request) -> bool:
    return Scope.RETRY in request.state.principal.scopes


def _address(filters: dict[str, Any], **place: Mark) -> str:
    query = urlencode({**filters, **place})
    return f"/notes?{query}" if query else "/notes"


def _pages(found: NotePage, filters: dict[str, Any], *, first: bool) -> dict[str, str]:
    """Addresses of the pages around, by what they are called; those that exist."""
    pages = {} if first else {"Latest": _address(filters)}
    if found.newer:
        pages["Newer"] = _address(filters, newer=found.newer)
    if found.older:
        pages["Older"] = _address(filters, older=found.older)
    return pages


def _why(state: Overview, status: str) -> list[tuple[str, str, int]]:
    return [(code, reason_words(code), count) for code, count in state.reasons(status)]


def _chart(hours: tuple[Hour, ...], what: str) -> Chart:
    return bars([(f"{hour.start:%H}:00 to {hour.start:%H}:59", getattr(hour, what)) for hour in hours])


def _failed_in(state: Overview, chosen: NoteFilter) -> int | None:
    """How many failed among those that the filters leave in; None where only the database could say."""
    if chosen.kind or chosen.since:
        return None
    if chosen.status not in ("", "failed"):
        return 0
    if chosen.reason:
        return state.counts.get(("failed", chosen.reason), 0)
    return state.by_status("failed")
