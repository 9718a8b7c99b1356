"""Searches as pieces, for a server that exports nothing: stretches of time, or patients one by one."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import pairwise

from fhir_adapter import canonical
from fhir_adapter.errors import HttpStatusError, NotFhirError
from fhir_adapter.reading.page import Page
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.stamps import instant, nanoseconds
from jobs.backfill.pieces import Place, Wanted, digest
from jobs.passes.changes import Changes
from jobs.passes.parts import Parts
from jobs.passes.work import Batch

_MOST = 2_000  # notes of a stretch
_MILLISECOND = 1_000_000
_STRETCHES = 64  # of a server that does not count


@dataclass(frozen=True, slots=True)
class StretchPiece:
    """Notes of a type with stamps in a stretch of time.

    Attributes:
        begin: nanoseconds, or None for no bound.
        end: nanoseconds, not of it itself, or None.
        count: notes, as the server says; 0 where it does not.
    """

    resource_type: str
    begin: int | None
    end: int | None
    count: int = 0

    @property
    def name(self) -> str:
        """The same for the same stretch."""
        return digest(self.resource_type, str(self.begin), str(self.end))

    @property
    def weight(self) -> int:
        """Notes."""
        return max(self.count, 1)

    async def batches(self, parts: Parts, changes: Changes, after: int) -> AsyncIterator[Batch | Place]:
        """As `Piece.batches`; a stretch that was not finished is searched again."""
        pages = parts.source.between(self.resource_type, self.begin, self.end)
        async for found in _of_pages(self.resource_type, pages, changes, self.weight):
            yield found


@dataclass(frozen=True, slots=True)
class PatientPiece:
    """All notes of a patient."""

    patient: str
    wanted: Wanted

    @property
    def name(self) -> str:
        """Does not show which."""
        return digest(self.patient)

    @property
    def weight(self) -> int:
        """One patient."""
        return 1

    async def batches(self, parts: Parts, changes: Changes, after: int) -> AsyncIterator[Batch | Place]:
        """As `Piece.batches`."""
        for resource_type in self.wanted.types:
            pages = parts.source.of_patient(resource_type, self.patient, self.wanted.since)
            async for found in _of_pages(resource_type, pages, changes, 1):
                yield found


async def _of_pages(
    resource_type: str, pages: AsyncIterator[Page], changes: Changes, weight: int
) -> AsyncIterator[Batch | Place]:
    seen = 0
    async for page in pages:
        async for batch in changes.triaged(resource_type, page):
            yield batch
        seen += len(page.notes)
        yield Place(0, min(seen, weight))


async def stretches(parts: Parts, wanted: Wanted) -> list[StretchPiece]:
    """The time since the oldest note in stretches of about as many notes each.

    Raises:
        FhirAdapterError: as the client raises it.
    """
    found: list[StretchPiece] = []
    for resource_type in wanted.types:
        strategy = await parts.source.strategy(resource_type)
        since = nanoseconds(wanted.since)
        if strategy.parameter != "_lastUpdated":
            found.append(StretchPiece(resource_type, since, None))
            continue
        oldest, newest = await _ends(parts.client, resource_type)
        if oldest is None or newest is None:
            continue
        begin = max(oldest, since or oldest)
        # Open at both ends: a stamp that is wrong, or comes while this runs, is of one of them too.
        whole = StretchPiece(resource_type, since, None)
        found += await _divided(parts.client, whole, begin, newest + _MILLISECOND)
    return found


async def _divided(client: FhirClient, piece: StretchPiece, first: int, last: int) -> list[StretchPiece]:
    """The stretch in parts of at most so many notes; `first` and `last` say where its notes lie."""
    count = await _count(client, piece)
    if count is None:
        edges = [first + (last - first) * n // _STRETCHES for n in range(1, _STRETCHES)]
        bounds = [
            piece.begin,
            *dict.fromkeys(edge // _MILLISECOND * _MILLISECOND for edge in edges),
            piece.end,
        ]
        pairs = pairwise(bounds)
        return [StretchPiece(piece.resource_type, begin, end) for begin, end in pairs]
    middle = (first + last) // 2 // _MILLISECOND * _MILLISECOND
    if count <= _MOST or not first < middle < last:
        return [StretchPiece(piece.resource_type, piece.begin, piece.end, count)] if count else []
    lower = StretchPiece(piece.resource_type, piece.begin, middle)
    upper = StretchPiece(piece.resource_type, middle, piece.end)
    return [*await _divided(client, lower, first, middle), *await _divided(client, upper, middle, last)]


async def _count(client: FhirClient, piece: StretchPiece, *also: tuple[str, str]) -> int | None:
    """How many the server says that there are; None where it does not."""
    bounds = [("ge", piece.begin), ("lt", piece.end)]
    params = [("_lastUpdated", f"{sign}{instant(at)}") for sign, at in bounds if at is not None]
    try:
        async for page in client.search(piece.resource_type, [*params, *also, ("_summary", "count")]):
            return page.total
    except (HttpStatusError, NotFhirError):
        return None
    return None


async def _ends(client: FhirClient, resource_type: str) -> tuple[int | None, int | None]:
    """Stamps of the oldest and the newest, in nanoseconds."""
    found: list[int | None] = []
    for order in ("_lastUpdated", "-_lastUpdated"):
        stamp = None
        async for page in client.search(resource_type, [("_sort", order), ("_count", "1")]):
            metas = [resource.get("meta") for resource in page.resources]
            stamps = [nanoseconds(meta.get("lastUpdated")) for meta in metas if isinstance(meta, dict)]
            stamp = next((at for at in stamps if at is not None), None)
            break
        found.append(stamp)
    return found[0], found[1]


async def count_notes(client: FhirClient, wanted: Wanted) -> int | None:
    """How many notes the server says that there are, without what is written here; None where it does not."""
    notes = 0
    for resource_type in wanted.types:
        all_of_it = StretchPiece(resource_type, nanoseconds(wanted.since), None)
        count = await _count(client, all_of_it)
        if count is None:
            return None
        ours = ("_tag", "|".join(canonical.EXTRACTED_TEXT_TAG))
        derived = await _count(client, all_of_it, ours) if resource_type == "DocumentReference" else 0
        notes += count - (derived or 0)
    return notes
