"""One walk over a type, however the server pages, forgets, cuts short or fails.

A search that breaks off goes on behind the last stamp it reached, in smaller pages; where that does not help,
its span of time is halved until the fault is alone in a millisecond. What is left is named and never passed
over: by its id where the server says that, else by its time. A search is complete only when it holds as many
as the server says there are, and when nothing changed its order meanwhile.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from fhir_adapter.errors import (
    EndlessLinksError,
    FhirAdapterError,
    HttpStatusError,
    NotFhirError,
    OutsideBaseError,
    RefusedError,
    ResponseTooLargeError,
    ServerUnreachableError,
)
from fhir_adapter.lenient import JsonObject, reference_of, version_of
from fhir_adapter.reading.seen import Seen
from fhir_adapter.reading.strategy import Strategy
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.search_page import SearchPage
from fhir_adapter.stamps import instant, nanoseconds

_MILLISECOND = 1_000_000
_FIRST = 946_684_800_000 * _MILLISECOND  # the year 2000: nothing on a FHIR server is older
_SECOND = 1_000 * _MILLISECOND
_DAY = 86_400_000 * _MILLISECOND
_FUTURE = "ge2999-01-01T00:00:00Z"
_REMEMBERED = 200_000  # resources told apart, as numbers
_LARGEST = 1_000  # resources in a page
_AT_ONCE = 50
_ROUNDS = 3  # searches of one span whose order changed meanwhile
_FAILURES = 48  # in a row with nothing new between, more than halving a century to a millisecond needs
_SPLITS = 1_000  # in one walk
# Codes of an OperationOutcome beside the matches that say that there are more (R4, issue-type).
_INCOMPLETE = frozenset(
    {"incomplete", "timeout", "throttled", "too-costly", "too-long", "transient", "exception", "lock-error"}
)

_WITHHELD = frozenset({"suppressed", "security", "forbidden"})  # by a rule, so that waiting changes nothing


@dataclass(frozen=True, slots=True)
class Gap:
    """A span of time in which something cannot be read.

    Attributes:
        references: `Type/id` where the server at least names it.
        detail: why, without any text of a note.
    """

    references: tuple[str, ...]
    detail: str


@dataclass(frozen=True, slots=True)
class Span:
    """Stamps from `begin` on, below `end`; None for no bound. Nanoseconds."""

    begin: int | None
    end: int | None


@dataclass(slots=True)
class _Search:
    """What one search gave so far.

    Attributes:
        total: as the server states it.
        beside: entries that are no matches.
        ended: the last page came.
        fresh: something came that the walk had not had.
        fault: what it broke off with.
        again: the same is to be asked for once more, without an order.
        moved: something came twice, in two versions, or there are fewer than before, so that others may have
            slipped from page to page.
        full: the one page holds as many as were asked for, and nothing says whether there are more.
    """

    pages: int = 0
    count: int = 0
    total: int | None = None
    beside: int = 0
    ended: bool = False
    fresh: bool = False
    moved: bool = False
    full: bool = False
    again: bool = False
    fault: FhirAdapterError | None = None

    @property
    def lacking(self) -> int:
        """How many more the server says that it has; it may have counted what is no match."""
        more = max(0, (self.total or 0) - self.count) if self.ended else 0
        return 0 if more == self.beside else more

    @property
    def short(self) -> bool:
        """Its pages went in a circle, and the server says that it has more."""
        return isinstance(self.fault, EndlessLinksError) and (self.total or 0) > self.count


def _again(search: _Search, rounds: int) -> bool:
    """Whether a search whose order changed is worth another one."""
    return rounds == 0 or (search.fresh and rounds < _ROUNDS)


class Walk:
    """The pages of one walk.

    Args:
        client: the server.
        resource_type: what is walked over.
        strategy: how its changes are found.
        seen: takes note of everything.
        span: what it walks over.
        page_size: asked for at first.
        now: nanoseconds.

    Attributes:
        notices: remarks that make the walk less certain than it should be, and whether they are new.
        whole: nothing that there is can have been missed; else the watermark must stay where it was.
    """

    def __init__(
        self,
        client: FhirClient,
        resource_type: str,
        strategy: Strategy,
        seen: Seen,
        span: Span,
        *,
        page_size: int,
        now: int,
    ) -> None:
        self._client, self._type, self._strategy, self._seen = client, resource_type, strategy, seen
        self._asked, self._page_size, self._now = span, page_size, now
        self._failures = self._splits = 0
        self._sorting = self._totals_hold = self._bounded = True
        self._answered = False
        self._had: set[int] = set()
        self._named: set[str] = set()
        self.notices: dict[str, bool] = {}
        self.whole = True

    async def pages(self) -> AsyncIterator[SearchPage | Gap]:
        """Every page there is, and the gaps between them.

        Raises:
            FhirAdapterError: the first search fails as a whole, or the server has stopped answering.
        """
        async for found in self._span(self._asked, halved=False):
            yield found

    def taken(self) -> list[str]:
        """The remarks since the last call."""
        told = [notice for notice, new in self.notices.items() if new]
        self.notices.update(dict.fromkeys(told, False))
        return told

    def _doubt(self, notice: str) -> None:
        self.whole = False
        self.notices.setdefault(notice, True)

    async def _span(self, span: Span, *, halved: bool) -> AsyncIterator[SearchPage | Gap]:
        """All of a span: searched again while its order changes, from where it broke off, or in halves."""
        size, rounds = self._page_size, 0
        tried: set[int] = set()  # sizes, so that they do not grow and shrink without end
        while True:
            tried.add(size)
            search = _Search()
            async for page in self._tried(span, size, search):
                yield page
            if search.again or (search.fault is None and search.moved and _again(search, rounds)):
                rounds += not search.again
                continue
            if search.fault is None and not search.lacking and not search.full:
                return
            onward, other = self._onward(span, search), self._other_size(size, search, halved)
            if onward is not None:
                span, tried = onward, set()
            elif isinstance(search.fault, EndlessLinksError):
                self._doubt("the server gives the same resources again and again; there may be others")
                return
            elif other not in tried:
                size = other
            elif search.fault is None and not search.lacking:
                return
            else:
                async for found in self._halves(span, search):
                    yield found
                return

    async def _tried(self, span: Span, size: int, search: _Search) -> AsyncIterator[SearchPage]:
        """The pages of one search; a fault that another question may mend is kept with it.

        Raises:
            FhirAdapterError: any other fault.
        """
        try:
            async for page in self._search(span, size, search):
                yield page
        except FhirAdapterError as error:
            search.again = self._without_order(error)
            if not search.again and self._final(error, search):
                raise
            search.fault = None if search.again else error

    async def _search(self, span: Span, size: int, search: _Search) -> AsyncIterator[SearchPage]:
        """The pages of one search, taken note of."""
        versions: dict[str, str] = {}
        nameless = 0
        async for page in self._client.search(self._type, [*self._params(span), ("_count", str(size))]):
            self._answered = True
            self._seen.clock(page.date)
            search.pages += 1
            search.beside += page.beside
            search.moved |= page.total is not None and search.count <= page.total < (search.total or 0)
            search.total = search.total if page.total is None else page.total
            for resource in page.resources:
                reference, version = reference_of(resource), version_of(resource)
                nameless += not reference
                search.moved |= search.pages > 1 and versions.get(reference, version) != version
                versions[reference] = version
                if self._is_new(reference, version):
                    search.fresh, self._failures = True, 0
                self._bounded &= self._within(resource, span)
            for reference in page.unusable:
                nameless += not reference
                versions.setdefault(reference, "")
            search.count = len(versions.keys() - {""}) + nameless
            lacking = (_INCOMPLETE & set(page.outcome)) | set(page.failed)
            for code in sorted(lacking):
                self._doubt(f"the server says that its answer is not whole ({code})")
            for code in sorted(_WITHHELD & set(page.outcome) - lacking):
                self.notices.setdefault(f"the server says that it holds something back ({code})", True)
            search.ended = page.is_last
            one = search.pages == 1 and page.is_last
            search.full = one and search.total is None and len(page.resources) >= size
            yield page

    def _is_new(self, reference: str, version: str) -> bool:
        key = hash((reference, version))
        if key in self._had:
            return False
        if len(self._had) >= _REMEMBERED:
            self._had.clear()
        self._had.add(key)
        return True

    def _within(self, resource: JsonObject, span: Span) -> bool:
        """The match is of the span that was asked for, to the second; a server may ignore the bounds."""
        at = nanoseconds(self._strategy.stamp(resource)) if self._by_stamp else None
        if at is None:
            return True
        return (span.begin or at) - _SECOND <= at <= (span.end or at) + _SECOND

    def _params(self, span: Span) -> list[tuple[str, str]]:
        params = self._strategy.params(span.begin)
        if span.end is not None:
            params = [("_lastUpdated", f"lt{instant(span.end)}"), *params]
        return params if self._sorting else [one for one in params if one[0] != "_sort"]

    def _without_order(self, error: FhirAdapterError) -> bool:
        """Whether the same is to be asked for without an order, since the server refuses that."""
        refused = isinstance(error, HttpStatusError) and error.unsupported
        if self._answered or not refused or not self._sorting or self._strategy.parameter is None:
            return False
        self._sorting = self._seen.in_order = False
        return True

    def _final(self, error: FhirAdapterError, search: _Search) -> bool:
        """An error that no other question to the server will mend."""
        if isinstance(error, (RefusedError, OutsideBaseError, ServerUnreachableError)):
            return True
        clear = isinstance(error, HttpStatusError) and not error.passing
        return clear and not search.pages and not self._answered

    def _onward(self, span: Span, search: _Search) -> Span | None:
        """From the last stamp reached, where the server's order makes that safe and something came."""
        reached = self._seen.reached
        if (
            (search.fault is None and not search.full)
            or not (search.fresh or search.short)
            or reached is None
            or not self._seen.in_order
            or not self._by_stamp
        ):
            return None
        for begin in (reached - self._seen.overlap, reached):
            if span.begin is None or begin > span.begin:
                return Span(begin, span.end)
        return None

    def _other_size(self, size: int, search: _Search, halved: bool) -> int:
        """Smaller pages where one may be too much for the server, larger ones where it loses its place."""
        fault = search.fault
        if search.full:
            return min(size * 4, _LARGEST)
        if isinstance(fault, HttpStatusError) and fault.status < 500 and search.pages:
            return size if halved else min(size * 4, _LARGEST)
        too_much = isinstance(fault, (ResponseTooLargeError, NotFhirError))
        if too_much or (isinstance(fault, HttpStatusError) and not halved):
            return max(1, size // 4)
        return size

    @property
    def _by_stamp(self) -> bool:
        return self._strategy.parameter == "_lastUpdated"

    async def _halves(self, span: Span, search: _Search) -> AsyncIterator[SearchPage | Gap]:
        """The span in two, and what cannot be halved as a gap."""
        fault = search.fault
        self._failures += 1
        self._splits += 1
        if fault and (not self._by_stamp or not await self._alive()):
            raise fault
        begin, end = span.begin or _FIRST, span.end or self._now + _DAY
        middle = (begin + end) // 2 // _MILLISECOND * _MILLISECOND
        if self._worth_halving and begin < middle < end:
            # Servers were seen to leave out of `lt` what lies in the millisecond before.
            again = middle - _MILLISECOND
            for half in (Span(span.begin, middle), Span(again if again > begin else middle, span.end)):
                async for found in self._span(half, halved=True):
                    yield found
        elif fault is None:
            self._totals_hold = False
            self._doubt(f"the server says that it holds {search.lacking} more than it gives")
        else:
            async for found in self._one_by_one(span, fault):
                yield found

    @property
    def _worth_halving(self) -> bool:
        within = self._failures <= _FAILURES and self._splits <= _SPLITS
        return self._by_stamp and self._bounded and self._totals_hold and within

    async def _alive(self) -> bool:
        """The server answers a search that finds nothing."""
        try:
            async for _ in self._client.search(self._type, [("_lastUpdated", _FUTURE), ("_count", "1")]):
                return True
        except FhirAdapterError:
            return False
        return False

    async def _one_by_one(self, span: Span, fault: FhirAdapterError) -> AsyncIterator[SearchPage | Gap]:
        """What a page cannot give may be had by its ids."""
        when = f"{instant(span.begin or _FIRST)} to {instant(span.end or self._now)}"
        why = f"HTTP {fault.status}" if isinstance(fault, HttpStatusError) else type(fault).__name__
        params = [*self._params(span), ("_elements", "id"), ("_count", str(_AT_ONCE))]
        named: list[str] = []
        try:
            async for page in self._client.search(self._type, params):
                named += filter(None, [*map(reference_of, page.resources), *page.unusable])
        except FhirAdapterError:
            # Nobody can say which notes these are, so that none can be tried again by its id.
            self._doubt(f"a page cannot be read ({why}; stamps from {when})")
            yield Gap((), f"{why}, stamps from {when}")
            return
        good: list[JsonObject] = []
        bad: list[str] = []
        for reference in dict.fromkeys(named):
            try:
                good.append(await self._client.read(reference))
            except FhirAdapterError:
                bad.append(reference)
        for resource in good:
            self._is_new(reference_of(resource), version_of(resource))
        yield SearchPage(tuple(good), (), (), is_last=False)
        fresh = [reference for reference in bad if reference not in self._named]  # halves may overlap
        self._named.update(fresh)
        if fresh:
            yield Gap(tuple(fresh), why)
