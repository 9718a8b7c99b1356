"""Which notes a walk over the whole server met, so that what it did not meet can be looked at."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from fhir_adapter.reasons import Reason
from jobs.ledger.ledger import Ledger
from jobs.ledger.schema import note

_AT_ONCE = 500
_HAS_SUMMARY = sa.or_(note.c.status.in_(("written", "unchanged")), note.c.reason == Reason.COPY.value)


def mark_seen(ledger: Ledger, sources: Sequence[str], at: datetime) -> None:
    """Says of these notes that a walk met them then (aware). Blocks."""
    with ledger.transaction() as connection:
        for start in range(0, len(sources), _AT_ONCE):
            part = list(sources[start : start + _AT_ONCE])
            mine = sa.and_(ledger.mine(note), note.c.source.in_(part))
            connection.execute(sa.update(note).where(mine).values(seen_at=at))


def unseen(
    ledger: Ledger, resource_types: Sequence[str], since: datetime, after: int
) -> tuple[int, list[str]]:
    """A page of the notes with a summary, or named in one, that no walk has met since an instant. Blocks.

    A note that was handled since then is no such: a pass has met it.

    Args:
        ledger: whose.
        resource_types: that the walk went over.
        since: when the walk began (aware).
        after: the last row of the page before; 0 for the first.

    Returns:
        The last row of the page, and the sources.
    """
    kinds = sa.or_(*(note.c.source.startswith(f"{kind}/", autoescape=True) for kind in resource_types))
    query = (
        sa.select(note.c.id, note.c.source)
        .where(kinds, note.c.id > after)
        .where(_HAS_SUMMARY)
        .where(sa.or_(note.c.seen_at.is_(None), note.c.seen_at < since), note.c.handled_at < since)
        .order_by(note.c.id)
        .limit(_AT_ONCE)
    )
    rows = ledger.select(query)
    return (rows[-1].id if rows else after), [row.source for row in rows]


def unseen_longest(ledger: Ledger, resource_type: str, count: int) -> list[str]:
    """So many notes of a type with a summary, or named in one: those looked at longest ago. Blocks."""
    query = (
        sa.select(note.c.source)
        .where(ledger.mine(note), note.c.source.startswith(f"{resource_type}/", autoescape=True))
        .where(_HAS_SUMMARY)
        .order_by(note.c.seen_at.asc().nulls_first(), note.c.id)
        .limit(count)
    )
    return [row.source for row in ledger.select(query)]
