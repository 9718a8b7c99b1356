"""Asks a token endpoint for an access token (RFC 6749): who asks, how, and what is made of the answer.

No message here holds what an endpoint wrote beside its error code: a description may repeat what was sent.
"""

import asyncio
import math
import re
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote_plus

import httpx

from fhir_adapter.errors import LoginError, ServerUnreachableError
from fhir_adapter.rest.codings import pieces
from fhir_adapter.rest.proxies import Proxies
from fhir_adapter.rest.scope import origin_of
from fhir_adapter.rest.tls import tls_context
from fhir_adapter.rest.tokens import Token

_ATTEMPTS = 4
MOST_BYTES = 1 << 20  # of an answer that is read
_CODE = re.compile(r"[a-z][a-z0-9_.-]{0,60}")
_TOTAL_FACTOR = 4.0  # of the time for one piece of an answer, for all of it
_SKEW = 30.0  # seconds: more than this between the clocks is worth a word
_TOKEN = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class Web:
    """How addresses of the login are reached.

    Attributes:
        tls: the context that server certificates are checked with, and that holds the client's own.
        timeout: seconds for one answer.
        transport: replaces the network, for tests.
        proxies: which proxy leads where.
        sleep: how to wait between attempts.
        attempts: how often it is tried; once where somebody waits, or where asking twice does harm.
    """

    tls: ssl.SSLContext | None = None
    timeout: float = 30.0
    transport: httpx.AsyncBaseTransport | None = None
    proxies: Proxies = field(default_factory=Proxies)
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    attempts: int = _ATTEMPTS

    async def send(self, method: str, url: str, what: str, **more: Any) -> httpx.Response:
        """The answer, below 500 and not 429; tried again a few times before that.

        Raises:
            ServerUnreachableError: there is none.
            LoginError: a proxy on the way would read it.
        """
        try:
            proxy = None if self.transport else self.proxies.to(url, secret=True)
        except ValueError as error:
            raise LoginError(str(error)) from None
        verify = self.tls or tls_context()
        fault = ""
        async with httpx.AsyncClient(
            verify=verify, timeout=self.timeout, transport=self.transport, trust_env=False, proxy=proxy
        ) as http:
            for attempt in range(self.attempts):
                if attempt:
                    await self.sleep(0.5 * 2**attempt)
                try:
                    async with asyncio.timeout(self.timeout * _TOTAL_FACTOR):
                        answer = await _answer(http, method, url, more)
                except (httpx.TransportError, httpx.DecodingError, TimeoutError) as error:
                    fault = type(error).__name__
                else:
                    if answer.status_code < 500 and answer.status_code != 429:
                        return answer
                    fault = f"HTTP {answer.status_code}"
        raise ServerUnreachableError(f"{what} at {origin_of(httpx.URL(url))} does not answer ({fault})")


@dataclass(frozen=True, slots=True)
class Secret:
    """A client that shows a password of its own (RFC 6749, section 2.3.1).

    Attributes:
        in_body: sends it as form fields, for endpoints that take no Basic header.
    """

    client_id: str
    secret: str
    in_body: bool = False

    def __repr__(self) -> str:
        """Without the secret."""
        return f"Secret({self.client_id!r})"

    def form(self, endpoint: str) -> dict[str, str]:
        """Fields of the request that show who asks."""
        return {"client_id": self.client_id, "client_secret": self.secret} if self.in_body else {}

    def auth(self) -> httpx.Auth | None:
        """Both parts are form-encoded before they are joined, as the standard asks."""
        if self.in_body:
            return None
        return httpx.BasicAuth(quote_plus(self.client_id), quote_plus(self.secret))


@dataclass(frozen=True, slots=True)
class Named:
    """A client that only says its name: a public one, or one known by its certificate (RFC 8705, 2.1)."""

    client_id: str

    def form(self, endpoint: str) -> dict[str, str]:
        """Fields of the request that show who asks."""
        return {"client_id": self.client_id}

    def auth(self) -> httpx.Auth | None:
        """None: the connection shows it, or nothing does."""
        return None


