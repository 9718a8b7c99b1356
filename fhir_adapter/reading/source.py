"""What changed on the server since a watermark, as pages of notes.

Polling by `_lastUpdated` alone loses notes: a stamp is taken when a transaction begins, so a late commit
appears below a watermark. Hence the overlap; what it reads twice is told apart by type, id and version.
"""

from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from fhir_adapter.errors import GoneError, HttpStatusError, NoteError, NotFoundError, ResponseTooLargeError
from fhir_adapter.lenient import JsonObject, has_tag, reference_of
from fhir_adapter.note import SourceNote
from fhir_adapter.reading.policy import Policy, ineligible
from fhir_adapter.reading.replacements import find_replacements
from fhir_adapter.reading.source_note import read_source
from fhir_adapter.reading.strategy import Strategy, choose_strategy
from fhir_adapter.reasons import Reason
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.search_page import SearchPage
from fhir_adapter.stamps import in_nanoseconds, instant, nanoseconds

__all__ = ["Page", "Policy", "Source", "Unreadable", "ineligible", "read_source"]

_REMEMBERED = 20_000
_RESTARTS = 5
_AHEAD = in_nanoseconds(timedelta(days=1))


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An entry of a page that gives no note.

    Attributes:
        reference: `Type/id`, or "" where not even that can be read.
        version_id: `meta.versionId` as found, or "".
    """

    reference: str
    reason: Reason
    detail: str
    version_id: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a pass.

    Attributes:
        notes: in the server's order. Eligible or not: ask `Source.ineligible`.
        newest: the newest stamp seen so far in the pass, as the server wrote it; the next watermark, once
            the last page is safely in the ledger. None where nothing has a stamp.
        is_last: the pass ends with this page.
        derived: resources left out because they carry the tag of what this software writes.
        repeated: resources left out because this pass, or by their stamp an earlier one, had them already.
        notice: a plain sentence where this page is known to be less certain than it should be.
    """

    notes: tuple[SourceNote | Unreadable, ...]
    newest: str | None
    is_last: bool
    derived: int = 0
    repeated: int = 0
    notice: str = ""


