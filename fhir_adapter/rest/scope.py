"""The configured base address, and whether another address lies inside it."""

from collections.abc import Sequence
from urllib.parse import quote, unquote

import httpx

from fhir_adapter.lenient import below

SAFE = "$_.-~:"  # characters that stay as they are in a path
_DECODINGS = 5  # a path that is encoded more often has no honest use
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Scope:
    """A FHIR base address: scheme, host, port and base path.

    Credentials and followed links stay inside it. An address with user information, a fragment, a
    backslash or a dot segment (also percent-encoded) is never inside.

    Args:
        base_url: absolute http or https address, with or without trailing slash.

    Raises:
        ValueError: with one sentence saying what is wrong with it.
    """

    __slots__ = ("_path", "_url", "base_url")

    def __init__(self, base_url: str) -> None:
        self._url = _checked(base_url.strip())
        self._path = self._url.path.rstrip("/")
        self.base_url = str(self._url.copy_with(path=self._path or "/")).rstrip("/")

    @property
    def origin(self) -> str:
        """`scheme://host:port`, without a port where it is the scheme's own."""
        return origin_of(self._url)

    def contains(self, url: httpx.URL) -> bool:
        """True where `url` has this origin and lies at or below the base path."""
        if url.userinfo or url.fragment or _origin(url) != _origin(self._url):
            return False
        path = url.path
        if _climbs(path):
            return False
        return path.rstrip("/") == self._path or path.startswith(self._path + "/")

    def own(self, target: httpx.URL) -> httpx.URL | None:
        """The server's own address in another spelling, brought to the one that is configured; else None."""
        place, mark, query = str(target).partition("?")
        path = below(f"{place.rstrip('/')}/", self.base_url)
        if path is None:
            return None
        own = parsed(f"{self.base_url}/{path}".rstrip("/") + mark + query)
        return own if own is not None and self.contains(own) else None

    def url(self, path: str = "", params: Sequence[tuple[str, str]] = ()) -> httpx.URL:
        """The address of `path` (already percent-encoded, without leading slash) below the base."""
        address = f"{self.base_url}/{path}" if path else self.base_url
        # Given to the constructor, parameters cost one parsing less than when they are merged in.
        return httpx.URL(address, params=list(params)) if params else httpx.URL(address)

    def relative(self, reference: str) -> str | None:
        """`Type/id[/_history/v]` of a relative reference or of an absolute one on this base, or None."""
        if "://" in reference:
            path = below(reference, self.base_url)
            if path is None:
                return None
            reference = unquote(path).strip("/")
        if _climbs(reference):
            return None
        parts = reference.split("/")
        return "/".join(quote(part, safe=SAFE) for part in parts) if all(parts) else None


def parsed(url: str) -> httpx.URL | None:
    """The address, or None where it cannot be one."""
    try:
        return httpx.URL(url)
    except (httpx.InvalidURL, ValueError, TypeError):
        return None


def kind_of(path: str) -> str:
    """The resource type of a path: ids stay out of messages, since that of a patient names one."""
    return path.partition("/")[0]


def is_loopback(host: str) -> bool:
    """The host is this machine, so that no proxy lies between."""
    return host in ("localhost", "::1") or host.startswith("127.")


def origin_of(url: httpx.URL) -> str:
    """`scheme://host:port`, fit for a message: no user, path or query."""
    host = f"[{url.host}]" if ":" in url.host else url.host
    return f"{url.scheme}://{host}" + (f":{url.port}" if url.port is not None else "")


def _climbs(path: str) -> bool:
    """Whether a path has a backslash or a dot segment, also written so that only some servers see it.

    What is encoded again and again is decoded as often, and parameters of a segment (`..;a=b/`, RFC 3986,
    section 3.3) are left out, since gateways and servlet containers do both.
    """
    for _ in range(_DECODINGS):
        if "\\" in path or any(part.partition(";")[0] in (".", "..") for part in path.split("/")):
            return True
        decoded = unquote(path)
        if decoded == path:
            return False
        path = decoded
    return True


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host.lower().rstrip("."), url.port or _DEFAULT_PORTS.get(url.scheme)


def _checked(base_url: str) -> httpx.URL:
    if not base_url:
        raise ValueError("the FHIR base address is empty; give one such as http://localhost:8080/fhir")
    url = parsed(base_url)
    if url is None:
        raise ValueError("the FHIR base address is not a valid URL")
    if url.scheme not in _DEFAULT_PORTS or not url.host:
        raise ValueError("the FHIR base address must start with http:// or https:// and name a host")
    if url.userinfo:
        raise ValueError("the FHIR base address must not hold a user or password; set them on their own")
    if url.query or url.fragment:
        raise ValueError("the FHIR base address must have neither a query nor a fragment")
    if url.port is not None and not 0 < url.port < 65536:
        raise ValueError("the port of the FHIR base address must be between 1 and 65535")
    if _climbs(url.path):
        raise ValueError("the path of the FHIR base address must not hold dot segments or backslashes")
    return url
