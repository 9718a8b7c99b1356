"""`POST /v1/summaries:batch`: many texts in one call, with progress as server-sent events where asked for."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response, StreamingResponse

from jobs.values import parse_budget
from jobs.web.answers import REFUSALS, admit, json_answer, parsed, problems, refusal, while_wanted
from jobs.web.guard.access import Scope, requires
from jobs.web.problems import ProblemError
from jobs.web.schemas import BatchRequest, BatchResult, SummaryRequest, as_budget
from jobs.web.service import Service, TheService
from summarizer import Budget, Document

router = APIRouter(tags=["summaries"], dependencies=[Depends(requires(Scope.SUMMARISE))])

EVENTS = "text/event-stream"
_SIGN_OF_LIFE = 15.0  # seconds without a result after which a comment keeps the connection open

_BODY = {
    "required": True,
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/BatchRequest"}}},
}
_EVENTS_ANSWER = {
    "description": "What became of every text; as events where `Accept` is `text/event-stream`: `result` (an "
    "item), `progress` (`done`, `total`) and, at the end, `done` (`total`, `failed`).",
    "content": {EVENTS: {"schema": {"type": "string"}}},
}


@router.post(
    "/v1/summaries:batch",
    response_model=BatchResult,
    responses=problems(408, 413, 415, 422, 503) | {200: _EVENTS_ANSWER},
    openapi_extra={"requestBody": _BODY},
    summary="Summarise many texts",
)
async def batch(request: Request, service: TheService) -> Response:
    """Each text by itself: one that fails has a problem in its place and keeps no other from its summary."""
    admit(service)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise ProblemError("unsupported-type", "A batch is application/json.")
    asked = await parsed(BatchRequest, await request.body())
    most = service.settings.serve_batch_items
    if len(asked.items) > most:
        raise ProblemError("too-large", f"At most {most} texts in one call.")
    default = as_budget(asked.budget, service.settings.summary_budget)
    if EVENTS in request.headers.get("accept", ""):
        return StreamingResponse(_events(service, asked.items, default), media_type=EVENTS)
    results = await while_wanted(request, service, _collected(service, asked.items, default))
    failed = sum("problem" in item for item in results)
    return await json_answer({"results": results, "failed": failed}, large=True)


async def _collected(
    service: Service, items: list[SummaryRequest], default: Budget | None
) -> list[dict[str, Any]]:
    found = [item async for item in _results(service, items, default) if item is not None]
    return sorted(found, key=lambda item: int(item["index"]))


async def _events(
    service: Service, items: list[SummaryRequest], default: Budget | None
) -> AsyncIterator[str]:
    done = failed = 0
    async for item in _results(service, items, default):
        if item is None:
            yield ": still working\n\n"
            continue
        done += 1
        failed += "problem" in item
        yield _event("result", item)
        yield _event("progress", {"done": done, "total": len(items)})
    yield _event("done", {"total": len(items), "failed": failed})


def _event(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


async def _results(
    service: Service, items: list[SummaryRequest], default: Budget | None
) -> AsyncIterator[dict[str, Any] | None]:
    """What becomes of each text as it comes; None where for a while nothing came.

    At any time no more than half of the queue's places are asked for, so that others find one.
    """
    window = max(1, service.settings.serve_queue // 2)
    coming = iter(enumerate(items))
    pending: set[asyncio.Task[dict[str, Any]]] = set()
    try:
        while True:
            while len(pending) < window and (following := next(coming, None)):
                pending.add(asyncio.create_task(_one(service, *following, default)))
            if not pending:
                return
            done, pending = await asyncio.wait(
                pending, timeout=_SIGN_OF_LIFE, return_when=asyncio.FIRST_COMPLETED
            )
            if not done:
                yield None
            for task in done:
                yield task.result()
    finally:  # also where the client has left: the places are free again
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)


async def _one(service: Service, index: int, item: SummaryRequest, default: Budget | None) -> dict[str, Any]:
    budget = default if item.budget is None else parse_budget(str(item.budget))
    try:
        summary = await service.model.summarize(Document(item.text), budget, patient=True)
    except REFUSALS as error:
        return {"index": index, "problem": refusal(error).body()}
    return {"index": index, "result": summary.to_json()}
