"""How long to wait before a request is tried again."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential back-off with jitter.

    Attributes:
        retries: further attempts after the first.
        first: upper bound of the first wait in seconds; each later bound is twice the one before.
        cap: no wait is longer, whatever `Retry-After` says, in seconds.
    """

    retries: int = 5
    first: float = 0.5
    cap: float = 60.0

    def delay(
        self, attempt: int, retry_after: float | None = None, draw: Callable[[], float] = random.random
    ) -> float:
        """Seconds to wait after failed attempt number `attempt` (0-based).

        Between half the bound and the bound, so that many clients do not come back together; at least what
        the server asked for, up to the cap.
        """
        bound = min(self.cap, self.first * 2.0 ** min(attempt, 32))
        wait = bound * (0.5 + draw() / 2)
        return min(self.cap, max(wait, retry_after or 0.0))

    def reaches(self, attempt: int, asked: float | None) -> bool:
        """Whether the attempts left after number `attempt` (0-based) last as long as the server asked for."""
        return (asked or 0.0) <= (self.retries - attempt) * self.cap


def retry_after(value: str | None, date: int | None = None) -> float | None:
    """Seconds that a `Retry-After` header asks for (RFC 9110, 10.2.3); None where it says nothing usable.

    Args:
        value: of the header.
        date: nanoseconds since 1970 that the answer's `Date` states: a moment is by the server's clock.
    """
    if not value:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    moment = _moment(value)
    now = datetime.now(UTC).timestamp() if date is None else date / 1_000_000_000
    return None if moment is None else max(0.0, moment.timestamp() - now)


def http_date(value: str | None) -> int | None:
    """Nanoseconds since 1970 of a date in a header (RFC 9110, 5.6.7); None where it is none."""
    moment = _moment(value) if value else None
    return None if moment is None else int(moment.timestamp()) * 1_000_000_000


def _moment(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError, TypeError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
