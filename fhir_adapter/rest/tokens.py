"""An access token that is there when a request needs one: got once, renewed early, renewed after a 401."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass

import httpx

from fhir_adapter.errors import ServerUnreachableError

_EARLY = 60.0  # seconds before its end in which a token is renewed, and at most a fifth of its life
_EARLY_SHARE = 0.2
_DEFAULT_LIFE = 300.0  # where the endpoint states none: the longest that SMART Backend Services recommends
_REFUSED_AT_ONCE = 2  # new tokens refused one after the other: another one would not help
_PAUSE = 60.0  # seconds until one is asked for again then


@dataclass(frozen=True, slots=True)
class Token:
    """What a token endpoint gave.

    Attributes:
        value: the access token, a secret.
        seconds: how long it holds from the moment of the answer; None where nothing was said.
        scope: what was granted, as the endpoint wrote it; "" where nothing was said.
    """

    value: str
    seconds: float | None = None
    scope: str = ""

    def __repr__(self) -> str:
        """Without the secret, since a representation may end up in a log."""
        return f"Token(seconds={self.seconds}, scope={self.scope!r})"


class Tokens:
    """One token for all requests of a client; whoever comes first gets it, the others wait for that.

    Args:
        fetch: asks the token endpoint; raises LoginError or ServerUnreachableError.
        clock: seconds that only go forward.
    """

    def __init__(
        self, fetch: Callable[[], Awaitable[Token]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._fetch, self._clock = fetch, clock
        self._token: Token | None = None
        self._got = self._renew_at = self._ends_at = 0.0
        self._refused_in_a_row = 0
        self._lock = asyncio.Lock()

    @property
    def scope(self) -> str:
        """What the token in hand was granted; "" without one, or where the endpoint did not say."""
        return self._token.scope if self._token else ""

    @property
    def seconds_left(self) -> float | None:
        """Until the token in hand ends, by what its endpoint said; None where it said nothing."""
        if self._token is None or self._token.seconds is None:
            return None
        return self._ends_at - self._clock()

    async def current(self, refused: str = "") -> str:
        """A token to send.

        Args:
            refused: the token that a server has just answered 401 to; it is not given again, unless new ones
                were refused as well.

        Raises:
            LoginError: these credentials get none.
            ServerUnreachableError: the endpoint does not answer, and no token is left that still holds.
        """
        if self._token is None or self._stale(self._token, refused):
            async with self._lock:
                token = self._token
                if token is None or self._stale(token, refused):
                    await self._renew(token, refused)
        assert self._token is not None
        return self._token.value

    def accepted(self) -> None:
        """A server took the token in hand."""
        self._refused_in_a_row = 0

    def _stale(self, token: Token, refused: str) -> bool:
        if refused == token.value:
            return self._refused_in_a_row < _REFUSED_AT_ONCE or self._clock() - self._got >= _PAUSE
        return self._clock() >= self._renew_at

    async def _renew(self, before: Token | None, refused: str) -> None:
        try:
            token = await self._fetch()
        except ServerUnreachableError:
            if before is not None and before.value != refused and self._clock() < self._ends_at:
                return  # renewed early: the one in hand still holds
            raise
        if refused:
            self._refused_in_a_row += 1
        life = _DEFAULT_LIFE if token.seconds is None else token.seconds
        self._token, self._got = token, self._clock()
        self._ends_at = self._got + life
        self._renew_at = self._ends_at - min(_EARLY, life * _EARLY_SHARE)


class TokenAuth(httpx.Auth):
    """Sends a bearer token (RFC 6750) and, after a 401, once more with a new one."""

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Adds the header; raises what `Tokens.current` raises."""
        value = await self.tokens.current()
        request.headers["Authorization"] = f"Bearer {value}"
        response = yield request
        if response.status_code != 401:
            self.tokens.accepted()
            return
        renewed = await self.tokens.current(refused=value)
        if renewed != value:
            request.headers["Authorization"] = f"Bearer {renewed}"
            if (yield request).status_code != 401:
                self.tokens.accepted()