async def client_credentials(
    endpoint: str, who: Any, scope: str, web: Web, more: dict[str, str] | None = None
) -> Token:
    """A token for a client that acts for itself.

    Args:
        endpoint: absolute address.
        who: has `form(endpoint)` and `auth()`, called anew for each request.
        scope: separated by spaces; "" asks for what the client is registered with.
        web: how to get there.
        more: further fields, such as `resource` or `audience`.

    Raises:
        LoginError: refused; the message names the error code and what to look at.
        ServerUnreachableError: no answer.
    """
    form = {"grant_type": "client_credentials", **({"scope": scope} if scope else {}), **(more or {})}
    return token_of(await asked(endpoint, form, who, web), endpoint)


async def asked(endpoint: str, form: dict[str, str], who: Any, web: Web) -> dict[str, Any]:
    """What a token endpoint answers to a form; raises as `client_credentials`."""
    answer = await web.send(
        "POST",
        endpoint,
        "the token endpoint",
        data={**form, **who.form(endpoint)},
        auth=who.auth(),
        headers={"Accept": "application/json", "Cache-Control": "no-store"},
    )
    body = _json(answer)
    if answer.status_code != 200:
        raise LoginError(_refusal(answer, body, endpoint))
    return body


async def _answer(http: httpx.AsyncClient, method: str, url: str, more: dict[str, Any]) -> httpx.Response:
    """The answer with as much of its body as one may have, and one byte more where there is more."""
    async with http.stream(method, url, **more) as answer:
        body = bytearray()
        async for piece in pieces(answer):
            body += piece
            if len(body) > MOST_BYTES:
                break
        kept = ("content-type", "date", "location")
        told = {name: answer.headers[name] for name in kept if name in answer.headers}
        return httpx.Response(answer.status_code, headers=told, content=bytes(body[: MOST_BYTES + 1]))


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = answer.json() if len(answer.content) <= MOST_BYTES else None
    except (ValueError, RecursionError):
        body = None
    return body if isinstance(body, dict) else {}


# As gateways write it that do not keep to RFC 6750: Apigee's, and Azure DevOps's.
_BEARER = frozenset({"bearer", "bearertoken", "jwt-bearer"})


def token_of(body: dict[str, Any], endpoint: str) -> Token:
    """The access token in an answer; raises LoginError where there is none."""
    value, kind = body.get("access_token"), body.get("token_type", "bearer")
    where = origin_of(httpx.URL(endpoint))
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        raise LoginError(f"the token endpoint at {where} answers without an access token")
    if not isinstance(kind, str) or kind.strip().lower() not in _BEARER:
        raise LoginError(f"the token endpoint at {where} gives a token that is no bearer token")
    scope = body.get("scope")
    return Token(value, _seconds(body.get("expires_in")), scope if isinstance(scope, str) else "")


def _seconds(stated: object) -> float | None:
    """`expires_in`, a number, that some endpoints write as a string."""
    if isinstance(stated, bool) or not isinstance(stated, (int, float, str)):
        return None
    try:
        seconds = float(stated)
    except (ValueError, OverflowError):
        return None
    return seconds if math.isfinite(seconds) and seconds > 0 else None


_ADVICE = {
    "invalid_client": "check the client id, the secret or key, and that the server knows it",
    "invalid_scope": "set CLINSUM_SCOPE to what the client was registered with",
    "unauthorized_client": "check the secret or key, and that the client may use client credentials",
    "unsupported_grant_type": "the server offers no client credentials",
    "invalid_grant": "check that the client is enabled",
    "access_denied": "an administrator has to approve the client",
}


def _refusal(answer: httpx.Response, body: dict[str, Any], endpoint: str) -> str:
    stated = body.get("error")
    code = stated if isinstance(stated, str) and _CODE.fullmatch(stated) else ""
    words = f"HTTP {answer.status_code}" + (f" {code}" if code else "")
    message = f"the token endpoint at {origin_of(httpx.URL(endpoint))} refuses ({words})"
    if code in _ADVICE:
        message += f"; {_ADVICE[code]}"
    apart = _apart(answer)
    if abs(apart) > _SKEW:
        message += f"; this machine's clock is {abs(apart):.0f} s {'behind' if apart > 0 else 'ahead'}"
    return message


def _apart(answer: httpx.Response) -> float:
    """By how many seconds the endpoint's clock is ahead of ours; 0 where it does not tell."""
    try:
        stamp = parsedate_to_datetime(answer.headers.get("date", ""))
        return (stamp - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return 0.0
