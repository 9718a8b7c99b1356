"""`/health/live`, `/health/ready` and `/metrics`: what an orchestrator and a monitor ask."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, Field

from jobs.monitoring.figures import Figures
from jobs.web.answers import problems
from jobs.web.guard.access import Principal, Scope, requires
from jobs.web.readiness import Readiness
from jobs.web.service import TheService

router = APIRouter(tags=["health"])


class Live(BaseModel):
    """The process answers."""

    status: Annotated[str, Field(examples=["live"])]


class Part(BaseModel):
    """One part that the service needs."""

    name: str = Field(examples=["model"])
    ready: bool
    required: bool = Field(description="Whether the service is not ready without it.")
    state: str = Field(examples=["loads on first use"])


class Passes(BaseModel):
    """What the passes of `clinsum run` have come to; numbers alone."""

    notes: dict[str, int] = Field(description="By how they ended.", examples=[{"written": 118, "failed": 2}])
    failed: dict[str, int] = Field(description="Of those that failed, by reason.", examples=[{"timeout": 2}])
    lag_seconds: dict[str, float] = Field(
        description="By type of resource: how long the oldest change that no pass has handled has waited.",
        examples=[{"DocumentReference": 0.0}],
    )
    last_good_pass: datetime | None = Field(None, description="When one was last completed, where known.")
    tokens_end: dict[str, datetime] = Field(
        description="When the tokens in hand for the FHIR server end; most are renewed by themselves."
    )

    @classmethod
    def of(cls, found: Figures) -> "Passes":
        """The figures as JSON shows them."""
        failed = {reason: count for (status, reason), count in found.notes.items() if status == "failed"}
        good = found.moments.good
        return cls(
            notes=found.by_status(),
            failed=failed,
            lag_seconds={kind: round(seconds, 1) for kind, seconds in found.lag.items()},
            last_good_pass=None if good is None else datetime.fromtimestamp(good, UTC),
            tokens_end={name: datetime.fromtimestamp(at, UTC) for name, at in found.tokens.items()},
        )


class Ready(BaseModel):
    """Whether requests may come, and what is not ready."""

    ready: bool
    parts: list[Part]
    passes: Passes | None = Field(
        None, description="Where no credentials are asked for; else see `/metrics`."
    )


def shown_to(principal: Principal | None) -> bool:
    """Probes are answered without credentials; figures are for who may read, and for a machine's own."""
    return principal is not None and Scope.READ in principal.scopes


@router.get("/health/live", summary="Is the process alive?", responses=problems())
async def live() -> Live:
    """Always 200 while the event loop turns."""
    return Live(status="live")


@router.get(
    "/health/ready",
    summary="May requests come?",
    response_model_exclude_none=True,
    responses=problems() | {503: {"model": Ready, "description": "Not ready; `parts` says why."}},
)
async def ready(request: Request, response: Response, service: TheService) -> Ready:
    """503 while a preloaded model loads, or where the model cannot be loaded."""
    found: Readiness = await service.readiness()
    response.status_code = 200 if found.ready else 503
    parts = [Part(name=p.name, ready=p.ready, required=p.required, state=p.state) for p in found.parts]
    told = shown_to(request.state.principal) and not service.options.demo
    passes = Passes.of(await service.figures()) if told else None
    return Ready(ready=found.ready, parts=parts, passes=passes)


@router.get(
    "/metrics",
    summary="Prometheus metrics",
    response_class=Response,
    responses=problems() | {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    dependencies=[Depends(requires(Scope.READ))],
)
async def metrics(service: TheService) -> Response:
    """Counts, durations and moments; nothing of any note."""
    return Response(service.metrics.page(await service.figures()), media_type=CONTENT_TYPE_LATEST)
