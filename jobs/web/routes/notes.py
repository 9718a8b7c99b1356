"""`/v1/notes`: what came in and what became of it, from the ledger, and another try of what failed."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from jobs.ledger.pages import Mark, NotePage, changes, page, try_again
from jobs.web.answers import parsed, problems
from jobs.web.change_schemas import Changes, ChangesQuery
from jobs.web.guard.access import Principal, Scope, requires
from jobs.web.problems import ProblemError
from jobs.web.schemas import NoteEntry, NoteList, NotesQuery, RetryRequest, RetryResult
from jobs.web.service import Service, TheService

router = APIRouter(tags=["notes"])

SETTLED = timedelta(seconds=60)  # longer than a process waits for the ledger, and clocks differ
Reader = Annotated[Principal, Depends(requires(Scope.READ))]

_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/RetryRequest"}}},
    }
}


@router.get(
    "/v1/notes",
    response_model_exclude_none=True,
    responses=problems(422, 502),
    summary="List what came in",
    dependencies=[Depends(requires(Scope.READ))],
)
async def notes(service: TheService, query: Annotated[NotesQuery, Query()]) -> NoteList:
    """Every note that was handled, the latest first: how it ended, and why. Nothing of its text."""
    ledger = await service.ledger()
    start = Mark.parse(query.cursor) if query.cursor else None
    found: NotePage = await asyncio.to_thread(page, ledger, query.chosen(), query.count, older=start)
    following = str(found.older) if found.older else None
    return NoteList(notes=[NoteEntry.of(row) for row in found.rows], next=following)


@router.get(
    "/v1/changes",
    response_model_exclude_none=True,
    responses=problems(422, 502),
    summary="Follow what changes",
)
async def feed(service: TheService, query: Annotated[ChangesQuery, Query()], _: Reader) -> Changes:
    """How notes ended, in the order in which they were handled: ask again with `next`, and none is missed.

    A note that is handled again comes again, with its new end. Each is shown a minute after it was recorded:
    what several processes record at a time has its order by then.
    """
    ledger = await service.ledger()
    start = Mark.parse(query.since) if query.since else None
    until = datetime.now(UTC) - SETTLED
    found = await asyncio.to_thread(changes, ledger, start, query.count, until)
    following = str(found[-1][0]) if found else query.since or "0.0"
    entries = [NoteEntry.of(row) for _, row in found]
    return Changes(changes=entries, next=following, more=len(found) == query.count)


@router.post(
    "/v1/notes:retry",
    status_code=202,
    responses=problems(413, 415, 422, 502),
    openapi_extra=_BODY,
    summary="Try notes again",
    dependencies=[Depends(requires(Scope.RETRY))],
)
async def retry(request: Request, service: TheService) -> RetryResult:
    """Has notes handled again, as `clinsum retry` does: at once, or with the next pass of `clinsum run`."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise ProblemError("unsupported-type", "What to try again is application/json.")
    wanted = await parsed(RetryRequest, await request.body())
    return await tried_again(service, wanted)


async def tried_again(service: Service, wanted: RetryRequest) -> RetryResult:
    """Marks them in the ledger, and begins where no other process has the passes.

    Raises:
        LedgerError: its database cannot be used now.
    """
    ledger = await service.ledger()
    marked = await asyncio.to_thread(try_again, ledger, wanted.chosen(), wanted.sources or ())
    if marked:
        service.retrying.start()
    return RetryResult(notes=marked, running=service.retrying.running)
