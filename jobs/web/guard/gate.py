"""Host, origin, credentials and rate: what is asked of a request before a route sees it."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from fhir_adapter.rest.access_events import acting
from jobs.ledger.rows import LedgerError
from jobs.web.guard.access import Access
from jobs.web.guard.rate import RateLimit
from jobs.web.guard.refusal import is_open, refuse
from jobs.web.problems import ProblemError, from_error

_SAFE = ("GET", "HEAD", "OPTIONS")


class Gate:
    """Refuses what comes under a foreign name, from a foreign page, or too often; says who asks.

    Args:
        app: what stands behind.
        access: who may do what.
        hosts: names the service answers under; empty for any. With these, a foreign page cannot reach a
            service on this machine by giving its own name this machine's address (DNS rebinding).
        rate: requests a minute of one client; 0 for no limit.
    """

    def __init__(
        self, app: ASGIApp, access: Access, *, hosts: frozenset[str] = frozenset(), rate: int = 0
    ) -> None:
        self._app, self._access, self._hosts = app, access, hosts
        self._rate = RateLimit(rate) if rate else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; its principal is in its state afterwards."""
        if scope["type"] == "http":
            request = Request(scope)
            request.state.principal = self._access.default
            try:
                await self._check(request)
            except (ProblemError, LedgerError) as error:
                await refuse(from_error(error), scope, receive, send)
                return
            acting.set(request.state.principal.known_as if request.state.principal else "")
        await self._app(scope, receive, send)

    async def _check(self, request: Request) -> None:
        """Raises `ProblemError`, the answer, where the request ends here, or `LedgerError`."""
        headers = request.headers
        if self._hosts and _hostname(headers.get("host", "")) not in self._hosts:
            raise ProblemError("unknown-host")
        if request.method not in _SAFE and _cross_site(headers):
            raise ProblemError("cross-site")
        if is_open(request.url.path):
            return
        principal = await self._access.principal(request)
        request.state.principal = principal
        if self._rate:
            address = request.client.host if request.client else "unknown"
            client = f"{principal.name if principal else 'unknown'} {address}"
            if wait := self._rate.wait(client):
                raise ProblemError("too-many-requests", headers={"Retry-After": str(wait)})


def _hostname(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:  # no host at all, such as `[`
        return ""


def _cross_site(headers: Headers) -> bool:
    """Whether a browser says that another site's page sends this. Programs say nothing of the kind."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site:
        return site not in ("same-origin", "none")
    if origin is None:
        return False
    try:
        return urlsplit(origin).netloc != headers.get("host", "")
    except ValueError:  # no origin at all, such as `http://[`
        return True
