"""Sessions of a browser: a signed cookie that says who and until when, and what was ended before its time."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

from jobs.ledger.ledger import Ledger
from jobs.ledger.sessions import end_session, session_ended
from jobs.web.guard.signer import Signer

SESSION_SECONDS = 8 * 3600


class Sessions:
    """Begins, knows and ends sessions.

    Without a secret they are of this process alone, and so is what was ended. With one every replica takes
    them, so what was ended has to stand where all of them look: in the ledger, see `share`.

    Args:
        secret: what they are signed with, the same in every replica; empty for one of this process alone.
        tokens: hashes of the bearer tokens; in the key too, so that a change of them ends all sessions.
    """

    def __init__(self, secret: bytes, tokens: Sequence[bytes]) -> None:
        # A secret of its own: who reads a token's hash in the settings can make no session of it.
        self._signer = Signer("session", b"".join((secret or secrets.token_bytes(32), *tokens)))
        self._ended: dict[str, float] = {}
        self._ledger: Callable[[], Awaitable[Ledger]] | None = None

    def share(self, ledger: Callable[[], Awaitable[Ledger]]) -> None:
        """Keeps what is ended in the ledger from now on, where all replicas look."""
        self._ledger = ledger

    def begin(self, name: str) -> str:
        """The value of a new session's cookie: who, until when, and which, signed."""
        until = int(time.time()) + SESSION_SECONDS
        return self._signer.sign(f"{name}|{until}|{secrets.token_urlsafe(16)}")

    async def owner(self, cookie: str) -> str | None:
        """Who began the session of a cookie; None where it is over, was ended, or never was.

        Raises:
            LedgerError: whether another replica ended it cannot be asked now, so it is not believed.
        """
        session = self._signer.verified(cookie)
        if session is None or session in self._ended:
            return None
        name, until, _ = session.split("|")
        if int(until) <= time.time():
            return None
        if self._ledger is None:
            return name
        ledger = await self._ledger()
        return None if await asyncio.to_thread(session_ended, ledger, session) else name

    async def end(self, cookie: str) -> None:
        """Ends a session for good: its cookie is worth nothing any more, wherever it was copied to.

        Raises:
            LedgerError: it is ended in this process, but the other replicas cannot be told.
        """
        session = self._signer.verified(cookie)
        if session is None:
            return
        now, until = time.time(), float(session.split("|")[1])
        self._ended = {known: end for known, end in self._ended.items() if end > now} | {session: until}
        if self._ledger:
            moment = datetime.fromtimestamp(until, UTC)
            await asyncio.to_thread(end_session, await self._ledger(), session, moment)
