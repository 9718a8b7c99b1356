"""The HTTP face: routes, headers and content negotiation over the interactions."""

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from fhir_adapter.sandbox.embedded.binary import binary_of, raw_content, wants_resource
from fhir_adapter.sandbox.embedded.bundles import shown
from fhir_adapter.sandbox.embedded.capability import SOFTWARE, capability_statement
from fhir_adapter.sandbox.embedded.document import document
from fhir_adapter.sandbox.embedded.export_routes import ExportRoutes
from fhir_adapter.sandbox.embedded.interactions import Interactions, WriteResult, check_type
from fhir_adapter.sandbox.embedded.jsontext import Json, read_object, write_json
from fhir_adapter.sandbox.embedded.negotiation import (
    check_request_format,
    check_response_format,
    fhir_response,
    outcome_response,
    version_headers,
)
from fhir_adapter.sandbox.embedded.outcome import RequestRefusedError, invalid, not_found
from fhir_adapter.sandbox.embedded.paging import Shape
from fhir_adapter.sandbox.embedded.search import Answer, Pairs, Searcher
from fhir_adapter.sandbox.embedded.session import Session, Version
from fhir_adapter.sandbox.embedded.store import Store
from fhir_adapter.sandbox.embedded.transaction import BundleProcessor
from fhir_adapter.sandbox.embedded.when import instant_text, now_milliseconds
from fhir_adapter.sandbox.settings import NOT_THERE, Quirk, SandboxSettings

_logger = logging.getLogger(__name__)
_READERS = 4
T = TypeVar("T")
Handler = Callable[[Request], Awaitable[Response]]


def create_app(settings: SandboxSettings) -> Starlette:
    """The ASGI application. Its database opens here and closes with the application's lifespan.

    Raises:
        SandboxError: the database cannot be opened.
    """
    server = Server(settings, Store(settings.database))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        server.close()

    return Starlette(
        routes=server.routes(),
        lifespan=lifespan,
        exception_handlers={RequestRefusedError: _refused, HTTPException: _http_error},
    )


