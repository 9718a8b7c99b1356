"""How often one client may ask."""

import math
import time
from collections import OrderedDict


class RateLimit:
    """A token bucket for each client: a minute's share at once, then evenly (bounded in memory).

    Args:
        a_minute: requests of one client.
        clients: so many are remembered, the latest.
    """

    def __init__(self, a_minute: int, clients: int = 10_000) -> None:
        self._full, self._clients = float(a_minute), clients
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, client: str, now: float | None = None) -> int:
        """Takes one request; 0, or the whole seconds to wait until the next one is allowed."""
        now = time.monotonic() if now is None else now
        level, since = self._buckets.pop(client, (self._full, now))
        level = min(self._full, level + (now - since) * self._full / 60)
        allowed = level >= 1
        self._buckets[client] = (level - 1 if allowed else level, now)
        if len(self._buckets) > self._clients:
            self._buckets.popitem(last=False)
        return 0 if allowed else max(1, math.ceil((1 - level) * 60 / self._full))
