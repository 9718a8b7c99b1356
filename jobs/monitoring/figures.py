"""The state of the passes in figures; nothing of any note or patient."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import get_args

from fhir_adapter.errors import FhirAdapterError
from fhir_adapter.reasons import Reason
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.expiry import seconds_left
from fhir_adapter.rest.two_servers import TwoServers
from jobs.ledger.ledger import Ledger
from jobs.ledger.rows import LedgerError, Status
from jobs.monitoring.lag import lag_seconds
from jobs.runtime import make_source
from jobs.settings import Settings

_FRESH = 10.0  # seconds for which the ledger is not asked again
_FRESH_LAG = 60.0  # and the server
_PATIENCE = 5.0  # seconds to wait for the server
_STATUSES = frozenset(get_args(Status))
_REASONS = frozenset(["", *Reason])
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Moments:
    """When `clinsum run` last was well, in seconds since 1970; None where that is not known here.

    Attributes:
        good: a pass was completed.
        sign: a pass ended, however it did, or a note was handled.
    """

    good: float | None = None
    sign: float | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """All of it, at one moment.

    Attributes:
        notes: how many, by (status, reason), see `in_known_words`.
        moments: of the passes.
        lag: by type of resource, for how many seconds the oldest change that no pass has handled has waited;
            0 where none waits. A type that could not be asked for is left out.
        tokens: by server (`read`, `written`), when the token in hand ends, in seconds since 1970.
        up: by part (`ledger`, `server`), whether it could be asked; a part that was not is left out.
    """

    notes: Mapping[tuple[str, str], int] = field(default_factory=dict)
    moments: Moments = Moments()
    lag: Mapping[str, float] = field(default_factory=dict)
    tokens: Mapping[str, float] = field(default_factory=dict)
    up: Mapping[str, bool] = field(default_factory=dict)

    def by_status(self) -> dict[str, int]:
        """Notes by how they ended."""
        found: dict[str, int] = {}
        for (status, _), count in self.notes.items():
            found[status] = found.get(status, 0) + count
        return found


class Observer:
    """Gathers the figures when somebody asks, and remembers them for a short while.

    Args:
        settings: of the process.
        client: the server.
        open_ledger: gives the ledger; raises LedgerError.
        moments: tells when the passes were well.
    """

    def __init__(
        self,
        settings: Settings,
        client: FhirClient,
        open_ledger: Callable[[], Awaitable[Ledger]],
        moments: Callable[[], Moments],
    ) -> None:
        self._settings, self._client = settings, client
        self._open_ledger, self._moments = open_ledger, moments
        self._source = make_source(settings, client)
        self._seen = Figures()
        self._at = self._lag_at = float("-inf")
        self._lock = asyncio.Lock()

    async def figures(self) -> Figures:
        """As they are now, or were a few seconds ago; any number of callers share one look."""
        async with self._lock:
            now = time.monotonic()
            if now - self._at >= _FRESH:
                self._seen = await self._look(with_lag=now - self._lag_at >= _FRESH_LAG)
                self._at = time.monotonic()
            return replace(self._seen, moments=self._moments(), tokens=token_ends(self._client))

    async def _look(self, *, with_lag: bool) -> Figures:
        try:
            ledger = await self._open_ledger()
            notes = await asyncio.to_thread(ledger.counts)
        except LedgerError:
            return replace(self._seen, up={**self._seen.up, "ledger": False})
        seen = replace(self._seen, notes=in_known_words(notes), up={**self._seen.up, "ledger": True})
        if not with_lag or self._settings.patients:  # patient by patient there is no watermark to be behind
            return seen
        self._lag_at = time.monotonic()
        try:
            async with asyncio.timeout(_PATIENCE):
                lag = {
                    kind: await lag_seconds(self._source, ledger, kind)
                    for kind in self._settings.resource_types
                }
        except (FhirAdapterError, LedgerError, TimeoutError):
            return replace(seen, lag={}, up={**seen.up, "server": False})
        return replace(seen, lag=lag, up={**seen.up, "server": True})


def in_known_words(notes: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    """Counts by (status, reason), those with a word that is no code of ours under `OTHER`.

    A metric is read by machines that ask nobody: what somebody wrote into the ledger is not repeated there.
    """
    found: dict[tuple[str, str], int] = {}
    for (status, reason), count in notes.items():
        named = status if status in _STATUSES else OTHER, reason if reason in _REASONS else OTHER
        found[named] = found.get(named, 0) + count
    return found


def token_ends(client: FhirClient) -> dict[str, float]:
    """When the tokens in hand end, in seconds since 1970; a server without a token that ends is left out."""
    servers = {"read": client.auth}
    if isinstance(client, TwoServers):
        servers["written"] = client.written.auth
    ends = {name: seconds_left(auth) for name, auth in servers.items()}
    now = time.time()
    return {name: now + left for name, left in ends.items() if left is not None}
