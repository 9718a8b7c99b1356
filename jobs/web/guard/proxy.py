"""The proxy in front: nobody comes around it, and what it forwards of a client is believed."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from jobs.web.guard.refusal import is_open, refuse
from jobs.web.problems import ProblemError


class BehindProxy:
    """Refuses who does not come through the proxy; after it, the request shows the client's own address.

    Args:
        app: what stands behind.
        proxies: addresses and networks whose forwarded headers are believed; without any, all come directly.
        direct: clients may come past the proxy, since the service has TLS of its own or is for anyone.
    """

    def __init__(self, app: ASGIApp, *, proxies: Sequence[str] = (), direct: bool = False) -> None:
        names = list(proxies)
        self._asks = bool(names) and not direct
        self._proxies = [ip_network(name) for name in (*names, "127.0.0.0/8", "::1")]
        inner: Any = app
        self._app: Any = ProxyHeadersMiddleware(inner, names) if names else app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, with the peer's own address still in it."""
        if scope["type"] == "http" and self._asks and not is_open(scope["path"]):
            peer = scope.get("client")
            if peer and not _within(peer[0], self._proxies):
                await refuse(ProblemError("not-behind-proxy"), scope, receive, send)
                return
        await self._app(scope, receive, send)


def _within(host: str, networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)  # what a socket for both kinds says of an IPv4 peer
    return any((mapped or address) in network for network in networks)
