"""Pages of a search or a history: a snapshot of what matched, held for a while under an opaque token."""

import secrets
import threading
import time
from array import array
from collections import OrderedDict
from dataclasses import dataclass

from fhir_adapter.sandbox.embedded.outcome import RequestRefusedError

_MAX_ROWS = 8_000_000


@dataclass(frozen=True, slots=True)
class Shape:
    """How the entries of a Bundle are shown, apart from which.

    Attributes:
        kind: `searchset` or `history`.
        count: matches on a page.
        show_total: whether the Bundle states the total.
        summary: `data` (no narrative), `text` (narrative alone) or "".
        elements: top-level elements to show; empty for all.
        includes: keys of reference parameters whose targets are added to a page.
        revincludes: keys of reference parameters by which referrers are added to a page.
    """

    kind: str
    count: int
    show_total: bool = False
    summary: str = ""
    elements: tuple[str, ...] = ()
    includes: tuple[str, ...] = ()
    revincludes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What matched, in order.

    Attributes:
        rows: rows of resources for a search (a page shows their current versions), of versions for a
            history.
        self_url: the query as the server understood it.
        made: seconds of the monotonic clock.
    """

    shape: Shape
    rows: "array[int]"
    self_url: str
    made: float


class Snapshots:
    """Snapshots by token. Memory is bounded: at most 8 million rows (64 MB), the oldest go first.

    Args:
        ttl: seconds for which the pages of a snapshot can be fetched.
    """

    def __init__(self, ttl: float) -> None:
        self._ttl = ttl
        self._held: OrderedDict[str, Snapshot] = OrderedDict()
        self._rows = 0
        self._lock = threading.Lock()

    def hold(self, snapshot: Snapshot) -> str:
        """Keeps a snapshot and gives the token for its pages."""
        token = secrets.token_hex(16)
        with self._lock:
            self._held[token] = snapshot
            self._rows += len(snapshot.rows)
            while self._rows > _MAX_ROWS and len(self._held) > 1:
                self._drop(next(iter(self._held)))
            self._drop_expired()
        return token

    def get(self, token: str) -> Snapshot:
        """The snapshot of a token.

        Raises:
            RequestRefusedError: 410, it expired, was let go, or never was.
        """
        with self._lock:
            self._drop_expired()
            snapshot = self._held.get(token)
        if snapshot is None:
            raise RequestRefusedError(410, "expired", "The pages of this search have expired. Search again.")
        return snapshot

    def _drop_expired(self) -> None:
        limit = time.monotonic() - self._ttl
        while self._held:
            token, oldest = next(iter(self._held.items()))
            if oldest.made > limit:
                break
            self._drop(token)

    def _drop(self, token: str) -> None:
        self._rows -= len(self._held.pop(token).rows)
