"""Where the FHIR server wakes `clinsum run`, and the Subscriptions that have it do so."""

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog
from fastapi import APIRouter, Request, Response

from fhir_adapter.errors import FhirAdapterError
from fhir_adapter.rest.wake import WakeUps
from jobs.schedule import Running
from jobs.settings import Settings
from jobs.web.problems import ProblemError

log = structlog.get_logger("clinsum.run")
router = APIRouter()

PATH = "/wake"
_LOOK = 600.0  # seconds between two looks at whether the Subscriptions still work


def hook_secret(settings: Settings) -> str:
    """What the server shows: made of the service's token, so the same everywhere, or anew."""
    token = settings.service_token.get_secret_value()
    if not token:
        return secrets.token_urlsafe(32)
    return hmac.new(token.encode(), b"clinsum wake", hashlib.sha256).hexdigest()


@router.post(PATH, status_code=204)
@router.put(PATH + "/{rest:path}", status_code=204)
async def wake(request: Request) -> Response:
    """A change on the server: the next pass begins at once. What has changed the pass finds out by itself."""
    shown = request.headers.get("authorization", "").partition(" ")[2].strip()
    if not hmac.compare_digest(shown.encode(), request.app.state.hook_secret.encode()):
        raise ProblemError("unauthorized", headers={"WWW-Authenticate": "Bearer"})
    running: Running = request.app.state.running
    running.wake.set()
    return Response(status_code=204)


@asynccontextmanager
async def woken(settings: Settings, running: Running, secret: str) -> AsyncIterator[None]:
    """Keeps the Subscriptions for as long as the block lasts; without `WAKE_URL` there are none."""
    if not settings.wake_url:
        yield
        return
    endpoint = settings.wake_url.rstrip("/") + PATH
    wake_ups = WakeUps(running.parts.client, settings.resource_types, endpoint, secret)
    keeping = asyncio.create_task(_keep(wake_ups), name="wake-ups")
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        with suppress(FhirAdapterError):
            await wake_ups.end()


async def _keep(wake_ups: WakeUps) -> None:
    while True:
        try:
            if made := await wake_ups.keep():
                log.info("wake-ups", subscriptions=made)
        except FhirAdapterError as error:
            # The passes are the guarantee: they come by the schedule, whatever becomes of this.
            log.warning("no-wake-ups", error=type(error).__name__, message=str(error))
        await asyncio.sleep(_LOOK)
