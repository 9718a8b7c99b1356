"""The ledger as people look through it: filtered pages of any depth, and its state in figures."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Self

import sqlalchemy as sa

from fhir_adapter.reasons import Reason
from jobs.ledger.ledger import Ledger, row_of
from jobs.ledger.rows import NoteRow
from jobs.ledger.schema import note

HOURS = 24
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MARK = re.compile(r"(\d{1,18})\.(\d{1,18})")


@dataclass(frozen=True, slots=True)
class NoteFilter:
    """Which notes; what is not set leaves all in.

    Attributes:
        status: how they ended.
        reason: a reason code.
        kind: type of the resource that holds the note.
        since: handled then or later; aware.
        source: this note alone.
        summarised: only those with a Composition.
    """

    status: str = ""
    reason: str = ""
    kind: str = ""
    since: datetime | None = None
    source: str = ""
    summarised: bool = False

    @property
    def empty(self) -> bool:
        """Whether it leaves all in."""
        return self == NoteFilter()

    def where(self) -> list[sa.ColumnElement[bool]]:
        """The conditions on `note`, so that an index answers each of them."""
        status = self.status
        if self.reason in list(Reason) and not status:
            status = "failed" if Reason(self.reason).failure else "skipped"
        found = [note.c.status == status] if status else []
        if self.reason:
            found.append(note.c.reason == self.reason)
        if self.kind:
            found.append(note.c.source.startswith(f"{self.kind}/", autoescape=True))
        if self.since:
            found.append(note.c.handled_at >= self.since)
        if self.source:
            found.append(note.c.source == self.source)
        if self.summarised:
            found.append(note.c.composition != "")
        return found


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A place in the order of the list: when a note was handled, and its row."""

    handled_at: datetime
    id: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads what `str` writes.

        Raises:
            ValueError: it is none.
        """
        match = _MARK.fullmatch(text)
        if not match:
            raise ValueError("not a place in the list")
        try:
            return cls(_EPOCH + timedelta(microseconds=int(match[1])), int(match[2]))
        except OverflowError:
            raise ValueError("not a place in the list") from None

    def __str__(self) -> str:
        return f"{(self.handled_at - _EPOCH) // timedelta(microseconds=1)}.{self.id}"


@dataclass(frozen=True, slots=True)
class NotePage:
    """Notes, the one handled last first.

    Attributes:
        rows: of the page, their times in UTC.
        newer: where to go on for what was handled after them, or None.
        older: likewise before them.
    """

    rows: tuple[NoteRow, ...]
    newer: Mark | None = None
    older: Mark | None = None


def page(
    ledger: Ledger,
    chosen: NoteFilter,
    count: int,
    *,
    older: Mark | None = None,
    newer: Mark | None = None,
) -> NotePage:
    """One page of notes; the latest unless a mark says otherwise. Blocks.

    Args:
        ledger: whose.
        chosen: which notes.
        count: at most so many on the page.
        older: the notes that come after this place in the list.
        newer: the notes that come just before it.
    """
    here = sa.tuple_(note.c.handled_at, note.c.id)
    query = sa.select(note.c.id, *ledger.columns).where(*chosen.where())
    if newer:
        query = query.where(here > _values(newer)).order_by(note.c.handled_at, note.c.id)
    else:
        query = query.order_by(note.c.handled_at.desc(), note.c.id.desc())
        query = query.where(here < _values(older)) if older else query
    found = list(ledger.select(query.limit(count + 1)))
    more, found = len(found) > count, found[:count]
    if newer:
        found.reverse()
    rows = tuple(_in_utc(row_of(record[1:])) for record in found)
    if not rows:
        return NotePage(())
    marks = [Mark(row.handled_at or _EPOCH, record.id) for row, record in zip(rows, found, strict=True)]
    return NotePage(
        rows,
        newer=marks[0] if (more if newer else older) else None,
        older=marks[-1] if (newer or more) else None,
    )


def changes(ledger: Ledger, after: Mark | None, count: int, until: datetime) -> list[tuple[Mark, NoteRow]]:
    """Notes in the order in which they were handled, each with its place. Blocks.

    Args:
        ledger: whose.
        after: only those that come after this place.
        count: at most so many.
        until: only those handled till then (aware). What is recorded at the same time by several processes
            may become visible in another order; behind a moment long past nothing comes in any more.
    """
    here = sa.tuple_(note.c.handled_at, note.c.id)
    query = sa.select(note.c.id, *ledger.columns).where(note.c.handled_at <= until)
    query = query.where(here > _values(after)) if after else query
    found = ledger.select(query.order_by(note.c.handled_at, note.c.id).limit(count))
    rows = [(record.id, _in_utc(row_of(record[1:]))) for record in found]
    return [(Mark(row.handled_at or _EPOCH, number), row) for number, row in rows]


def latest(ledger: Ledger, chosen: NoteFilter, count: int) -> list[NoteRow]:
    """The notes handled last, so many at most, oldest of them first. Blocks."""
    query = sa.select(*ledger.columns).where(*chosen.where())
    query = query.order_by(note.c.handled_at.desc(), note.c.id.desc()).limit(count)
    return [_in_utc(row_of(record)) for record in reversed(ledger.select(query))]


def _values(mark: Mark) -> sa.Tuple:
    return sa.tuple_(sa.literal(mark.handled_at, note.c.handled_at.type), sa.literal(mark.id))


def _in_utc(row: NoteRow) -> NoteRow:
    return replace(row, handled_at=in_utc(row.handled_at), retry_at=in_utc(row.retry_at))


def in_utc(moment: datetime | None) -> datetime | None:
    """A time as the ledger gives it: SQLite forgets that it is UTC, PostgreSQL has the session's zone."""
    if moment is None:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Hour:
    """What was handled within one hour, by how it stands now."""

    start: datetime
    handled: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Overview:
    """The ledger in figures.

    Attributes:
        counts: notes by (status, reason).
        hours: the last 24 hours, oldest first, the current one last; none is left out.
        last: when a note was handled last.
        due: notes that the next pass tries again.
        later: notes that are tried again by themselves, later.
        next_retry: when the first of these is.
        stamps: by type of resource, the server's stamp up to which all its notes are in the ledger.
    """

    counts: dict[tuple[str, str], int]
    hours: tuple[Hour, ...]
    last: datetime | None
    due: int
    later: int
    next_retry: datetime | None
    stamps: dict[str, str]

    def by_status(self, status: str) -> int:
        """Notes that ended so."""
        return sum(count for (found, _), count in self.counts.items() if found == status)

    def reasons(self, status: str) -> list[tuple[str, int]]:
        """Reason codes of notes that ended so, the most frequent first."""
        found = [(reason, count) for (s, reason), count in self.counts.items() if s == status and reason]
        return sorted(found, key=lambda item: (-item[1], item[0]))


