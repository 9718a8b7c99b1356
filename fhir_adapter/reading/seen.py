"""What one walk over a server's notes has seen so far."""

from collections import OrderedDict
from datetime import timedelta

from fhir_adapter.lenient import JsonObject
from fhir_adapter.reading.strategy import Strategy
from fhir_adapter.stamps import in_nanoseconds, instant, last_updated, nanoseconds

_REMEMBERED = 20_000
# The header is cut to the second, and servers under load make it seldom anew; every pass looks back further.
_SLACK = in_nanoseconds(timedelta(seconds=5))


class Seen:
    """Stamps and versions of a walk: how far it is, and what it has had already.

    Args:
        strategy: the search behind the walk.
        begin: nanoseconds of the watermark, or None.
        overlap: nanoseconds below it at which the walk begins.
        now: nanoseconds; the present, until the server's own `Date` says what it takes for that.
    """

    def __init__(self, strategy: Strategy, begin: int | None, overlap: int, now: int) -> None:
        self._strategy = strategy
        self.overlap = max(overlap, strategy.least_overlap)
        self._filter = None if begin is None or strategy.parameter == "_lastUpdated" else begin - overlap
        self._now = now
        self._by_server = False
        self._versions: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._top: tuple[int, str] | None = None
        self.in_order = True
        self.reached: int | None = None
        self.any_stamp = self.any_resource = False

    def clock(self, date: int | None) -> None:
        """Takes note of the `Date` of an answer; of those of several nodes the earliest counts."""
        if date is None:
            return
        shown = date + _SLACK
        self._now = min(self._now, shown) if self._by_server else shown
        self._by_server = True

    def set_back(self, watermark: int) -> bool:
        """Whether the server's clock is now before what it had stamped already (nanoseconds).

        What it stamps now may lie below the watermark then, and would not be found by it.
        """
        return self._by_server and self._now + self.overlap < watermark

    @property
    def newest(self) -> str | None:
        """The newest stamp seen that is not ahead of the server's clock, as the server wrote it.

        A stamp in the future (a wrong clock, a client's own value) would hide all that comes after it.
        """
        if self._top and self._top[0] <= self._now:
            return self._top[1]
        return instant(self._now) if self.any_stamp else None

    def stamp(self, resource: JsonObject) -> None:
        """Takes note of a resource's stamp."""
        self.any_resource = True
        stamp = self._strategy.stamp(resource)
        at = nanoseconds(stamp)
        if stamp is None or at is None:
            self.in_order = False
            return
        self.any_stamp = True
        if self.reached is not None and at < self.reached - self.overlap:
            self.in_order = False
        self.reached = max(at, self.reached or at)
        if at <= self._now and (self._top is None or at > self._top[0]):
            self._top = (at, stamp)

    def repeats(self, reference: str, version: str, resource: JsonObject) -> bool:
        """True where this walk had the version already, or the stamp shows that an earlier pass had it."""
        if self._filter is not None:
            at = last_updated(resource)
            if at is not None and at < self._filter:
                return True
        if not reference or not version:
            return False
        key = (reference, version)
        if key in self._versions:
            return True
        self._versions[key] = None
        if len(self._versions) > _REMEMBERED:
            self._versions.popitem(last=False)
        return False
