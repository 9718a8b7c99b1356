"""What a backfill would take: notes, hours and money, at a speed that was measured here."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any

from fhir_adapter.bulk.ndjson import DamagedDataError
from fhir_adapter.note import SourceNote
from jobs.backfill.files import FilePiece, find_files
from jobs.backfill.plan import Request
from jobs.backfill.searches import count_notes
from jobs.ledger.ledger import Ledger
from jobs.ledger.looks import written_at
from jobs.passes.leases import Leases
from jobs.passes.parts import Parts
from jobs.passes.stages import Stages
from jobs.passes.work import Batch, Job
from jobs.runtime import runtime
from jobs.settings import Settings

_SAMPLE = 48  # notes that are read and scored
_LATEST = 2_000  # notes of the ledger whose times are looked at
_ENOUGH = 200  # of these, for a speed
_IDLE = timedelta(seconds=30)  # between two notes of a run


@dataclass(frozen=True, slots=True)
class Speed:
    """Notes a second of one process.

    Attributes:
        measured: on what, in words.
    """

    per_second: float
    measured: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a backfill would take.

    Attributes:
        way: where the notes come from.
        notes: that there are; None where the server does not say.
        known: of these, what the ledger has.
        speed: of one process; None where there is nothing to measure it on.
        workers: how many there are.
        rate: notes a second that may be written at most, or None.
        cost_per_hour: of all that runs, in any currency.
    """

    way: str
    notes: int | None
    known: int
    speed: Speed | None
    workers: int
    rate: float | None = None
    cost_per_hour: float | None = None

    @property
    def left(self) -> int | None:
        """Notes to do."""
        return None if self.notes is None else max(self.notes - self.known, 0)

    @property
    def hours(self) -> float | None:
        """At the measured speed, or at the rate where that is lower."""
        if self.left is None or self.speed is None:
            return None
        fastest = min(self.speed.per_second * self.workers, self.rate or float("inf"))
        return self.left / fastest / 3600

    @property
    def cost(self) -> float | None:
        """In the currency of the cost per hour."""
        return None if self.hours is None or self.cost_per_hour is None else self.hours * self.cost_per_hour

    def to_json(self) -> dict[str, Any]:
        """The line that `clinsum backfill --dry-run --json` prints."""
        speed = self.speed
        return {
            "dry_run": {
                "way": self.way,
                "notes": self.notes,
                "known": self.known,
                "left": self.left,
                "per_second": round(speed.per_second, 2) if speed else None,
                "measured": speed.measured if speed else None,
                "workers": self.workers,
                "rate": self.rate,
                "hours": None if self.hours is None else round(self.hours, 4),
                "cost": None if self.cost is None else round(self.cost, 2),
            }
        }


async def estimate(
    settings: Settings, ledger: Ledger, request: Request, workers: int, cost_per_hour: float | None
) -> Estimate:
    """Counts the notes and measures the speed. No export is begun, and nothing is written anywhere.

    Raises:
        UsageError: a file is not there. FhirAdapterError: as the client raises it.
    """
    async with runtime(settings, ledger) as parts:
        notes: int | None
        if request.files:
            way = "the files"
            notes, known, some = await _in_files(find_files(request.files, request.wanted), ledger)
        else:
            way, notes = "the server, by its own count", await count_notes(parts.client, request.wanted)
            known = sum((await asyncio.to_thread(ledger.counts)).values())
            some = await _some(parts, request)
        speed = await asyncio.to_thread(_of_ledger, ledger) or await _of_sample(parts, some)
    rate = request.pace.per_second if request.pace else None
    return Estimate(way, notes, known, speed, workers, rate, cost_per_hour)


async def _in_files(pieces: list[FilePiece], ledger: Ledger) -> tuple[int, int, dict[str, list[str]]]:
    """Notes that they name, how many of these the ledger has in that version, and some that it has not."""
    notes = known = 0
    some: dict[str, list[str]] = {}
    for piece in pieces:
        try:
            async for stated in piece.stated():
                rows = await asyncio.to_thread(ledger.known, stated)
                notes += len(stated)
                done = {r.source for r in rows.values() if r.version == (stated[r.source] or None)}
                known += len(done)
                for source in stated.keys() - done:
                    kind = some.setdefault(source.partition("/")[0], [])
                    if len(kind) < _SAMPLE:
                        kind.append(source)
        except (OSError, DamagedDataError):
            continue  # the backfill itself says so
    return notes, known, some


async def _some(parts: Parts, request: Request) -> dict[str, list[str]]:
    """A page of notes of each type."""
    some: dict[str, list[str]] = {}
    for resource_type in request.wanted.types:
        pages = parts.source.everything(resource_type, request.wanted.since or None)
        page = await anext(_first(pages), None)
        if page:
            some[resource_type] = [note.reference for note in page.notes if note.reference][:_SAMPLE]
    return some


async def _first(pages: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for page in pages:
        yield page
        return


def _of_ledger(ledger: Ledger) -> Speed | None:
    """As the notes went that were written last, pauses between runs left out."""
    times = written_at(ledger, _LATEST)
    gaps = [later - earlier for later, earlier in pairwise(times)]
    busy = sum((gap for gap in gaps if gap < _IDLE), timedelta()).total_seconds()
    if len(times) < _ENOUGH or not busy:
        return None
    notes = sum(gap < _IDLE for gap in gaps)
    return Speed(notes / busy, f"the last {notes} notes that were written, as the ledger has them")


async def _of_sample(parts: Parts, some: dict[str, list[str]]) -> Speed | None:
    """Reads and scores some notes; the first of them loads the model and is not counted."""
    notes: list[SourceNote] = []
    for resource_type, references in some.items():
        page, _ = await parts.source.now(resource_type, references)
        notes += [note for note in page.notes if isinstance(note, SourceNote)]
    notes = notes[:_SAMPLE]
    if len(notes) < 2:
        return None
    slots = asyncio.Semaphore(parts.settings.concurrency)
    stages = Stages(parts, Leases(parts.ledger), slots)
    first, *rest = (Job(note, None) for note in notes)
    await _done(stages, [first])
    began = time.monotonic()
    await _done(stages, rest)
    seconds = time.monotonic() - began
    return Speed(len(rest) / seconds, f"{len(rest)} notes read and scored now; writing was not tried")


async def _done(stages: Stages, jobs: list[Job]) -> None:
    await stages.read(Batch(jobs=tuple(jobs)))
    await stages.score(jobs)
