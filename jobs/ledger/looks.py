"""Rows to hold against the server: whether the summaries that they name are still there."""

import secrets
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from jobs.ledger.ledger import Ledger, row_of
from jobs.ledger.rows import NoteRow
from jobs.ledger.schema import note

_HELD = sa.and_(note.c.composition != "", note.c.status != "failed")  # a failed note is read again anyway


def some_held(ledger: Ledger, count: int) -> list[NoteRow]:
    """So many rows that name a summary: one half the latest, the other from a random place. Blocks.

    The latest are what a server lacks that was restored from a backup.
    """
    query = sa.select(note.c.id, *ledger.columns).where(_HELD)
    latest = ledger.select(query.order_by(note.c.handled_at.desc(), note.c.id.desc()).limit(count // 2))
    highest = ledger.select(sa.select(sa.func.max(note.c.id)))[0][0] or 0
    place = secrets.randbelow(highest + 1)
    others = ledger.select(query.where(note.c.id >= place).order_by(note.c.id).limit(count - count // 2))
    return list({record.id: row_of(record[1:]) for record in (*latest, *others)}.values())


def held(ledger: Ledger, after: int, count: int) -> tuple[int, Sequence[NoteRow]]:
    """A page of all rows that name a summary. Blocks.

    Args:
        ledger: whose.
        after: the last row of the page before; 0 for the first.
        count: at most so many.

    Returns:
        The last row of the page, and the rows.
    """
    query = sa.select(note.c.id, *ledger.columns).where(_HELD, note.c.id > after)
    records = ledger.select(query.order_by(note.c.id).limit(count))
    return (records[-1].id if records else after), [row_of(record[1:]) for record in records]


def written_at(ledger: Ledger, count: int) -> list[datetime]:
    """When so many notes were written, the latest first. Blocks."""
    query = sa.select(note.c.handled_at).where(note.c.status == "written")
    found = ledger.select(query.order_by(note.c.handled_at.desc(), note.c.id.desc()).limit(count))
    return [row.handled_at for row in found]
