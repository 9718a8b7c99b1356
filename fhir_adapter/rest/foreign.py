"""Attachments on hosts other than the FHIR server: only listed hosts, never credentials.

Each host name is resolved here, every address it has is checked, and the connection goes to the address
that was checked, so that a name cannot mean one thing for the check and another for the connection.
"""

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from itertools import count

import httpx

from fhir_adapter.errors import NoteError, OutsideBaseError
from fhir_adapter.reasons import Reason
from fhir_adapter.rest.backoff import Backoff
from fhir_adapter.rest.scope import origin_of, parsed
from fhir_adapter.rest.tls import tls_context
from fhir_adapter.rest.transport import Call, RawResponse, Transport

_PORTS = {"http": 80, "https": 443}
# Addresses of cloud metadata services that lie outside the link-local range.
_METADATA = frozenset(map(ipaddress.ip_address, ("100.100.100.200", "192.0.0.192", "fd00:ec2::254")))
_METADATA_NAMES = frozenset(
    ("metadata", "metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal")
)
# IPv6 networks whose last 32 bits are an IPv4 address: NAT64 (RFC 6052), and the old ways of writing one.
_CARRYING = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "::/96", "::ffff:0:0:0/96")))
# RFC 8215: what lies behind is the network's own affair.
_NAT64_LOCAL = ipaddress.IPv6Network("64:ff9b:1::/48")
_CONNECTIONS = 4
_HOSTS_IN_A_ROW = 4
_ERROR_BODY = 1 << 20


class ForeignHosts:
    """Fetches from listed hosts; one connection pool per host, so that TLS is checked for each by name."""

    def __init__(
        self, *, backoff: Backoff, timeout: float, sleep: Callable[[float], Awaitable[object]]
    ) -> None:
        self._backoff = backoff
        self._timeout = timeout
        self._sleep = sleep
        self._pools: dict[str, httpx.AsyncClient] = {}

    async def aclose(self) -> None:
        """Closes all connections."""
        for pool in self._pools.values():
            await pool.aclose()
        self._pools.clear()

    async def fetch(
        self, url: str, *, accept: str, max_bytes: int, allowed_hosts: Collection[str], allow_private: bool
    ) -> RawResponse:
        """The bytes behind `url`, each redirect checked like the first address.

        Args:
            url: absolute http or https address.
            accept: the Accept header.
            max_bytes: limit on the decoded body.
            allowed_hosts: `host`, for the port of the scheme, or `host:port`.
            allow_private: also loopback and private networks; link-local and metadata addresses never.

        Raises:
            NoteError: FOREIGN_HOST, with what was wrong with the address.
            FhirAdapterError: as in `Transport.send`.
        """
        for _ in range(_HOSTS_IN_A_ROW):
            target = parsed(url)
            if target is None or not listed(target, allowed_hosts):
                raise NoteError(Reason.FOREIGN_HOST, "not a listed host")
            call = Call("GET", target, "fetch of a foreign attachment", max_bytes, {"Accept": accept})
            try:
                return await self._transport(target, allow_private).send(call)
            except OutsideBaseError as elsewhere:
                url = elsewhere.url
                if target.scheme == "https" and not url.startswith("https:"):
                    raise NoteError(Reason.FOREIGN_HOST, "a redirect from https to http") from None
        raise NoteError(Reason.FOREIGN_HOST, "redirects from host to host without end")

    @asynccontextmanager
    async def opened(
        self, url: str, *, headers: Mapping[str, str], allowed_hosts: Collection[str], allow_private: bool
    ) -> AsyncIterator[httpx.Response]:
        """The open answer behind `url`; a redirect may lead to the same host alone.

        Raises:
            NoteError: FOREIGN_HOST. FhirAdapterError: as in `Transport.opened`.
        """
        target = parsed(url)
        if target is None or not listed(target, allowed_hosts):
            raise NoteError(Reason.FOREIGN_HOST, "not a listed host")
        call = Call("GET", target, "fetch from another host", _ERROR_BODY, dict(headers))
        async with self._transport(target, allow_private).opened(call) as response:
            yield response

    def _transport(self, target: httpx.URL, allow_private: bool) -> Transport:
        attempts = count()

        async def pin(request: httpx.Request) -> None:
            await _pin(request, allow_private, next(attempts))

        return Transport(
            self._pool(target.host),
            auth=None,
            backoff=self._backoff,
            timeout=self._timeout,
            sleep=self._sleep,
            # To another host, listed or not, it takes another pool: `fetch` looks at it again.
            allows=lambda redirect: origin_of(redirect) == origin_of(target) and not redirect.userinfo,
            prepare=pin,
        )

    def _pool(self, host: str) -> httpx.AsyncClient:
        pool = self._pools.get(host)
        if pool is None:
            pool = self._pools[host] = httpx.AsyncClient(
                timeout=httpx.Timeout(self._timeout),
                limits=httpx.Limits(max_connections=_CONNECTIONS),
                follow_redirects=False,
                # A proxy would resolve the name again, past the check; the certificates of the
                # environment (SSL_CERT_FILE) count all the same.
                trust_env=False,
                headers={"Accept-Encoding": "gzip"},
                verify=tls_context(),
            )
        return pool


def listed(url: httpx.URL, allowed_hosts: Collection[str]) -> bool:
    """True for an http or https address, without user information, on one of the hosts."""
    if url.scheme not in _PORTS or not url.host or url.userinfo:
        return False
    host = url.host.lower().rstrip(".")
    name = f"[{host}]" if ":" in host else host
    if host in _METADATA_NAMES:
        return False
    port = url.port or _PORTS[url.scheme]
    allowed = {entry.strip().lower().rstrip(".") for entry in allowed_hosts}
    own = port == _PORTS[url.scheme] and (host in allowed or name in allowed)
    return own or f"{name}:{port}" in allowed


async def _pin(request: httpx.Request, allow_private: bool, attempt: int) -> None:
    """Points the request at an address that was checked; Host header and TLS name stay those of the host.

    Of several addresses each further attempt takes the next.
    """
    host = request.url.host
    port = request.url.port or _PORTS[request.url.scheme]
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise httpx.ConnectError("the host name is not known", request=request) from None
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or not all(permitted(address, allow_private) for address in addresses):
        raise NoteError(Reason.FOREIGN_HOST, "the host resolves to an address that is not allowed")
    request.url = request.url.copy_with(host=addresses[attempt % len(addresses)])
    request.extensions = {**request.extensions, "sni_hostname": host}


def permitted(address: str, allow_private: bool) -> bool:
    """Whether a connection to this IP address may be made."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        ip = _carried(ip) or ip
    if isinstance(ip, ipaddress.IPv6Address) and (ip in _NAT64_LOCAL or ip.is_site_local):
        return False
    if ip.is_link_local or ip.is_multicast or ip.is_unspecified or ip in _METADATA:
        return False
    return ip.is_global or (allow_private and (ip.is_private or ip.is_loopback))


def _carried(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 address stands for, where it does."""
    if any(ip in network for network in _CARRYING) and int(ip) not in (0, 1):
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
