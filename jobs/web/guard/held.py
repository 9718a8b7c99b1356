"""Sessions of people who came out of a record: their cookie is a random name, and all else stays here.

What a session is made from lies on a shelf, which replicas may share; what it is at work with, such as open
connections, is made from that in each process, and forgotten again where there are too many.
"""

import asyncio
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from fhir_adapter.lenient import JsonObject
from jobs.web.guard.shelf import Kept, OwnShelf, Shelf

T = TypeVar("T")
Who = TypeVar("Who", covariant=True)

_PREFIX = "held."
_KIND = "session"


def is_held(cookie: str) -> bool:
    """Whether a cookie is one of these, whatever became of its session."""
    return cookie.startswith(_PREFIX)


class Entry:
    """The place of one session on the shelf."""

    def __init__(self, shelf: Shelf, cookie: str) -> None:
        self._shelf, self._cookie = shelf, cookie

    async def read(self) -> Kept | None:
        """What is there now; None where the session was ended, by whichever process."""
        return await self._shelf.read(_KIND, self._cookie)

    async def serial(self) -> int | None:
        """As `Kept.serial`."""
        return await self._shelf.serial(_KIND, self._cookie)

    async def reserve(self, serial: int, seconds: float) -> bool:
        """As of `Shelf`."""
        return await self._shelf.reserve(_KIND, self._cookie, serial, seconds)

    async def release(self, serial: int) -> None:
        """As of `Shelf`."""
        await self._shelf.release(_KIND, self._cookie, serial)

    async def change(self, state: JsonObject, serial: int) -> bool:
        """As of `Shelf`."""
        return await self._shelf.change(_KIND, self._cookie, state, serial)

    async def drop(self) -> None:
        """Ends the session for every process."""
        await self._shelf.drop(_KIND, self._cookie)


class Live(Protocol[Who]):
    """A session at work in this process."""

    @property
    def who(self) -> Who:
        """What `get` gives."""

    @property
    def state(self) -> JsonObject:
        """What it can be made from again."""

    def alive(self) -> bool:
        """Whether it still holds; asked each time."""

    def keep(self, entry: Entry, serial: int) -> None:
        """Says where its state lies, for when that changes."""

    async def leave(self) -> None:
        """Closes what is open; it may go on elsewhere."""

    async def end(self) -> None:
        """Ends it outside of this software too."""


class HeldSessions(Generic[T]):
    """Sessions by their cookie.

    Args:
        seconds: that one lasts.
        most: at work in this process at a time; beyond these the one that was not used for longest is left,
            and made again when it is asked for.
        clock: seconds that only go forward.
    """

    def __init__(self, seconds: float, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._most, self._clock = seconds, most, clock
        self._live: OrderedDict[str, tuple[Live[T], float]] = OrderedDict()
        self._shelf: Shelf = OwnShelf(clock)
        self._revive: Callable[[JsonObject], Live[T]] | None = None
        self._reviving = asyncio.Lock()

    def keep_on(self, shelf: Shelf, revive: Callable[[JsonObject], Live[T]]) -> None:
        """Keeps sessions on a shelf from now on.

        Args:
            shelf: shared with other processes, or not.
            revive: makes a session out of its state.
        """
        self._shelf, self._revive = shelf, revive

    async def begin(self, live: Live[T]) -> str:
        """The cookie of a new session.

        Raises:
            LedgerError: it cannot be kept.
        """
        now = self._clock()
        for cookie in [name for name, (_, until) in self._live.items() if until <= now]:
            await self.end(cookie)
        cookie = _PREFIX + secrets.token_urlsafe(32)
        await self._shelf.put(_KIND, cookie, live.state, self._seconds)
        await self._hold(cookie, live, 1)
        return cookie

    async def get(self, cookie: str) -> T | None:
        """Who has this cookie; None where the session is over, or never was.

        Raises:
            LedgerError: it cannot be asked now whether the session still is.
        """
        entry = Entry(self._shelf, cookie)
        if await entry.serial() is None:
            if held := self._live.pop(cookie, None):
                await held[0].leave()
            return None
        async with self._reviving:
            if cookie not in self._live:
                kept = await entry.read()
                if kept is None or self._revive is None:
                    return None
                await self._hold(cookie, self._revive(kept.state), kept.serial)
            self._live.move_to_end(cookie)
            live, _ = self._live[cookie]
        return live.who if live.alive() else None

    async def end(self, cookie: str) -> None:
        """Ends a session, if it is there, wherever it is at work.

        Raises:
            LedgerError: it cannot be ended for other processes.
        """
        entry = Entry(self._shelf, cookie)
        held = self._live.pop(cookie, None)
        kept = await entry.read()
        await entry.drop()
        if held:
            await held[0].end()
        elif kept and self._revive:
            await self._revive(kept.state).end()

    async def leave_all(self, *, end: bool) -> None:
        """Closes what is open of all of them; with `end` they are over too."""
        while self._live:
            cookie, (live, _) = next(iter(self._live.items()))
            if end:
                await self.end(cookie)
            else:
                del self._live[cookie]
                await live.leave()

    async def _hold(self, cookie: str, live: Live[T], serial: int) -> None:
        live.keep(Entry(self._shelf, cookie), serial)
        self._live[cookie] = (live, self._clock() + self._seconds)
        while len(self._live) > self._most:
            _, (old, _) = self._live.popitem(last=False)
            await old.leave()
