"""How the client proves who it is: a table of kinds, each giving an `httpx.Auth`.

The client puts whatever it gets into a `ScopedAuth`, so that no kind can send credentials elsewhere.
"""

from collections.abc import AsyncGenerator, Callable, Generator

import httpx

from fhir_adapter.rest.scope import Scope


class BearerAuth(httpx.Auth):
    """A fixed access token (RFC 6750)."""

    def __init__(self, token: str) -> None:
        self._header = f"Bearer {token}"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Adds the header."""
        request.headers["Authorization"] = self._header
        yield request


class ScopedAuth(httpx.Auth):
    """Another auth, asked only for requests inside a base address; others go out without credentials."""

    def __init__(self, inner: httpx.Auth, scope: Scope) -> None:
        self._inner = inner
        self._scope = scope
        self.requires_request_body = inner.requires_request_body
        self.requires_response_body = inner.requires_response_body

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """The inner flow inside the base address, the bare request elsewhere."""
        if not self._scope.contains(request.url):
            yield request
            return
        flow = self._inner.async_auth_flow(request)
        try:
            outgoing = await anext(flow)
            while True:
                response = yield outgoing
                try:
                    outgoing = await flow.asend(response)
                except StopAsyncIteration:
                    return
        finally:
            await flow.aclose()


def auth_from(
    kind: str, *, username: str | None = None, password: str | None = None, token: str | None = None
) -> httpx.Auth | None:
    """The auth of a kind: `none`, `basic` or `bearer`.

    Raises:
        ValueError: the kind is unknown or lacks what it needs; one sentence, without any secret.
    """
    make = _KINDS.get(kind.strip().lower())
    if make is None:
        raise ValueError(f"the kind of authentication must be one of {', '.join(_KINDS)}")
    return make(username, password, token)


def _none(username: str | None, password: str | None, token: str | None) -> None:
    return None


def _basic(username: str | None, password: str | None, token: str | None) -> httpx.Auth:
    if not username or password is None:
        raise ValueError("basic authentication needs a username and a password")
    if ":" in username:
        raise ValueError("a username for basic authentication cannot hold a colon")
    return httpx.BasicAuth(username, password)


def _bearer(username: str | None, password: str | None, token: str | None) -> httpx.Auth:
    if not token or not token.strip():
        raise ValueError("bearer authentication needs a token")
    token = token.strip()
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ValueError("the bearer token holds characters that no token has")
    return BearerAuth(token)


_KINDS: dict[str, Callable[[str | None, str | None, str | None], httpx.Auth | None]] = {
    "none": _none,
    "basic": _basic,
    "bearer": _bearer,
}
