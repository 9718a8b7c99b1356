"""Sessions that this process keeps in memory: their cookie is a random name, and all else stays here."""

import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

_PREFIX = "held."


def is_held(cookie: str) -> bool:
    """Whether a cookie is one of these, whatever became of its session."""
    return cookie.startswith(_PREFIX)


@dataclass(frozen=True, slots=True)
class _Session(Generic[T]):
    who: T
    until: float
    alive: Callable[[], bool]
    close: Callable[[], Awaitable[None]]

    def holds(self, now: float) -> bool:
        return now < self.until and self.alive()


class HeldSessions(Generic[T]):
    """Sessions by their cookie.

    Args:
        seconds: that one lasts.
        most: at a time; a new one ends the one that was not used for longest.
        clock: seconds that only go forward.
    """

    def __init__(self, seconds: float, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._most, self._clock = seconds, most, clock
        self._sessions: OrderedDict[str, _Session[T]] = OrderedDict()

    async def begin(self, who: T, alive: Callable[[], bool], close: Callable[[], Awaitable[None]]) -> str:
        """The cookie of a new session.

        Args:
            who: what `get` gives.
            alive: whether it still holds; asked each time.
            close: ends what belongs to it.
        """
        now = self._clock()
        for cookie in [name for name, one in self._sessions.items() if not one.holds(now)]:
            await self.end(cookie)
        while len(self._sessions) >= self._most:
            await self.end(next(iter(self._sessions)))
        cookie = _PREFIX + secrets.token_urlsafe(32)
        self._sessions[cookie] = _Session(who, now + self._seconds, alive, close)
        return cookie

    def get(self, cookie: str) -> T | None:
        """Who has this cookie; None where the session is over, or never was."""
        session = self._sessions.get(cookie)
        if session is None or not session.holds(self._clock()):
            return None
        self._sessions.move_to_end(cookie)
        return session.who

    async def end(self, cookie: str) -> None:
        """Ends a session, if it is there."""
        if session := self._sessions.pop(cookie, None):
            await session.close()

    async def end_all(self) -> None:
        """Ends all of them."""
        while self._sessions:
            await self.end(next(iter(self._sessions)))
