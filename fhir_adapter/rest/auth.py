"""How the client proves who it is: a table of kinds, each giving an `httpx.Auth`.

The client puts whatever it gets into a `ScopedAuth`, so that no kind can send credentials elsewhere.
"""

from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import dataclass, field

import httpx

from fhir_adapter.rest import smart
from fhir_adapter.rest.scope import Scope
from fhir_adapter.rest.token_endpoint import Named, Secret, Web, client_credentials
from fhir_adapter.rest.tokens import Token, TokenAuth, Tokens


class BearerAuth(httpx.Auth):
    """A fixed access token (RFC 6750)."""

    def __init__(self, token: str) -> None:
        self.token = token
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


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the settings say about logging in; which of it counts depends on the kind.

    Attributes:
        kind: a name of `KINDS`.
        private_key: PEM or JSON Web Key, the text itself.
        key_id: names it; "" takes the key's own name, or its thumbprint.
        token_url: the token endpoint; "" asks the server's SMART configuration.
        scope: "" asks for what is needed, in the server's own form.
        audience: of a signed statement; "" for the token endpoint.
        resource: further field for endpoints that want to be told what the token is for.
        in_body: the client secret goes into the body instead of a header.
        certified: the client shows a certificate, and needs no secret.
        documents: summaries are filed as documents there, so that nothing is asked for Compositions.
    """

    kind: str = "none"
    username: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    private_key: str = field(default="", repr=False)
    key_id: str = ""
    token_url: str = ""
    scope: str = ""
    audience: str = ""
    resource: str = ""
    in_body: bool = False
    certified: bool = False
    documents: bool = False


def auth_from(given: Credentials, base_url: str = "", web: Web | None = None) -> httpx.Auth | None:
    """The auth of a kind; nothing is sent yet.

    Args:
        given: the kind, and what it needs.
        base_url: of the FHIR server, for kinds that ask it where to log in.
        web: how the token endpoint is reached.

    Raises:
        ValueError: the kind is unknown or lacks what it needs; one sentence, without any secret.
    """
    make = KINDS.get(given.kind.strip().lower())
    if make is None:
        raise ValueError(f"the kind of authentication must be one of {', '.join(KINDS)}")
    return make(given, base_url, web or Web())


def _none(given: Credentials, base_url: str, web: Web) -> None:
    return None


def _basic(given: Credentials, base_url: str, web: Web) -> httpx.Auth:
    if not given.username or not given.password:
        raise ValueError("basic authentication needs a username and a password")
    if ":" in given.username:
        raise ValueError("a username for basic authentication cannot hold a colon")
    return httpx.BasicAuth(given.username, given.password)


def _bearer(given: Credentials, base_url: str, web: Web) -> httpx.Auth:
    token = given.token.strip()
    if not token:
        raise ValueError("bearer authentication needs a token")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ValueError("the bearer token holds characters that no token has")
    return BearerAuth(token)


def _smart(given: Credentials, base_url: str, web: Web) -> httpx.Auth:
    if not given.client_id or not given.private_key:
        raise ValueError("smart-backend needs a client id and a private key")
    from fhir_adapter.rest.keys import read_key

    key = read_key(given.private_key, given.key_id)
    who = smart.Assertion(given.client_id, key, given.audience)

    async def fetch() -> Token:
        found = None
        if not given.token_url:
            found = await smart.discover(base_url, web)
            smart.check(found, key)
        endpoint = given.token_url or (found.token_endpoint if found else "")
        scope = given.scope or smart.scopes(smart.needed(documents=given.documents).items(), found)
        return await client_credentials(endpoint, who, scope, web, _more(given))

    return TokenAuth(Tokens(fetch))


def _secret(given: Credentials, base_url: str, web: Web) -> httpx.Auth:
    if not given.client_id or not (given.client_secret or given.certified):
        raise ValueError("client-secret needs a client id, and a secret or a certificate")
    who: Secret | Named = Named(given.client_id)
    if given.client_secret:
        who = Secret(given.client_id, given.client_secret, given.in_body)

    async def fetch() -> Token:
        endpoint = given.token_url or (await smart.discover(base_url, web)).token_endpoint
        return await client_credentials(endpoint, who, given.scope, web, _more(given))

    return TokenAuth(Tokens(fetch))


def _more(given: Credentials) -> dict[str, str]:
    return {"resource": given.resource} if given.resource else {}


KINDS: dict[str, Callable[[Credentials, str, Web], httpx.Auth | None]] = {
    "none": _none,
    "basic": _basic,
    "bearer": _bearer,
    "smart-backend": _smart,
    "client-secret": _secret,
}