class Server:
    """Answers requests. Database work runs in threads: one for writers, a few for readers."""

    def __init__(self, settings: SandboxSettings, store: Store) -> None:
        self._settings = settings
        self._store = store
        self._searcher = Searcher(settings)
        self._interactions = Interactions(settings, self._searcher)
        self._bundles = BundleProcessor(settings, store, self._searcher, self._interactions)
        self._writing = ThreadPoolExecutor(1, thread_name_prefix="sandbox-writer")
        self._reading = ThreadPoolExecutor(_READERS, thread_name_prefix="sandbox-reader")
        self._started = instant_text(now_milliseconds())
        self._exporting = ExportRoutes(settings.export, self._read_with, self._base)

    def close(self) -> None:
        """Finishes the work in hand and closes the database."""
        self._writing.shutdown()
        self._reading.shutdown()
        self._store.close()

    def routes(self) -> list[Route]:
        """All routes."""
        base = self._settings.base_path
        exports = self._exporting.table() if self._settings.export.offered else []
        table: list[tuple[str, dict[str, Handler]]] = [
            *exports,
            ("", {"GET": self._system_get, "POST": self._bundle}),
            ("/metadata", {"GET": self._metadata}),
            ("/_history", {"GET": self._history}),
            ("/{type}", {"GET": self._search, "POST": self._create, "PUT": self._update_conditional}),
            ("/{type}/_search", {"GET": self._search, "POST": self._search}),
            ("/{type}/_history", {"GET": self._history}),
            ("/{type}/{id}", {"GET": self._read, "PUT": self._update, "DELETE": self._delete}),
            ("/{type}/{id}/_history", {"GET": self._history}),
            ("/{type}/{id}/_history/{version}", {"GET": self._vread}),
            ("/Composition/{id}/$document", {"GET": self._document}),
        ]
        routes = [Route("/", _welcome(base))]
        for path, handlers in table:
            for form in (base + path, base + path + "/"):
                routes.append(Route(form, _by_method(handlers, self._settings), methods=list(handlers)))
        return routes

    async def _metadata(self, request: Request) -> Response:
        statement = capability_statement(self._settings, self._base(request), self._started)
        shape = _shape_of(request)
        if not shape.elements:
            return fhir_response(request, write_json(statement))
        kept = {k: v for k, v in statement.items() if k in ("resourceType", *shape.elements)}
        return fhir_response(request, write_json(kept))

    async def _system_get(self, request: Request) -> Response:
        pairs = _query(request)
        if not any(name == "_getpages" for name, _ in pairs):
            raise invalid("A search across all types is not supported: name a type, as in /Patient.")
        base = self._base(request)
        return _bundle_response(
            request, await self._read_with(lambda session: self._searcher.page(session, base, pairs))
        )

    async def _bundle(self, request: Request) -> Response:
        body, base = await self._body(request), self._base(request)
        representation = "return=representation" in request.headers.get("prefer", "")
        text = await self._run(
            self._writing,
            lambda: self._bundles.process(read_object(body), base, representation=representation),
        )
        return fhir_response(request, text)

    async def _search(self, request: Request) -> Response:
        resource_type = request.path_params["type"]
        check_type(resource_type)
        pairs, base = _query(request), self._base(request)
        if request.method == "POST":
            pairs = [*pairs, *await self._form(request)]
        fresh = "no-cache" in request.headers.get("cache-control", "")
        return _bundle_response(
            request,
            await self._read_with(
                lambda session: self._searcher.search(session, base, resource_type, pairs, fresh=fresh)
            ),
        )

    async def _history(self, request: Request) -> Response:
        resource_type, id_ = request.path_params.get("type"), request.path_params.get("id")
        pairs, base = _query(request), self._base(request)
        if resource_type is not None:
            check_type(resource_type)

        def work(session: Session) -> Answer:
            if resource_type and id_ and session.current(resource_type, id_) is None:
                raise not_found(f"There is no such {resource_type}.")
            return self._searcher.history(session, base, resource_type, id_, pairs)

        return _bundle_response(request, await self._read_with(work))

    async def _read(self, request: Request) -> Response:
        resource_type, id_ = request.path_params["type"], request.path_params["id"]
        version = await self._read_with(lambda s: self._interactions.read(s, resource_type, id_))
        return self._resource_response(request, version)

    async def _vread(self, request: Request) -> Response:
        resource_type, id_ = request.path_params["type"], request.path_params["id"]
        number = request.path_params["version"]
        version = await self._read_with(lambda s: self._interactions.vread(s, resource_type, id_, number))
        return self._resource_response(request, version)

    async def _document(self, request: Request) -> Response:
        id_, base = request.path_params["id"], self._base(request)
        text = await self._read_with(
            lambda s: document(s, self._interactions.read(s, "Composition", id_), base)
        )
        return fhir_response(request, text)

    async def _create(self, request: Request) -> Response:
        resource_type = request.path_params["type"]
        check_type(resource_type)
        resource = await self._resource(request)
        condition = request.headers.get("if-none-exist")
        written = await self._write_with(
            lambda s: self._interactions.create(s, resource_type, resource, condition)
        )
        return self._written_response(request, written)

    async def _update(self, request: Request) -> Response:
        resource_type, id_ = request.path_params["type"], request.path_params["id"]
        check_type(resource_type)
        resource = await self._resource(request)
        if_match = request.headers.get("if-match")
        written = await self._write_with(
            lambda s: self._interactions.update(s, resource_type, id_, resource, if_match)
        )
        return self._written_response(request, written)

    async def _update_conditional(self, request: Request) -> Response:
        resource_type, pairs = request.path_params["type"], _query(request)
        check_type(resource_type)
        resource = await self._resource(request)
        if_match = request.headers.get("if-match")
        written = await self._write_with(
            lambda s: self._interactions.update_conditional(s, resource_type, pairs, resource, if_match)
        )
        return self._written_response(request, written)

    async def _delete(self, request: Request) -> Response:
        resource_type, id_ = request.path_params["type"], request.path_params["id"]
        if_match = request.headers.get("if-match")
        written = await self._write_with(lambda s: self._interactions.delete(s, resource_type, id_, if_match))
        headers = {"ETag": written.version.etag} if written.version else {}
        return Response(status_code=204, headers=headers)

    def _resource_response(self, request: Request, version: Version) -> Response:
        headers = version_headers(version)
        if version.etag in [part.strip() for part in request.headers.get("if-none-match", "").split(",")]:
            return Response(status_code=304, headers=headers)
        body = version.body or "{}"
        asked = (request.headers.get("accept", ""), request.headers.get("content-type", ""))
        if version.type == "Binary" and not wants_resource(*asked, request.query_params.get("_format", "")):
            raw = raw_content(read_object(body))
            if raw is not None:
                # Whatever was uploaded is for saving, not for a browser to run.
                safe = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
                return Response(raw.data, headers={**headers, **safe, "Content-Type": raw.media_type})
        return fhir_response(request, shown(body, _shape_of(request)), headers=headers)

    def _written_response(self, request: Request, written: WriteResult) -> Response:
        version = written.version
        assert version is not None
        headers = {**version_headers(version), "Location": f"{self._base(request)}/{version.location}"}
        bare = Quirk.DOCUMENTS_ONLY in self._settings.quirks
        if bare or "return=minimal" in request.headers.get("prefer", ""):
            return Response(status_code=written.status, headers=headers)
        return fhir_response(request, version.body or "{}", status=written.status, headers=headers)

    async def _resource(self, request: Request) -> Json:
        body = await self._body(request)
        if request.path_params["type"] == "Binary":
            return binary_of(body, request.headers.get("content-type", ""), request.path_params.get("id"))
        check_request_format(request)
        return read_object(body)

    async def _form(self, request: Request) -> Pairs:
        body = await self._body(request)
        return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)

    async def _body(self, request: Request) -> bytes:
        pieces: list[bytes] = []
        size = 0
        async for piece in request.stream():
            size += len(piece)
            if size > self._settings.max_body:
                raise RequestRefusedError(413, "too-long", "The body is larger than this server takes.")
            pieces.append(piece)
        return b"".join(pieces)

    def _base(self, request: Request) -> str:
        return f"{request.url.scheme}://{request.url.netloc}{self._settings.base_path}"

    async def _read_with(self, work: Callable[[Session], T]) -> T:
        def run() -> T:
            with self._store.reading() as session:
                return work(session)

        return await self._run(self._reading, run)

    async def _write_with(self, work: Callable[[Session], T]) -> T:
        def run() -> T:
            with self._store.writing() as session:
                return work(session)

        return await self._run(self._writing, run)

    async def _run(self, executor: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(executor, work)


def _by_method(handlers: dict[str, Handler], settings: SandboxSettings) -> Handler:
    refuses_prefer = settings.refusal if "Prefer" in settings.refused else 0

    async def endpoint(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        try:
            check_response_format(request)
            if refuses_prefer and "prefer" in request.headers:
                raise RequestRefusedError(refuses_prefer, "not-supported", "This server takes no Prefer.")
            if Quirk.DOCUMENTS_ONLY in settings.quirks:
                _check_kept(request)
            return await handlers[method](request)
        except (RequestRefusedError, HTTPException, ClientDisconnect):
            raise
        except Exception as error:
            return _crashed(request, error)

    return endpoint


def _check_kept(request: Request) -> None:
    """Raises 404 for a type that a server of documents does not have, and for a transaction."""
    kind = request.path_params.get("type", "")
    if kind in NOT_THERE or "$document" in request.url.path:
        raise not_found("This server does not have this type.")
    if not kind and request.method == "POST":
        raise not_found("This server takes no transactions and no batches.")


def _welcome(base_path: str) -> Handler:
    async def welcome(request: Request) -> Response:
        base = f"{request.url.scheme}://{request.url.netloc}{base_path}"
        return PlainTextResponse(
            f"{SOFTWARE}: a FHIR R4 server to try things on.\n\nBase address: {base}\nTry: {base}/metadata\n"
        )

    return welcome


def _query(request: Request) -> Pairs:
    return parse_qsl(request.url.query, keep_blank_values=True)


def _shape_of(request: Request) -> Shape:
    elements = tuple(part for part in request.query_params.get("_elements", "").split(",") if part)
    summary = request.query_params.get("_summary", "")
    return Shape("read", 0, elements=elements, summary=summary if summary in ("data", "text") else "")


def _bundle_response(request: Request, answer: Answer) -> Response:
    headers = {"X-Cache": f"HIT from {SOFTWARE}"} if answer.from_cache else {}
    return fhir_response(request, answer.text, headers=headers)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestRefusedError)
    return outcome_response(request, error.status, error.code, error.diagnostics)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = {404: "not-found", 405: "not-supported"}.get(error.status_code, "processing")
    return outcome_response(request, error.status_code, code, error.detail, headers=error.headers)


def _crashed(request: Request, error: Exception) -> Response:
    if isinstance(error, RecursionError):
        return outcome_response(request, 400, "invalid", "The resource is nested too deeply.")
    # The message of an unforeseen error may hold a patient's data: only its kind and place are told.
    place = traceback.extract_tb(error.__traceback__)[-1]
    _logger.error("request failed: %s at %s:%s", type(error).__name__, place.name, place.lineno)
    return outcome_response(request, 500, "exception", f"The server failed: {type(error).__name__}.")
