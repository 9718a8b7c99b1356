"""The outermost middleware: a log line and figures for every answer, and the headers that browsers heed."""

import secrets
import time
from collections.abc import Mapping, Sequence

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jobs.web.metrics import Metrics
from jobs.web.problems import ProblemError, json_answer

log = structlog.get_logger("clinsum.web")

_NO_FRAMES = "frame-ancestors 'none'"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; "
        f"{_NO_FRAMES}; require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_STRICT_TRANSPORT = "max-age=31536000"
_METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH")


class Observed:
    """Outermost: times and counts every answer, adds the headers, and turns what nobody caught into a 500.

    Args:
        app: what stands behind.
        metrics: counts.
        frames: as of `headers`.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, frames: Sequence[str] = ()) -> None:
        self._app, self._metrics = app, metrics
        self._headers = headers(frames)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.monotonic(), 0
        request_id = secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _harden(MutableHeaders(scope=message), scope, self._headers)
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except ClientDisconnect:
            status = status or 499
        except Exception as error:  # a traceback could show parts of a note
            log.error("request-failed", error=type(error).__name__, request_id=request_id)
            if not status:
                problem = ProblemError("internal-error", request_id=request_id)
                await json_answer(problem)(scope, receive, sending)
        self._count(scope, status, time.monotonic() - started, request_id)

    def _count(self, scope: Scope, status: int, seconds: float, request_id: str) -> None:
        route = getattr(scope.get("route"), "path", "") or "none"
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._metrics.answered(method, route, status, seconds)
        if route not in ("/health/live", "/health/ready", "/metrics", "/static"):
            principal = scope.get("state", {}).get("principal")
            client = principal.name if principal else "unknown"
            ms = round(seconds * 1000)
            log.info(
                "request",
                method=method,
                route=route,
                status=status,
                ms=ms,
                client=client,
                request_id=request_id,
            )


def headers(frames: Sequence[str] = ()) -> dict[str, str]:
    """What goes with every answer; `frames` are the origins whose pages may show these in a frame."""
    if not frames:
        return HEADERS
    found = {name: value for name, value in HEADERS.items() if name != "X-Frame-Options"}  # it knows no list
    policy = found["Content-Security-Policy"].replace(_NO_FRAMES, f"frame-ancestors {' '.join(frames)}")
    return found | {"Content-Security-Policy": policy}


def _harden(headers: MutableHeaders, scope: Scope, ours: Mapping[str, str]) -> None:
    for name, value in ours.items():
        headers.setdefault(name, value)
    headers.setdefault("Cache-Control", "no-store")
    if scope.get("scheme") == "https":
        headers.setdefault("Strict-Transport-Security", _STRICT_TRANSPORT)
