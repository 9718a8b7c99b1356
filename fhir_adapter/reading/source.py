"""What changed on the server since a watermark, as pages of notes.

Polling by `_lastUpdated` alone loses notes: a stamp is taken when a transaction begins, so a late commit
appears below a watermark. Hence the overlap; what it reads twice is told apart by type, id and version.
"""

import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from fhir_adapter.errors import GoneError, HttpStatusError, NotFhirError
from fhir_adapter.filed import is_own
from fhir_adapter.lenient import JsonObject, as_dict, has_tag, reference_of, relative
from fhir_adapter.note import SourceNote
from fhir_adapter.reading.by_id import find_by_id, whole
from fhir_adapter.reading.page import Page, Unreadable, read_entry, unreadable
from fhir_adapter.reading.patients import OF_ONE_PATIENT, Patients
from fhir_adapter.reading.policy import Policy, ineligible
from fhir_adapter.reading.replacements import NamedTargets, Stated, find_replacements, with_replacements
from fhir_adapter.reading.seen import Seen
from fhir_adapter.reading.selection import Selection
from fhir_adapter.reading.source_note import read_source
from fhir_adapter.reading.strategy import Strategy, choose_strategy, weaker
from fhir_adapter.reading.walk import Gap, Span, Walk
from fhir_adapter.reasons import Reason
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.search_page import SearchPage
from fhir_adapter.rest.searching import first_taken
from fhir_adapter.stamps import in_nanoseconds, instant, last_updated, nanoseconds

__all__ = ["Page", "Policy", "Source", "Unreadable", "ineligible", "read_source"]

_RESTARTS = 5


