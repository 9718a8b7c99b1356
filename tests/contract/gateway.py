"""A gateway in front of a FHIR server, as a hospital has one: it tells where to log in and looks at tokens.

What it lets by goes to the FHIR server as it came, under the gateway's own name, so that the addresses in the
answers are the gateway's.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fhir_adapter.sandbox.running import PromptServer

DISCOVERY = "/.well-known/smart-configuration"
_LETTERS = {"GET": "rs", "HEAD": "rs", "POST": "c", "PUT": "cu", "PATCH": "u", "DELETE": "d"}
_OF_THE_CONNECTION = {"content-length", "content-encoding", "transfer-encoding", "connection"}

Verdict = tuple[int, str]
"""The status with which a request ends, and why; 200 lets it by."""


@dataclass
class Gateway:
    """The gateway of one test.

    Attributes:
        upstream: base URL of the FHIR server; its path is the gateway's too.
        checks: tells what a bearer token is worth, "" where none came: 200 and its scopes, or a refusal.
        configuration: what is said about logging in; None for nothing.
        endpoint: answers the form that comes to `/token`; for tests without a real one.
        pause: seconds before each write is passed on.
        tokens: every token that was let by, in the order of its first use.
        refused: each refusal, as (status, why).
    """

    upstream: str
    checks: Callable[[str], Verdict]
    configuration: dict[str, Any] | None = None
    endpoint: Callable[[Request, dict[str, str]], tuple[int, dict[str, Any]]] | None = None
    pause: float = 0.0
    tokens: list[str] = field(default_factory=list)
    refused: list[Verdict] = field(default_factory=list)
    origin: str = ""
    http: httpx.AsyncClient = field(init=False)

    @property
    def base_url(self) -> str:
        """Where the FHIR server is reached through it."""
        return self.origin + httpx.URL(self.upstream).path

    async def answer(self, request: Request) -> Response:
        path = request.url.path
        if path.endswith(DISCOVERY):
            return JSONResponse(self.configuration) if self.configuration else Response(status_code=404)
        if path == "/token" and self.endpoint:
            form = dict(parse_qsl((await request.body()).decode()))
            status, body = self.endpoint(request, form)
            return JSONResponse(body, status)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        status, said = self.checks(token if scheme.lower() == "bearer" else "")
        if status == 200 and said and not permits(said, request.method, path):
            status, said = 403, "insufficient_scope"
        if status != 200:
            self.refused.append((status, said))
            return Response(status_code=status, headers={"WWW-Authenticate": f'Bearer error="{said}"'})
        if token not in self.tokens:
            self.tokens.append(token)
        if request.method in ("POST", "PUT"):
            await asyncio.sleep(self.pause)
        return await self._forwarded(request)

    async def _forwarded(self, request: Request) -> Response:
        where = httpx.URL(self.upstream).copy_with(raw_path=_raw_path(request))
        sent = [(k, v) for k, v in request.headers.items() if k not in ("authorization", "accept-encoding")]
        got = await self.http.request(request.method, where, headers=sent, content=await request.body())
        kept = {k: v for k, v in got.headers.items() if k not in _OF_THE_CONNECTION}
        return Response(got.content, got.status_code, kept)


def _raw_path(request: Request) -> bytes:
    raw: bytes = request.scope["raw_path"]
    query: bytes = request.scope["query_string"]
    return raw + b"?" + query if query else raw


def permits(scopes: str, method: str, path: str) -> bool:
    """Whether scopes of SMART 2 allow a request; a transaction only names what is in it inside."""
    kind = path.removeprefix("/fhir").strip("/").partition("/")[0]
    if kind in ("", "metadata"):
        return True
    wanted = "rs" if path.endswith("/_search") else _LETTERS[method]
    given = [scope.partition(".") for scope in scopes.split()]
    letters = "".join(verbs for subject, _, verbs in given if subject in (f"system/{kind}", "patient/*"))
    return any(letter in letters for letter in wanted)


@contextmanager
def running(gateway: Gateway) -> Iterator[Gateway]:
    """The gateway on a free port of this machine."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with httpx.AsyncClient(timeout=120, trust_env=False, verify=False) as gateway.http:
            yield

    app = Starlette(lifespan=lifespan, routes=[Route("/{path:path}", gateway.answer, methods=list(_LETTERS))])
    config = uvicorn.Config(app, port=0, log_config=None, access_log=False, server_header=False)
    server = PromptServer(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            thread.join(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        gateway.origin = f"http://127.0.0.1:{port}"
        yield gateway
    finally:
        server.end()
        thread.join()
