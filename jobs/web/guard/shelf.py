"""What is kept of sign-ins out of records between requests: in this process, or in the ledger for all.

Each thing is found by a random key that one browser has in a cookie, and that is kept nowhere else. In the
ledger it is sealed (AES-256-GCM) under that key and the session secret together: of the ledger, the settings
and the cookie none opens it alone, and no two of them without the third.
"""

import asyncio
import hashlib
import hmac
import json
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from fhir_adapter.lenient import JsonObject
from jobs.ledger.launches import (
    change_state,
    drop_state,
    keep_state,
    release_state,
    reserve_state,
    serial_kept,
    state_kept,
    take_state,
)
from jobs.ledger.ledger import Ledger

MOST = {"begun": 1000, "session": 20_000}
"""Of each kind; anyone may begin a sign-in, and few end one."""
_NONCE = 12  # bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """A state; `serial` counts its changes, from 1."""

    state: JsonObject
    serial: int


class Shelf(Protocol):
    """Keeps states of two kinds, `begun` and `session`; each raises LedgerError where it lies in a ledger."""

    async def put(self, kind: str, key: str, state: JsonObject, seconds: float) -> None:
        """Keeps a state for so long; the oldest of many go."""

    async def take(self, kind: str, key: str) -> JsonObject | None:
        """A state that is there, for one caller alone: it is gone then."""

    async def read(self, kind: str, key: str) -> Kept | None:
        """A state that is there."""

    async def serial(self, kind: str, key: str) -> int | None:
        """Its serial, which costs less."""

    async def change(self, kind: str, key: str, state: JsonObject, serial: int) -> bool:
        """Puts another state in its place, unless it was changed or dropped since."""

    async def reserve(self, kind: str, key: str, serial: int, seconds: float) -> bool:
        """Takes the right to change it; False where somebody else has that, or it was changed or dropped."""

    async def release(self, kind: str, key: str, serial: int) -> None:
        """Gives that right back without a change."""

    async def drop(self, kind: str, key: str) -> None:
        """Takes it away, if it is there."""


@dataclass(slots=True)
class _Held:
    kept: Kept
    until: float
    reserved: float = 0.0