class Source:
    """Walks the notes of a server.

    Args:
        client: the server.
        page_size: asked for; a server may give fewer.
        overlap: how far below the watermark a pass begins.
        policy: which statuses count as finished.
        derived_tag: system and code of the tag on everything this software writes.
        clock: the present, for tests.
    """

    def __init__(
        self,
        client: FhirClient,
        *,
        derived_tag: tuple[str, str],
        page_size: int = 100,
        overlap: timedelta = timedelta(minutes=2),
        policy: Policy | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        if page_size < 1:
            raise ValueError("the page size must be at least 1")
        if overlap < timedelta(0):
            raise ValueError("the overlap cannot be negative")
        self._client = client
        self._tag = derived_tag
        self._page_size = page_size
        self._overlap = overlap
        self.policy = policy or Policy()
        self._clock = clock
        self._strategies: dict[str, Strategy] = {}

    def ineligible(self, note: SourceNote) -> Reason | None:
        """Why the note is not to be summarised by its status, or None."""
        return ineligible(note, self.policy)

    async def read(self, reference: str) -> SourceNote:
        """One note as it stands now, as a pass would see it.

        Raises:
            NoteError: MALFORMED. FhirAdapterError: as the client raises it.
        """
        resource = await self._client.read(reference)
        note = read_source(resource)
        if note.resource_type == "DocumentReference":
            replaced, _ = await find_replacements(self._client, [note], [])
            note = replace(note, replaced_by=replaced.get(note.reference))
        return note

    async def deleted_since(self, resource_type: str, watermark: str) -> list[str]:
        """`Type/id` of what was deleted since the watermark and is not back.

        Empty where the server keeps no history of a type, or gives no stamps to go by: a deletion is then
        found by the audit alone.

        Raises:
            FhirAdapterError: as the client raises it.
        """
        begin = nanoseconds(watermark)
        if begin is None or (await self.strategy(resource_type)).parameter != "_lastUpdated":
            return []
        if not (await self._client.capability()).history(resource_type):
            return []
        since = instant(begin - in_nanoseconds(self._overlap))
        for _ in range(_RESTARTS):
            try:
                return await self._client.deleted(resource_type, since)
            except GoneError:  # the server forgot the pages half-way
                continue
        return await self._client.deleted(resource_type, since)

    async def strategy(self, resource_type: str) -> Strategy:
        """How this server's changes are found, and what that misses; for the log and for `doctor`."""
        found = self._strategies.get(resource_type)
        if found is None:
            found, certain = await choose_strategy(self._client, resource_type)
            if certain:
                self._strategies[resource_type] = found
        return found

    async def changed_since(self, resource_type: str, watermark: str | None) -> AsyncIterator[Page]:
        """Pages of what changed since the watermark, oldest first where the server sorts.

        A search that the server forgets half-way (410, 404) begins again from where it safely was, and a
        page that is too large is asked for again in smaller pieces; both a bounded number of times.

        Raises:
            ValueError: the watermark is no instant.
            FhirAdapterError: as the client raises it.
        """
        begin = nanoseconds(watermark) if watermark is not None else None
        if watermark is not None and begin is None:
            raise ValueError("the watermark is not an instant")
        walk = _Walk(await self.strategy(resource_type), begin, in_nanoseconds(self._overlap), self._clock())
        size, restarts = self._page_size, 0
        while True:
            started = False
            try:
                async for found in self._client.search(resource_type, walk.params(size)):
                    started = True
                    yield await self._page(resource_type, found, walk)
                return
            except (GoneError, NotFoundError):
                restarts += 1
                if not started or restarts > _RESTARTS:
                    raise
            except ResponseTooLargeError:
                if size == 1:
                    raise
                size = max(1, size // 4)
            walk.restart()

    async def everything(self, resource_type: str, since: str | None = None) -> AsyncIterator[Page]:
        """Pages of all notes of a type, by another order than `changed_since`, so that it misses other ones.

        They come by id, which no edit changes, or, with `since`, the latest first; a server that does not
        sort so gives its own order.

        Args:
            resource_type: of the notes.
            since: only what the server stamped then or later.

        Raises:
            ValueError: `since` is no instant. FhirAdapterError: as the client raises it.
        """
        lower = nanoseconds(since) if since else None
        if since and lower is None:
            raise ValueError(f"{since!r} is no instant such as 2026-05-31T00:00:00Z")
        limits = [] if lower is None else [("_lastUpdated", f"ge{instant(lower)}")]
        orders = [[("_sort", "_id" if lower is None else "-_lastUpdated")], []]
        for order in orders:
            walk = _Walk(Strategy(resource_type, None), None, 0, self._clock())
            params = [*limits, *order, ("_count", str(self._page_size))]
            begun = False
            try:
                async for found in self._client.search(resource_type, params):
                    begun = True
                    yield await self._page(resource_type, found, walk)
            except HttpStatusError as error:
                if begun or not order or error.status not in (400, 422, 501):
                    raise
            else:
                return

    async def _page(self, resource_type: str, found: SearchPage, walk: "_Walk") -> Page:
        derived = repeated = 0
        notes: list[SourceNote | Unreadable] = []
        relations: list[JsonObject] = []
        for resource in found.resources:
            walk.see(resource)
            relations.append(resource)
            if has_tag(resource, self._tag):
                derived += 1
                continue
            note = _read(resource, resource_type)
            if walk.repeats(note, resource):
                repeated += 1
            else:
                notes.append(note)
        notes += [Unreadable("", Reason.MALFORMED, "an entry without a resource")] * found.unusable
        readable = [n for n in notes if isinstance(n, SourceNote)]
        notice = ""
        if readable and resource_type == "DocumentReference":
            replaced, notice = await find_replacements(self._client, readable, relations)
            notes = [
                replace(n, replaced_by=replaced.get(n.reference)) if isinstance(n, SourceNote) else n
                for n in notes
            ]
        return Page(tuple(notes), walk.newest, found.is_last, derived, repeated, notice)


def _read(resource: JsonObject, resource_type: str) -> SourceNote | Unreadable:
    version = resource.get("meta", {}).get("versionId") if isinstance(resource.get("meta"), dict) else None
    known = version if isinstance(version, str) else ""
    if resource.get("resourceType") != resource_type:
        return Unreadable(reference_of(resource), Reason.MALFORMED, "a match of another type", known)
    try:
        return read_source(resource)
    except NoteError as error:
        return Unreadable(reference_of(resource), error.reason, error.detail, known)


class _Walk:
    """Where one pass stands: what it asks for, what it has seen."""

    def __init__(self, strategy: Strategy, begin: int | None, overlap: int, now: datetime) -> None:
        self._strategy = strategy
        self._begin = begin
        self._overlap = max(overlap, strategy.least_overlap)
        self._filter = None if begin is None or strategy.parameter == "_lastUpdated" else begin - overlap
        self._latest = int(now.timestamp() * 1_000_000_000) + _AHEAD
        self._seen: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._reached: int | None = None
        self._sorted = True
        self._top: tuple[int, str] | None = None

    @property
    def newest(self) -> str | None:
        return self._top[1] if self._top else None

    def params(self, size: int) -> list[tuple[str, str]]:
        lower = None if self._begin is None else self._begin - self._overlap
        return [*self._strategy.params(lower), ("_count", str(size))]

    def restart(self) -> None:
        """Begins again from the last stamp reached, if the server's order made that safe."""
        if self._sorted and self._reached is not None and self._strategy.parameter == "_lastUpdated":
            self._begin = max(self._begin or self._reached, self._reached)

    def see(self, resource: JsonObject) -> None:
        """Takes note of a resource's stamp."""
        stamp = self._strategy.stamp(resource)
        at = nanoseconds(stamp)
        if stamp is None or at is None:
            self._sorted = False
            return
        if self._reached is not None and at < self._reached - self._overlap:
            self._sorted = False
        self._reached = max(at, self._reached or at)
        # A stamp in the future (a wrong clock, a client's own value) would hide all that comes after it.
        if at <= self._latest and (self._top is None or at > self._top[0]):
            self._top = (at, stamp)

    def repeats(self, note: SourceNote | Unreadable, resource: JsonObject) -> bool:
        """True where this pass had the version already, or the stamp shows that an earlier pass had it."""
        if self._filter is not None:
            at = nanoseconds(resource.get("meta", {}).get("lastUpdated")) if _has_meta(resource) else None
            if at is not None and at < self._filter:
                return True
        version = note.version_id
        if not version and isinstance(note, SourceNote):
            version = note.last_updated
        if not note.reference or not version:
            return False
        key = (note.reference, version)
        if key in self._seen:
            return True
        self._seen[key] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return False


def _has_meta(resource: JsonObject) -> bool:
    return isinstance(resource.get("meta"), dict)