class Source:
    """Walks the notes of a server.

    Args:
        client: the server.
        page_size: asked for; a server may give fewer.
        overlap: how far below the watermark a pass begins.
        policy: which statuses count as finished.
        derived_tag: system and code of the tag on everything this software writes.
        selection: which notes are asked for; all of them unless told.
        patients: where given, one search for each of them instead of one over all.
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
        selection: Selection | None = None,
        patients: Patients | None = None,
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
        self._selection = selection or Selection()
        self._patients = patients
        self._clock = clock
        self._strategies: dict[str, Strategy] = {}
        self._stated = Stated(client)
        self._targets = NamedTargets(client)
        self._found_by_patient: set[str] = set()  # types for which a patient's search found something
        self._named: frozenset[str] | None = None

    def ineligible(self, note: SourceNote) -> Reason | None:
        """Why the note is not to be summarised by its status, or None."""
        return ineligible(note, self.policy)

    async def read(self, reference: str) -> SourceNote:
        """One note as it stands now, as a pass would see it.

        Raises:
            NoteError: MALFORMED. FhirAdapterError: as the client raises it.
        """
        resource = await self._targets.named(await self._client.read(reference))
        note = read_source(resource)
        if note.resource_type == "DocumentReference":
            self._stated.see([resource])
            always = _of_patient(self._whose(resource)) if self._patients else ()
            replaced, _ = await find_replacements(self._client, [note], self._stated, always)
            note = replace(note, replaced_by=replaced.get(note.reference))
        return replace(note, left_out=not self._selection.holds(resource, self._client.base_url))

    async def now(self, resource_type: str, references: Sequence[str]) -> tuple[Page, list[str]]:
        """These notes as the server has them, and those that its answer lacks.

        Args:
            resource_type: of all of them.
            references: `Type/id`, at most a page of them.

        Returns:
            A page, and what has to be read one by one: that says what became of it.

        Raises:
            FhirAdapterError: the server does not answer.
        """
        found = await find_by_id(self._client, resource_type, references)
        resources = [resource for resource in found.values() if await self._is_asked_for(resource)]
        seen = Seen(Strategy(resource_type, None), None, 0, self._now())
        answer = SearchPage(tuple(resources), (), (), is_last=True)
        return await self._page(resource_type, answer, seen), [r for r in references if r not in found]

    async def _is_asked_for(self, resource: JsonObject) -> bool:
        """Whether the note is of one of the patients that the settings name, where they do."""
        if self._patients is None:
            return True
        if self._named is None:
            self._named = frozenset(await self._patients.references())
        return self._whose(resource) in self._named

    def mark(self, resource_type: str) -> str:
        """The name of the watermark of a type: another one for each selection, so that none hides notes."""
        if not self._selection:
            return resource_type
        return f"{resource_type}?{hashlib.sha256(repr(self._selection).encode()).hexdigest()[:12]}"

    def _whose(self, resource: JsonObject) -> str:
        return relative(as_dict(resource.get("subject")).get("reference"), self._client.base_url)

    async def names_deleted(self, resource_type: str) -> bool:
        """Whether the server keeps a history of the type, and gives stamps to go by."""
        if (await self.strategy(resource_type)).parameter != "_lastUpdated":
            return False
        return (await self._client.capability()).history(resource_type)

    async def deleted_since(self, resource_type: str, watermark: str) -> list[str]:
        """`Type/id` of what was deleted since the watermark and is not back; empty where nothing names it.

        Raises:
            FhirAdapterError: as the client raises it.
        """
        begin = nanoseconds(watermark)
        if begin is None or not await self.names_deleted(resource_type):
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
            known = (await self._client.capability()).search_params(resource_type)
            always = self._selection.params(resource_type, known)
            if self._patients:
                found, certain = Strategy(resource_type, None, always, by_patient=True), True
            else:
                found, certain = await choose_strategy(self._client, resource_type, always)
            if certain:
                self._strategies[resource_type] = found
        return found

    async def changed_since(self, resource_type: str, watermark: str | None) -> AsyncGenerator[Page, None]:
        """Pages of what changed since the watermark, oldest first where the server sorts; see `Walk`.

        Raises:
            ValueError: the watermark is no instant.
            FhirAdapterError: as the client raises it.
        """
        begin = nanoseconds(watermark) if watermark is not None else None
        if watermark is not None and begin is None:
            raise ValueError("the watermark is not an instant")
        if self._patients:
            pages = self._by_patient(await self.strategy(resource_type), None)
        else:
            pages = self._weakening(resource_type, lambda strategy: self._walked(strategy, begin))
        async for page in pages:
            yield page

    async def _weakening(
        self, resource_type: str, walked: Callable[[Strategy], AsyncIterator[Page]]
    ) -> AsyncIterator[Page]:
        """The pages by the best strategy that the server does not refuse, which is kept."""
        declared = (await self._client.capability()).search_params(resource_type)
        best = await self.strategy(resource_type)
        async for strategy, page in first_taken(weaker(best, declared), walked):
            if strategy != best:
                self._strategies[resource_type] = strategy
            yield page

    async def _by_patient(self, strategy: Strategy, since: int | None) -> AsyncIterator[Page]:
        """All notes of all patients, whatever was read before.

        No watermark is kept: a patient who is admitted brings notes that are older than any, and most servers
        that want a patient in a search cannot search by `_lastUpdated`. The ledger tells what is new.
        """
        patients = await self._patients.references() if self._patients else []
        for patient in patients:
            async for page in self._of_one(strategy, patient, since):
                yield page

    async def of_patient(self, resource_type: str, patient: str, since: str = "") -> AsyncIterator[Page]:
        """Pages of all notes of a patient (`Patient/id`), whatever was read before; as `everything`."""
        known = (await self._client.capability()).search_params(resource_type)
        always = self._selection.params(resource_type, known)
        strategy = Strategy(resource_type, None, always, by_patient=True)
        async for page in self._of_one(strategy, patient, nanoseconds(since)):
            yield page

    async def between(self, resource_type: str, begin: int | None, end: int | None) -> AsyncIterator[Page]:
        """Pages of the notes with stamps from `begin` on and below `end`, in nanoseconds."""
        span = Span(begin, end)
        async for page in self._weakening(resource_type, lambda s: self._walked(s, None, span=span)):
            yield page

    async def _of_one(self, strategy: Strategy, patient: str, since: int | None) -> AsyncIterator[Page]:
        fault: Exception | None = None
        answered = False
        # Servers were seen to refuse `patient`, and to find nothing by it where `subject` finds all.
        for parameter in (_of_patient(patient), (("subject", patient),)):
            one = replace(strategy, always=(*parameter, *strategy.always))
            begun = some = False
            try:
                async for page in self._walked(one, None, patient, since):
                    begun = True
                    some = some or bool(page.notes or page.derived or page.repeated)
                    yield replace(page, newest=None)
            except OF_ONE_PATIENT as error:
                if answered and not begun:
                    return
                answered, fault = False, fault or error
                if begun or not isinstance(error, HttpStatusError) or not error.unsupported:
                    break
            else:
                if some or strategy.resource_type in self._found_by_patient:
                    self._found_by_patient.add(strategy.resource_type)
                    return
                answered = True
        if answered:
            return
        status = f"HTTP {fault.status}" if isinstance(fault, HttpStatusError) else type(fault).__name__
        detail = f"one patient's notes cannot be searched ({status})"
        yield Page((Unreadable("", Reason.SERVER_ERROR, detail),), None, is_last=False)

    async def _walked(
        self,
        strategy: Strategy,
        begin: int | None,
        patient: str = "",
        since: int | None = None,
        span: Span | None = None,
    ) -> AsyncIterator[Page]:
        now, resource_type, overlap = self._now(), strategy.resource_type, in_nanoseconds(self._overlap)
        seen = Seen(strategy, begin, overlap, now)
        asked = span or Span(None if begin is None else begin - seen.overlap, None)
        walk = Walk(self._client, resource_type, strategy, seen, asked, page_size=self._page_size, now=now)
        async for found in walk.pages():
            if isinstance(found, Gap):
                yield Page(unreadable(found.references, found.detail), seen.newest, is_last=False)
                continue
            page = await self._page(resource_type, self._asked(found, patient, since), seen, patient)
            yield replace(page, notice="; ".join(filter(None, (page.notice, *walk.taken()))))
        if begin is not None and strategy.parameter == "_lastUpdated" and seen.set_back(begin):
            yield Page((), None, is_last=False, notice=_SET_BACK)
            async for one in self._walked(strategy, None, patient, since):
                yield one
            return
        notices = walk.taken()
        if seen.any_resource and not seen.any_stamp:
            notices.append("the server puts no stamp on them, so every pass reads all of them")
        if notices or not walk.whole:
            yield Page((), seen.newest, is_last=True, notice="; ".join(notices), whole=walk.whole)

    def _now(self) -> int:
        return int(self._clock().timestamp() * 1_000_000_000)

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
        strategy = await self.strategy(resource_type)
        pages = self._by_patient if self._patients else self._in_other_order
        async for page in pages(strategy, lower):
            yield page

    async def _in_other_order(self, strategy: Strategy, lower: int | None) -> AsyncIterator[Page]:
        resource_type = strategy.resource_type
        limits = [*strategy.always, *([] if lower is None else [("_lastUpdated", f"ge{instant(lower)}")])]
        order = ("_sort", "_id" if lower is None else "-_lastUpdated")
        ways = [[*limits, order], limits, [order], []] if limits else [[order], []]
        for way in ways:
            seen = Seen(Strategy(resource_type, None), None, 0, self._now())
            params = [*way, ("_count", str(self._page_size))]
            begun = False
            try:
                async for found in self._client.search(resource_type, params):
                    begun = True
                    yield await self._page(resource_type, self._late(found, lower), seen)
            except HttpStatusError as error:
                if not begun and (way is ways[-1] or not error.unsupported):
                    raise
                if not begun:
                    continue
            except NotFhirError:
                if not begun:
                    raise
            else:
                return
            if begun:  # it broke off: what comes after has to be had by the other way
                async for page in self._walked(strategy, lower):
                    yield page
                return

    def _late(self, found: SearchPage, since: int | None) -> SearchPage:
        """The page without what is stamped earlier: a server may refuse or ignore the bound."""
        if since is None:
            return found
        late = [one for one in found.resources if (last_updated(one) or since) >= since]
        return replace(found, resources=tuple(late))

    def _asked(self, found: SearchPage, patient: str, since: int | None) -> SearchPage:
        """The page without the matches of others: a server may ignore `patient`, or a bound."""
        if not patient:
            return found
        mine = [resource for resource in found.resources if self._whose(resource) == patient]
        return self._late(replace(found, resources=tuple(mine)), since)

    async def _page(self, resource_type: str, found: SearchPage, seen: Seen, patient: str = "") -> Page:
        derived = repeated = 0
        notes: list[SourceNote | Unreadable] = []
        resources: list[JsonObject] = []
        for stated in found.resources:
            seen.stamp(stated)
            try:
                resource = await self._targets.named(await whole(self._client, stated))
            except (HttpStatusError, NotFhirError):
                if not reference_of(stated):
                    raise
                part = "the server gave a part of it"
                notes.append(Unreadable(reference_of(stated), Reason.WRONG_ANSWER, part))
                continue
            resources.append(resource)
            if has_tag(resource, self._tag) or is_own(resource):
                derived += 1
                continue
            note = read_entry(resource, resource_type)
            if isinstance(note, SourceNote) and not self._selection.holds(resource, self._client.base_url):
                note = replace(note, left_out=True)
            version = note.version_id or (note.last_updated if isinstance(note, SourceNote) else "")
            if seen.repeats(note.reference, version, resource):
                repeated += 1
            else:
                notes.append(note)
        nothing = "an entry without a resource"
        notes += [
            Unreadable(named, Reason.WRONG_ANSWER if named else Reason.MALFORMED, nothing)
            for named in found.unusable
        ]
        notice = ""
        if any(isinstance(n, SourceNote) for n in notes) and resource_type == "DocumentReference":
            self._stated.see(resources)
            always = _of_patient(patient) if patient else ()
            notes, notice = await with_replacements(self._client, notes, self._stated, always)
        return Page(tuple(notes), seen.newest, found.is_last, derived, repeated, notice)


_SET_BACK = "the server's clock was set back, so everything is read once more"


def _of_patient(reference: str) -> tuple[tuple[str, str], ...]:
    return (("patient", reference.rpartition("/")[2]),)
