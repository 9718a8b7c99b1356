"""The application: routes, error answers and what stands before them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from fhir_adapter.errors import FhirAdapterError
from jobs.ledger.rows import LedgerError
from jobs.public_keys import published_keys
from jobs.runtime import software_version
from jobs.settings import Settings
from jobs.web import routes
from jobs.web.guard.access import Access, access_from
from jobs.web.guard.body import BodyLimit
from jobs.web.guard.gate import Gate
from jobs.web.guard.observed import Observed
from jobs.web.guard.proxy import BehindProxy
from jobs.web.metrics import Metrics
from jobs.web.openapi import openapi_document
from jobs.web.parameters import known_parameters
from jobs.web.problems import ProblemError, answer, from_error
from jobs.web.service import Options, running
from jobs.web.views.pages import PATIENTS, STATIC, SUMMARISE

_BODIES = 8  # of the largest size may be in memory at a time

DESCRIPTION = """Highlights the sentences that matter in clinical notes, verbatim: each with its place in the
note, counted in Unicode code points. Extracted by a machine, unverified; not a substitute for the note."""


def create_app(settings: Settings, options: Options | None = None, access: Access | None = None) -> FastAPI:
    """The whole service as an ASGI application; its parts are made when it starts.

    Args:
        settings: of the process.
        options: how it serves.
        access: who may do what; by the settings if not given.

    Raises:
        SettingsError: the settings for access are not complete, or a key that is to be published cannot be.
    """
    options = options or Options()
    access = access or access_from(settings, demo=options.demo)
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with running(settings, options, metrics) as service:
            app.state.service = service
            shared = bool(settings.session_secret.get_secret_value()) and not options.demo
            if shared:
                access.sessions.share(service.ledger)
            access.launched.keep_on(service.shelf, service.smart.revived)
            try:
                yield
            finally:
                await access.launched.leave_all(end=not shared)

    app = FastAPI(
        title="Clinical AI Summarizer",
        version=software_version(),
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        # Its records hold messages of errors and queries of requests; ours are in `guard`.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.options, app.state.access, app.state.metrics = options, access, metrics
    app.state.jwks = {"keys": [key.public() for key in published_keys(settings).values()]}
    found = routes.routers(demo=options.demo)
    for router in found:
        app.include_router(router, dependencies=[Depends(known_parameters)])
    # Pages are not packed: of texts with a secret the packed length tells too much (BREACH).
    app.mount("/static", GZipMiddleware(_Static(directory=STATIC)), name="static")
    app.state.first = PATIENTS if settings.server_named and not options.demo else SUMMARISE
    app.state.paths = frozenset(r.path for router in found for r in router.routes if isinstance(r, APIRoute))
    app.openapi = partial(openapi_document, app)  # type: ignore[method-assign]
    answer_problems(app)
    guard(app, settings, options, access, metrics)
    return app


def answer_problems(app: FastAPI) -> None:
    """Has an application answer expected errors as problems."""
    for error in (ProblemError, FhirAdapterError, LedgerError, RequestValidationError, HTTPException):
        app.add_exception_handler(error, _answer_problem)


async def _answer_problem(request: Request, error: Exception) -> Response:
    problem = from_error(error)
    request.app.state.metrics.refused(problem.code)
    return answer(request, problem)


class _Static(StaticFiles):
    """Static files: kept for good under an address that names their content, else asked for again each time.

    Scripts import each other by plain names; so parts of two versions never meet in a browser.
    """

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        scope = args[2] if len(args) > 2 else kwargs["scope"]
        named = isinstance(scope, dict) and b"v=" in scope.get("query_string", b"")
        response.headers["Cache-Control"] = (
            "public, max-age=31536000, immutable" if named else "public, no-cache"
        )
        return response


def guard(app: FastAPI, settings: Settings, options: Options, access: Access, metrics: Metrics) -> None:
    """Adds the middlewares; the last one added is the first to see a request."""
    app.add_middleware(
        BodyLimit,
        max_bytes=settings.max_bytes,
        all_bytes=_BODIES * settings.max_bytes,
        seconds=settings.serve_timeout,
    )
    app.add_middleware(
        Gate,
        access=access,
        hosts=options.hosts,
        rate=settings.serve_rate,
    )
    app.add_middleware(
        BehindProxy,
        proxies=settings.serve_proxy,
        direct=bool(settings.serve_certificate) or options.demo,
    )
    app.add_middleware(Observed, metrics=metrics, frames=settings.serve_frame_ancestors)
