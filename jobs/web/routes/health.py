"""`/health/live`, `/health/ready` and `/metrics`: what an orchestrator and a monitor ask."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, Field

from jobs.web.answers import problems
from jobs.web.guard.access import Scope, requires
from jobs.web.readiness import Readiness
from jobs.web.service import TheService

router = APIRouter(tags=["health"])


class Live(BaseModel):
    """The process answers."""

    status: Annotated[str, Field(examples=["live"])]


class Part(BaseModel):
    """One part that the service needs."""

    name: str
    ready: bool
    required: bool = Field(description="Whether the service is not ready without it.")
    state: str = Field(examples=["loads on first use"])


class Ready(BaseModel):
    """Whether requests may come, and what is not ready."""

    ready: bool
    parts: list[Part]


@router.get("/health/live", summary="Is the process alive?", responses=problems())
async def live() -> Live:
    """Always 200 while the event loop turns."""
    return Live(status="live")


@router.get(
    "/health/ready",
    summary="May requests come?",
    responses=problems() | {503: {"model": Ready, "description": "Not ready; `parts` says why."}},
)
async def ready(response: Response, service: TheService) -> Ready:
    """503 while a preloaded model loads, or where the model cannot be loaded."""
    found: Readiness = await service.readiness()
    response.status_code = 200 if found.ready else 503
    parts = [Part(name=p.name, ready=p.ready, required=p.required, state=p.state) for p in found.parts]
    return Ready(ready=found.ready, parts=parts)


@router.get(
    "/metrics",
    summary="Prometheus metrics",
    response_class=Response,
    responses=problems() | {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    dependencies=[Depends(requires(Scope.READ))],
)
async def metrics(service: TheService) -> Response:
    """Counts and durations; nothing of any note."""
    return Response(service.metrics.page(), media_type=CONTENT_TYPE_LATEST)