class OwnShelf:
    """In the memory of this process; arguments: `clock`, seconds that only go forward."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._held: dict[str, OrderedDict[str, _Held]] = {}

    async def put(self, kind: str, key: str, state: JsonObject, seconds: float) -> None:
        """As of `Shelf`."""
        held, now = self._held.setdefault(kind, OrderedDict()), self._clock()
        for old in [name for name, one in held.items() if one.until < now]:
            del held[old]
        held[key] = _Held(Kept(state, 1), now + seconds)
        while len(held) > MOST[kind]:
            held.popitem(last=False)

    async def take(self, kind: str, key: str) -> JsonObject | None:
        """As of `Shelf`."""
        found = self._there(kind, key)
        await self.drop(kind, key)
        return found.kept.state if found else None

    async def read(self, kind: str, key: str) -> Kept | None:
        """As of `Shelf`."""
        found = self._there(kind, key)
        return found.kept if found else None

    async def serial(self, kind: str, key: str) -> int | None:
        """As of `Shelf`."""
        found = self._there(kind, key)
        return found.kept.serial if found else None

    async def change(self, kind: str, key: str, state: JsonObject, serial: int) -> bool:
        """As of `Shelf`."""
        found = self._there(kind, key)
        if found is None or found.kept.serial != serial:
            return False
        found.kept, found.reserved = Kept(state, serial + 1), 0.0
        return True

    async def reserve(self, kind: str, key: str, serial: int, seconds: float) -> bool:
        """As of `Shelf`."""
        found, now = self._there(kind, key), self._clock()
        if found is None or found.kept.serial != serial or found.reserved > now:
            return False
        found.reserved = now + seconds
        return True

    async def release(self, kind: str, key: str, serial: int) -> None:
        """As of `Shelf`."""
        if (found := self._there(kind, key)) and found.kept.serial == serial:
            found.reserved = 0.0

    async def drop(self, kind: str, key: str) -> None:
        """As of `Shelf`."""
        self._held.get(kind, OrderedDict()).pop(key, None)

    def _there(self, kind: str, key: str) -> _Held | None:
        found = self._held.get(kind, OrderedDict()).get(key)
        return found if found and found.until >= self._clock() else None


class LedgerShelf:
    """In the ledger, sealed.

    Args:
        secret: the session secret, the same in every replica.
        ledger: opens it, or gives the open one.
    """

    def __init__(self, secret: bytes, ledger: Callable[[], Awaitable[Ledger]]) -> None:
        self._secret, self._ledger = hashlib.sha256(b"clinsum launches" + secret).digest(), ledger

    async def put(self, kind: str, key: str, state: JsonObject, seconds: float) -> None:
        """As of `Shelf`."""
        until = datetime.now(UTC) + timedelta(seconds=seconds)
        sealed = self._sealed(kind, key, state)
        await asyncio.to_thread(
            keep_state, await self._ledger(), _name(kind, key), kind, sealed, until, MOST[kind]
        )

    async def take(self, kind: str, key: str) -> JsonObject | None:
        """As of `Shelf`."""
        found = await asyncio.to_thread(take_state, await self._ledger(), _name(kind, key))
        return self._opened(kind, key, found.sealed) if found else None

    async def read(self, kind: str, key: str) -> Kept | None:
        """As of `Shelf`."""
        found = await asyncio.to_thread(state_kept, await self._ledger(), _name(kind, key))
        state = self._opened(kind, key, found.sealed) if found else None
        return Kept(state, found.serial) if found and state is not None else None

    async def serial(self, kind: str, key: str) -> int | None:
        """As of `Shelf`."""
        return await asyncio.to_thread(serial_kept, await self._ledger(), _name(kind, key))

    async def change(self, kind: str, key: str, state: JsonObject, serial: int) -> bool:
        """As of `Shelf`."""
        sealed, ledger = self._sealed(kind, key, state), await self._ledger()
        return await asyncio.to_thread(change_state, ledger, _name(kind, key), sealed, serial)

    async def reserve(self, kind: str, key: str, serial: int, seconds: float) -> bool:
        """As of `Shelf`."""
        ledger = await self._ledger()
        return await asyncio.to_thread(reserve_state, ledger, _name(kind, key), serial, seconds)

    async def release(self, kind: str, key: str, serial: int) -> None:
        """As of `Shelf`."""
        await asyncio.to_thread(release_state, await self._ledger(), _name(kind, key), serial)

    async def drop(self, kind: str, key: str) -> None:
        """As of `Shelf`."""
        await asyncio.to_thread(drop_state, await self._ledger(), _name(kind, key))

    def _key(self, kind: str, key: str) -> bytes:
        return hmac.digest(self._secret, f"{kind}|{key}".encode("utf-8", "replace"), "sha256")

    def _sealed(self, kind: str, key: str, state: JsonObject) -> bytes:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce, told = secrets.token_bytes(_NONCE), json.dumps(state).encode()
        return nonce + AESGCM(self._key(kind, key)).encrypt(nonce, told, kind.encode())

    def _opened(self, kind: str, key: str, sealed: bytes) -> JsonObject | None:
        """None where it was sealed under another secret, or altered."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            told = AESGCM(self._key(kind, key)).decrypt(sealed[:_NONCE], sealed[_NONCE:], kind.encode())
        except (InvalidTag, ValueError):
            return None
        state: JsonObject = json.loads(told)
        return state


def _name(kind: str, key: str) -> str:
    """What finds it in the ledger; the key cannot be told from it."""
    return hashlib.sha256(f"clinsum {kind}|{key}".encode("utf-8", "replace")).hexdigest()
