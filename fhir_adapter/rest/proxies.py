"""The proxy on the way to an address: as it is set, or as the environment of the process names it.

Of the environment the usual names count (`HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`, also in small
letters). They may be there for other programs, and a proxy reads all that is not encrypted: so credentials go
through one over http only where somebody set it for this program.
"""

from dataclasses import dataclass
from urllib.request import getproxies, proxy_bypass

import httpx

from fhir_adapter.rest.scope import is_loopback, origin_of, parsed

NO_PROXY = "none"
_SCHEMES = ("http", "https")


@dataclass(frozen=True, slots=True)
class Proxies:
    """Which proxy leads where.

    Attributes:
        named: an http or https address, `none`, or "" for what the environment says.

    Raises:
        ValueError: `named` is none of these; one sentence.
    """

    named: str = ""

    def __post_init__(self) -> None:
        if self.named not in ("", NO_PROXY):
            _address(self.named, "the proxy")

    def to(self, url: str, *, secret: bool) -> httpx.Proxy | None:
        """The proxy on the way there; None for the direct way, which leads to this machine always.

        Args:
            url: absolute http or https address.
            secret: whether credentials go there.

        Raises:
            ValueError: the environment names one that is not usable, or that would read the credentials.
        """
        target = httpx.URL(url)
        if self.named == NO_PROXY or is_loopback(target.host):
            return None
        if self.named:
            return httpx.Proxy(self.named)
        found = _of_environment(target)
        if found is None:
            return None
        name, value = found
        proxy = httpx.Proxy(_address(value, f"the proxy that {name} names"))
        if secret and target.scheme == "http":
            raise ValueError(
                f"the credentials would go in the open through {origin_of(proxy.url)}, the proxy that {name} "
                f"names; set CLINSUM_PROXY to it if that is meant, or to {NO_PROXY}"
            )
        return proxy

    def words(self, url: str) -> str:
        """What a person is told of the way there, without a proxy's user and password."""
        target = httpx.URL(url)
        proxy = self.to(url, secret=False)
        if proxy is None:
            return "none: this machine" if is_loopback(target.host) else "none"
        found = None if self.named else _of_environment(target)
        return f"{origin_of(proxy.url)}, " + (f"of the environment ({found[0]})" if found else "as set")


def _of_environment(target: httpx.URL) -> tuple[str, str] | None:
    """Name and value of the variable that counts for an address."""
    known = getproxies()
    host = target.host if target.port is None else f"{target.host}:{target.port}"
    if proxy_bypass(host):
        return None
    for scheme in (target.scheme, "all"):
        if known.get(scheme):
            return f"{scheme.upper()}_PROXY", known[scheme]
    return None


def _address(value: str, what: str) -> str:
    """The address, checked; one without a scheme is an http one, as in other programs."""
    value = value if "://" in value else f"http://{value}"
    url = parsed(value)
    if url is None or url.scheme not in _SCHEMES or not url.host:
        raise ValueError(f"{what} must have an http:// or https:// address")
    return value
