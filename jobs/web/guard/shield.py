"""What stands before every route, as ASGI middleware: log, metrics, headers, proxy, host, size, rate limits.

None of it buffers an answer, and nothing of a request but its route's template reaches the log or a metric.
"""

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from jobs.web.guard.access import Access
from jobs.web.metrics import Metrics
from jobs.web.problems import ProblemError, answer, json_answer

log = structlog.get_logger("clinsum.web")

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_STRICT_TRANSPORT = "max-age=31536000"
_OPEN = ("/health/", "/static/")  # probes, and what holds nothing
_SAFE = ("GET", "HEAD", "OPTIONS")


class Observed:
    """Outermost: times and counts every answer, adds the headers, and turns what nobody caught into a 500."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.monotonic(), 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _harden(MutableHeaders(scope=message), scope)
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except ClientDisconnect:
            status = status or 499
        except Exception as error:  # a traceback could show parts of a note
            log.error("request-failed", error=type(error).__name__)
            if not status:
                problem = ProblemError("internal-error")
                await json_answer(problem)(scope, receive, sending)
        self._count(scope, status, time.monotonic() - started)

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "") or "none"
        method = scope["method"] if scope["method"] in (*_SAFE, "POST", "PUT", "DELETE", "PATCH") else "other"
        self._metrics.answered(method, route, status, seconds)
        if route not in ("/health/live", "/health/ready", "/metrics", "/static"):
            principal = scope.get("state", {}).get("principal")
            client = principal.name if principal else "unknown"
            ms = round(seconds * 1000)
            log.info("request", method=method, route=route, status=status, ms=ms, client=client)


def _harden(headers: MutableHeaders, scope: Scope) -> None:
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    headers.setdefault("Cache-Control", "no-store")
    if scope.get("scheme") == "https":
        headers.setdefault("Strict-Transport-Security", _STRICT_TRANSPORT)


class Gate:
    """Refuses what comes around the proxy, under a foreign name, from a foreign page, or too often.

    Args:
        proxies: addresses and networks whose forwarded headers are believed; where there are any and
            `direct` is false, others than these and this machine are refused.
        direct: clients may come past the proxy, since the service has TLS of its own or is for anyone.
        hosts: names the service answers under; empty for any. With these, a foreign page cannot reach a
            service on this machine by giving its own name this machine's address (DNS rebinding).
        rate: requests a minute of one client; 0 for no limit.
    """

    def __init__(
        self,
        app: ASGIApp,
        access: Access,
        *,
        proxies: Iterable[str] = (),
        direct: bool = False,
        hosts: frozenset[str] = frozenset(),
        rate: int = 0,
    ) -> None:
        self._access, self._direct, self._hosts = access, direct, hosts
        names = list(proxies)
        self._proxies = [ip_network(name) for name in (*names, "127.0.0.0/8", "::1")] if names else []
        inner: Any = _Inner(app, self)
        self._app: Any = ProxyHeadersMiddleware(inner, names) if names else inner
        self._rate = RateLimit(rate) if rate else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, with the peer's own address still in it."""
        if scope["type"] == "http" and self._proxies and not self._direct and not _open(scope["path"]):
            peer = scope.get("client")
            if peer and not _within(peer[0], self._proxies):
                await _refuse(ProblemError("not-behind-proxy"), scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def check(self, request: Request) -> None:
        """After the proxy's headers: host, origin, credentials, rate.

        Raises:
            ProblemError: the answer, where it ends here.
        """
        headers = request.headers
        if self._hosts and _hostname(headers.get("host", "")) not in self._hosts:
            raise ProblemError("unknown-host")
        if request.method not in _SAFE and _cross_site(headers):
            raise ProblemError("cross-site")
        if _open(request.url.path):
            return
        principal = await self._access.principal(request)
        request.state.principal = principal
        if self._rate:
            address = request.client.host if request.client else "unknown"
            client = f"{principal.name if principal else 'unknown'} {address}"
            if wait := self._rate.wait(client):
                raise ProblemError("too-many-requests", headers={"Retry-After": str(wait)})


class _Inner:
    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self._app, self._gate = app, gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            request = Request(scope)
            request.state.principal = self._gate._access.default
            try:
                await self._gate.check(request)
            except ProblemError as problem:
                await _refuse(problem, scope, receive, send)
                return
        await self._app(scope, receive, send)


def _within(host: str, networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)  # what a socket for both kinds says of an IPv4 peer
    return any((mapped or address) in network for network in networks)


def _open(path: str) -> bool:
    return path.startswith(_OPEN)


def _hostname(host: str) -> str:
    return urlsplit(f"//{host}").hostname or "" if host else ""


def _cross_site(headers: Headers) -> bool:
    """Whether a browser says that another site's page sends this. Programs say nothing of the kind."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site:
        return site not in ("same-origin", "none")
    return origin is not None and urlsplit(origin).netloc != headers.get("host", "")


async def _refuse(problem: ProblemError, scope: Scope, receive: Receive, send: Send) -> None:
    scope["app"].state.metrics.refused(problem.code)
    await answer(Request(scope), problem)(scope, receive, send)


class RateLimit:
    """A token bucket for each client: a minute's share at once, then evenly (bounded in memory).

    Args:
        a_minute: requests of one client.
        clients: so many are remembered, the latest.
    """

    def __init__(self, a_minute: int, clients: int = 10_000) -> None:
        self._full, self._clients = float(a_minute), clients
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, client: str, now: float | None = None) -> int:
        """Takes one request; 0, or the whole seconds to wait until the next one is allowed."""
        now = time.monotonic() if now is None else now
        level, since = self._buckets.pop(client, (self._full, now))
        level = min(self._full, level + (now - since) * self._full / 60)
        allowed = level >= 1
        self._buckets[client] = (level - 1 if allowed else level, now)
        if len(self._buckets) > self._clients:
            self._buckets.popitem(last=False)
        return 0 if allowed else max(1, math.ceil((1 - level) * 60 / self._full))


class BodyLimit:
    """Ends a request whose body is too large or does not arrive in time, and bounds what all of them hold.

    Args:
        max_bytes: of one body.
        all_bytes: of the bodies of all requests in hand; beyond these, 503.
        seconds: within which a body has to be there.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, all_bytes: int, seconds: float) -> None:
        self._app, self._max, self._all, self._seconds = app, max_bytes, all_bytes, seconds
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "0")
        if not length.isdecimal() or int(length) > self._max:
            await _refuse(self._too_large(), scope, receive, send)
            return
        body = _Body(self, receive, asyncio.get_running_loop().time() + self._seconds)
        try:
            await self._app(scope, body.receive, send)
        finally:
            self._held -= body.arrived

    def take(self, size: int, arrived: int) -> None:
        """Counts what arrived of a body."""
        self._held += size
        if arrived > self._max:
            raise self._too_large()
        if self._held > self._all:
            raise ProblemError("queue-full", "The bodies of the requests in hand are as large as may be.")

    def _too_large(self) -> ProblemError:
        return ProblemError("too-large", f"At most {self._max} bytes.")


class _Body:
    """The body of one request as it arrives."""

    def __init__(self, limit: BodyLimit, receive: Receive, deadline: float) -> None:
        self._limit, self._receive, self._deadline = limit, receive, deadline
        self._complete = False
        self.arrived = 0

    async def receive(self) -> Message:
        """The next message; once the body is there, that the client left."""
        if self._complete:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            raise ProblemError("slow-request") from None
        size = len(message.get("body", b""))
        self.arrived += size
        self._limit.take(size, self.arrived)
        self._complete = not message.get("more_body", False)
        return message