def overview(ledger: Ledger, resource_types: Sequence[str], now: datetime) -> Overview:
    """The ledger in figures, as of now (aware). Blocks."""
    last = ledger.select(sa.select(note.c.handled_at).order_by(note.c.handled_at.desc()).limit(1))
    due = ledger.select(sa.select(sa.func.count()).where(note.c.retry_at <= now))
    later = ledger.select(
        sa.select(sa.func.count(), sa.func.min(note.c.retry_at)).where(note.c.retry_at > now)
    )
    stamps = {kind: ledger.watermark(kind) for kind in resource_types}
    return Overview(
        counts=ledger.counts(),
        hours=_hours(ledger, now),
        last=in_utc(last[0][0]) if last else None,
        due=due[0][0],
        later=later[0][0],
        next_retry=in_utc(later[0][1]),
        stamps={kind: stamp for kind, stamp in stamps.items() if stamp},
    )


def _hours(ledger: Ledger, now: datetime) -> tuple[Hour, ...]:
    current = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    first = current - timedelta(hours=HOURS - 1)
    if ledger.dialect == "sqlite":
        hour: sa.ColumnElement[str] = sa.func.strftime("%Y-%m-%dT%H", note.c.handled_at)
    else:
        hour = sa.func.to_char(sa.func.timezone("UTC", note.c.handled_at), 'YYYY-MM-DD"T"HH24')
    failed = sa.func.sum(sa.case((note.c.status == "failed", 1), else_=0))
    query = sa.select(hour, sa.func.count(), failed).where(note.c.handled_at >= first).group_by(hour)
    found = {at: (handled, bad) for at, handled, bad in ledger.select(query)}
    starts = [first + timedelta(hours=n) for n in range(HOURS)]
    return tuple(Hour(start, *found.get(f"{start:%Y-%m-%dT%H}", (0, 0))) for start in starts)


def try_again(ledger: Ledger, chosen: NoteFilter, sources: Sequence[str] = ()) -> int:
    """Has the next pass handle notes again, as `clinsum retry` does; returns how many. Blocks.

    Args:
        ledger: whose.
        chosen: those that failed and that it leaves in.
        sources: instead of these: the named ones, whatever became of them.
    """
    if sources:
        return ledger.make_due([note.c.source.in_(sources)])
    return ledger.make_due([note.c.status == "failed", *chosen.where()])
