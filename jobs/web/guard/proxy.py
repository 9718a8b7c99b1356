"""The proxy in front: nobody comes around it, and of what it forwards only its own word is believed."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from jobs.web.guard.refusal import is_open, refuse
from jobs.web.problems import ProblemError

Network = IPv4Network | IPv6Network


class BehindProxy:
    """Refuses who does not come through the proxy; after it, the request shows the client's own address.

    Args:
        app: what stands behind.
        proxies: addresses and networks whose forwarded headers are believed; without any, all come directly.
        direct: clients may come past the proxy, since the service has TLS of its own or is for anyone.
    """

    def __init__(self, app: ASGIApp, *, proxies: Sequence[str] = (), direct: bool = False) -> None:
        self._app = app
        self._asks = bool(proxies) and not direct
        self._named = networks(tuple(proxies))
        self._near = (*self._named, *networks(("127.0.0.0/8", "::1")))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, with the peer's own address still in it."""
        peer = (scope.get("client") or ("",))[0]
        if scope["type"] == "http" and peer:
            if self._asks and not is_open(scope["path"]) and not within(peer, self._near):
                await refuse(ProblemError("not-behind-proxy"), scope, receive, send)
                return
            if within(peer, self._named):
                scope.update(self._forwarded(Headers(scope=scope)))  # what stands outside sees it too
        await self._app(scope, receive, send)

    def _forwarded(self, headers: Headers) -> dict[str, object]:
        """What the proxy says of the client: its address and scheme, where it says them.

        A proxy adds the address that it saw at the end of `X-Forwarded-For`; what stands before that came
        with the request, and anybody can write it. Only where that address is itself a proxy's, named as
        one address and not as a part of a network in which clients may be too, the entry before counts.
        """
        found: dict[str, object] = {}
        scheme = (headers.getlist("x-forwarded-proto") or [""])[-1].rpartition(",")[2].strip().lower()
        if scheme in ("http", "https"):
            found["scheme"] = scheme
        for entry in reversed(",".join(headers.getlist("x-forwarded-for")).split(",")):
            address = _entry(entry.strip())
            if address is None:
                break
            found["client"] = (str(address), 0)
            if not any(address in network for network in self._named if network.num_addresses == 1):
                break
        return found


@lru_cache
def networks(names: tuple[str, ...]) -> tuple[Network, ...]:
    """The networks of these names; an address is one of a single address."""
    return tuple(ip_network(name) for name in names)


def within(host: str, some: Iterable[Network]) -> bool:
    """Whether this address is in one of the networks; a name, or "", is in none."""
    address = _address(host)
    return address is not None and any(address in network for network in some)


def _entry(text: str) -> IPv4Address | IPv6Address | None:
    """The address of an entry that may have a port: `192.0.2.1:80`, `[2001:db8::1]:80`."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    return _address(text)


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(host)
    except ValueError:
        return None
    # A socket for both kinds says an IPv4 peer in IPv6.
    return getattr(address, "ipv4_mapped", None) or address
