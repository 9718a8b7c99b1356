"""Helpers of the routes: JSON in and out, errors as documented, and work that goes on while it is wanted."""

import asyncio
import json
from collections.abc import Coroutine
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from jobs.web.batching import ModelState, QueueFullError
from jobs.web.problems import MEDIA_TYPE, ProblemError, faults
from jobs.web.refusals import REFUSALS, refusal
from jobs.web.service import Service

__all__ = ["REFUSALS", "admit", "json_answer", "parsed", "problems", "refusal", "while_wanted"]

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)

MANY_SENTENCES = 2000  # from so many on, writing an answer would hold up the event loop
_LARGE = 1 << 18  # bytes of JSON from which reading it would

_RETRY = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 1}}}
_ALWAYS = (401, 403, 421, 429, 500)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route: each of these statuses, and those every route may give, as a problem."""
    schema = {"$ref": "#/components/schemas/ProblemDocument"}
    documented: dict[int | str, dict[str, Any]] = {}
    for status in sorted({*statuses, *_ALWAYS}):
        documented[status] = {"description": "A problem.", "content": {MEDIA_TYPE: {"schema": schema}}}
        if status in (429, 503):
            documented[status]["headers"] = _RETRY
    return documented


async def parsed(kind: type[M], body: bytes) -> M:
    """The body as a request of this kind.

    Raises:
        ProblemError: `invalid`, naming the places that are wrong and nothing that stands there.
    """
    try:
        if len(body) > _LARGE:
            return await asyncio.to_thread(kind.model_validate_json, body)
        return kind.model_validate_json(body)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        raise ProblemError("invalid", errors=faults(found, kind.model_fields)) from None


async def json_answer(content: object, *, large: bool = False) -> Response:
    """The answer; a large one is written beside the event loop."""
    body = await asyncio.to_thread(_json, content) if large else _json(content)
    return Response(body, media_type="application/json")


def _json(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


async def while_wanted(request: Request, service: Service, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`; it is cancelled, and gives its place away, when the client leaves or time is up.

    Call it after the body was read.

    Raises:
        ClientDisconnect: the client left.
        ProblemError: the model's refusals, and `timeout`.
    """
    task, gone = asyncio.create_task(work), asyncio.create_task(_gone(request))
    try:
        await asyncio.wait(
            (task, gone), timeout=service.settings.serve_timeout, return_when=asyncio.FIRST_COMPLETED
        )
        if task.done():
            return await task
        if gone.done():
            service.metrics.client_left()
            raise ClientDisconnect
        raise ProblemError("timeout")
    except REFUSALS as error:
        raise refusal(error) from None
    finally:
        task.cancel()
        gone.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


def admit(service: Service) -> None:
    """Refuses a request for which there is no place, before anything is done for it.

    Raises:
        ProblemError: `queue-full` or `shutting-down`.
    """
    if service.model.state is ModelState.CLOSED:
        raise ProblemError("shutting-down")
    if not service.model.accepts:
        raise refusal(QueueFullError(service.model.pause))


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
