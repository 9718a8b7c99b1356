"""What `clinsum run` serves beside its passes: its metrics and its health, and where it is woken."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial

import structlog
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from jobs.ledger.ledger import Ledger
from jobs.monitoring.figures import Moments, Observer
from jobs.runtime import software_version
from jobs.schedule import Running
from jobs.settings import Settings
from jobs.web.app import answer_problems, guard
from jobs.web.guard.access import Access, Scope, access_from, check_exposure, is_loopback, requires
from jobs.web.metrics import Metrics
from jobs.web.routes.health import Live, Part, Passes, Ready, shown_to
from jobs.web.server import Server, listener
from jobs.web.service import Options
from jobs.web.waking import hook_secret, woken
from jobs.web.waking import router as waking

log = structlog.get_logger("clinsum.run")

router = APIRouter()


def check_address(settings: Settings) -> Access:
    """Who may ask at `RUN_ADDRESS`, before anything is begun.

    Raises:
        SettingsError: others could ask there, and the settings do not say who they are.
    """
    access = access_from(settings)
    check_exposure(_host_and_port(settings)[0], settings, access)
    return access


def _host_and_port(settings: Settings) -> tuple[str, int]:
    host, _, port = settings.run_address.rpartition(":")
    return host.strip("[]"), int(port)


@asynccontextmanager
async def serving(settings: Settings, access: Access, running: Running) -> AsyncIterator[None]:
    """Serves at `RUN_ADDRESS` for as long as the block lasts.

    Raises:
        UsageError: the port cannot be used.
    """
    host, port = _host_and_port(settings)
    app = create_app(settings, access, running)
    server = _Beside(app, settings)
    with listener(host, port) as listening:
        task = asyncio.create_task(server.serve(sockets=[listening]), name="beside")
        log.info("serving", host=host, port=listening.getsockname()[1])
        try:
            async with woken(settings, running, app.state.hook_secret):
                yield
        finally:
            server.should_exit = True
            await task


def create_app(settings: Settings, access: Access, running: Running) -> FastAPI:
    """The application; its parts are those of the passes."""
    app = FastAPI(title="clinsum run", version=software_version(), docs_url=None, openapi_url=None)
    parts, metrics = running.parts, Metrics()
    metrics.watch_loaded(lambda: parts.scorer.ready)

    async def ledger() -> Ledger:
        return parts.ledger

    moments = partial(_moments, running)
    app.state.access, app.state.metrics, app.state.running = access, metrics, running
    app.state.observer = Observer(settings, parts.client, ledger, moments)
    app.state.hook_secret = hook_secret(settings)
    app.include_router(router)
    app.include_router(waking)
    host = _host_and_port(settings)[0]
    near = frozenset({"localhost", "127.0.0.1", "::1", host}) if is_loopback(host) else frozenset[str]()
    answer_problems(app)
    guard(app, settings, Options(hosts=frozenset() if access.asks else near), access, metrics)
    return app


def _moments(running: Running) -> Moments:
    return Moments(running.heart.good, running.heart.sign)


@router.get("/health/live")
async def live() -> Live:
    """The event loop turns."""
    return Live(status="live")


@router.get("/health/ready", response_model_exclude_none=True)
async def ready(request: Request, response: Response) -> Ready:
    """503 until a pass was completed, and where the ledger does not answer."""
    running: Running = request.app.state.running
    found = await request.app.state.observer.figures()
    passed = running.heart.good is not None
    parts = [
        Part(
            name="passes", ready=passed, required=True, state="completed" if passed else "none completed yet"
        ),
        Part(
            name="model",
            ready=True,
            required=False,
            state="ready" if running.parts.scorer.ready else "loads with the first note",
        ),
    ]
    for name in ("ledger", "server"):
        if name in found.up:
            state = "answers" if found.up[name] else "does not answer"
            parts.append(Part(name=name, ready=found.up[name], required=name == "ledger", state=state))
    well = all(part.ready for part in parts if part.required)
    response.status_code = 200 if well else 503
    passes = Passes.of(found) if shown_to(request.state.principal) else None
    return Ready(ready=well, parts=parts, passes=passes)


@router.get("/metrics", dependencies=[Depends(requires(Scope.READ))])
async def metrics(request: Request) -> Response:
    """As of `clinsum serve`."""
    shown: Metrics = request.app.state.metrics
    page = shown.page(await request.app.state.observer.figures())
    return Response(page, media_type=CONTENT_TYPE_LATEST)


class _Beside(Server):
    """Leaves the signals to the schedule."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Takes none."""
        yield

    def handle_exit(self, sig: int, frame: object) -> None:
        """The schedule ends it."""
