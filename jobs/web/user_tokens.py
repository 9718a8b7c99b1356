"""One person's tokens: the first, then those that it is renewed with, until the server gives no more.

Several processes may have the same session at work. A refresh token is often good for one use, so that only
one of them renews; the others take what it got.
"""

import asyncio
import time
from contextlib import suppress
from typing import Any

from fhir_adapter.errors import FhirAdapterError, LoginError
from fhir_adapter.lenient import JsonObject
from fhir_adapter.rest.app_launch import renewed, revoked
from fhir_adapter.rest.smart import SmartConfiguration
from fhir_adapter.rest.token_endpoint import Web
from fhir_adapter.rest.tokens import Token
from jobs.web.guard.held import Entry
from jobs.web.problems import ProblemError

_RENEWING = 30.0  # seconds that one process may take; then another one tries
_LOOK = 0.2  # seconds between looks at whether it has
_OVER = "The sign-in has ended; open the page from the record again."


def token_state(token: Token, refresh: str) -> JsonObject:
    """A token as it is kept: with the moment of its end, by the clock of this machine."""
    until = None if token.seconds is None else time.time() + token.seconds
    return {"token": token.value, "until": until, "scope": token.scope, "refresh": refresh}


def tokens_in(state: JsonObject) -> JsonObject:
    """The part of a session's state that is of its tokens."""
    return {name: state[name] for name in ("token", "until", "scope", "refresh")}


class UserTokens:
    """Gives a client its next token.

    Args:
        found: what the server says of its sign-in.
        who: this app, as it shows itself there.
        web: how to get there.
        state: as of `token_state`.
    """

    def __init__(self, found: SmartConfiguration, who: Any, web: Web, state: JsonObject) -> None:
        self._found, self._who, self._web = found, who, web
        self.state = state
        self._given = self._ended = False
        self._entry: Entry | None = None
        self._serial = 0
        self._renewing: asyncio.Task[Token] | None = None

    def keep(self, entry: Entry, serial: int) -> None:
        """Says where the state of their session lies, of which they are a part."""
        self._entry, self._serial = entry, serial

    def alive(self) -> bool:
        """Whether there is a token, or may be another one."""
        return not self._ended

    async def __call__(self) -> Token:
        """The next token.

        Raises:
            ProblemError: `unauthorized`, where there is none.
            ServerUnreachableError: no answer.
            LedgerError: the session cannot be read or written.
        """
        if not self._given and (first := self._token()):
            self._given = True
            return first
        if self._ended:
            raise ProblemError("unauthorized", _OVER)
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.create_task(self._next())
            self._renewing.add_done_callback(_seen)
        # Whoever asked may have left: what the server gave for a token that is spent now must not be lost.
        return await asyncio.shield(self._renewing)

    async def _next(self) -> Token:
        entry = self._entry
        if entry is None:
            await self._renew()
        elif await self._reserved(entry):
            try:
                await self._renew()
            except BaseException:
                if not self._ended:
                    await entry.release(self._serial)
                raise
            finally:
                if self._ended:
                    await entry.drop()
            kept = await entry.read()
            if kept and await entry.change(kept.state | self.state, self._serial):
                self._serial += 1
        self._given = True
        return self._token() or await self._next()

    async def _reserved(self, entry: Entry) -> bool:
        """Whether it is for this process to renew; False where another one just has."""
        while True:
            kept = await entry.read()
            if kept is None:
                self._ended = True
                raise ProblemError("unauthorized", _OVER)
            if kept.serial != self._serial:
                self.state = tokens_in(kept.state)
                self._serial = kept.serial
                return False
            if await entry.reserve(self._serial, _RENEWING):
                return True
            await asyncio.sleep(_LOOK)

    async def _renew(self) -> None:
        try:
            if not self.state["refresh"]:
                raise LoginError("the token cannot be renewed")
            token, refresh = await renewed(self._found, self._who, self.state["refresh"], self._web)
        except LoginError:
            self._ended = True
            raise ProblemError("unauthorized", _OVER) from None
        self.state = token_state(token, refresh)

    def _token(self) -> Token | None:
        """The one in hand; None where it is over."""
        until = self.state["until"]
        left = None if until is None else until - time.time()
        return Token(self.state["token"], left, self.state["scope"]) if left is None or left > 0 else None

    async def settled(self) -> None:
        """Waits until nothing is under way."""
        if self._renewing:
            await asyncio.wait([self._renewing])

    async def end(self) -> None:
        """Ends the tokens at the server, as far as it lets us."""
        await self.settled()
        self._ended = True
        with suppress(FhirAdapterError):
            await revoked(self._found, self._who, self.state["refresh"] or self.state["token"], self._web)


def _seen(task: asyncio.Task[Token]) -> None:
    """Takes note of how it ended, where nobody waits for that any more."""
    if not task.cancelled():
        task.exception()
