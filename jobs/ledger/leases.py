"""Leases on notes, for processes that share a ledger; a lease that is not renewed runs out by itself.

On PostgreSQL the database's clock says when, so that processes whose own clocks differ agree.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from jobs.ledger.database import insert
from jobs.ledger.holders import is_dead
from jobs.ledger.ledger import Ledger
from jobs.ledger.schema import lease, note

_AT_ONCE = 500


def claim(ledger: Ledger, sources: Sequence[str], holder: str, length: timedelta) -> set[str]:
    """Takes the leases that are free, have run out, or are the holder's already. Blocks.

    Returns:
        The sources that the holder has a lease on now.
    """
    wanted = sorted(set(sources))  # in one order, so that two processes never wait for each other
    held: set[str] = set()
    with ledger.transaction() as connection:
        now = _now(connection)
        statement = insert(ledger.dialect, lease)
        statement = statement.on_conflict_do_update(
            index_elements=["server", "pipeline", "source"],
            set_={name: statement.excluded[name] for name in ("holder", "until")},
            where=sa.or_(lease.c.until < now, lease.c.holder == holder),
        )
        mine = {**ledger.scope, "holder": holder, "until": now + length}
        if wanted:
            connection.execute(statement, [{**mine, "source": source} for source in wanted])
        for start in range(0, len(wanted), _AT_ONCE):
            part = wanted[start : start + _AT_ONCE]
            query = sa.select(lease.c.source).where(
                ledger.mine(lease), lease.c.holder == holder, lease.c.source.in_(part)
            )
            held.update(connection.execute(query).scalars())
    return held


def renew(ledger: Ledger, holder: str, length: timedelta) -> None:
    """Makes all leases of a holder last so long from now. Blocks."""
    with ledger.transaction() as connection:
        until = _now(connection) + length
        connection.execute(
            sa.update(lease).where(ledger.mine(lease), lease.c.holder == holder).values(until=until)
        )


def renew_all(ledger: Ledger, prefix: str, length: timedelta) -> None:
    """As `renew`, for all holders whose names begin so. Blocks."""
    with ledger.transaction() as connection:
        until = _now(connection) + length
        theirs = lease.c.holder.startswith(prefix, autoescape=True)
        connection.execute(sa.update(lease).where(ledger.mine(lease), theirs).values(until=until))


def shorten(ledger: Ledger, sources: Sequence[str], grace: timedelta) -> int:
    """Has the leases of processes that have ended last no longer than `grace` from now. Blocks.

    Returns:
        How many leases these were.
    """
    dead: dict[str, bool] = {}
    shortened = 0
    with ledger.transaction() as connection:
        soon = _now(connection) + grace
        for start in range(0, len(sources), _AT_ONCE):
            part = list(sources[start : start + _AT_ONCE])
            held = [ledger.mine(lease), lease.c.source.in_(part), lease.c.until > soon]
            for holder in set(connection.execute(sa.select(lease.c.holder).where(*held)).scalars()):
                if dead.setdefault(holder, is_dead(holder)):
                    of_it = sa.update(lease).where(*held, lease.c.holder == holder).values(until=soon)
                    shortened += connection.execute(of_it).rowcount
    return shortened


def release(ledger: Ledger, holder: str, sources: Sequence[str] | None = None) -> None:
    """Gives back these leases of a holder, or all of them. Blocks."""
    mine = [ledger.mine(lease), lease.c.holder == holder]
    if sources is not None:
        mine.append(lease.c.source.in_(list(sources)))
    with ledger.transaction() as connection:
        connection.execute(sa.delete(lease).where(*mine))


def handled_since(ledger: Ledger, asked: Mapping[str, datetime]) -> set[str]:
    """The sources that somebody has recorded since the instant (aware) given for each. Blocks."""
    found: set[str] = set()
    wanted = list(asked)
    for start in range(0, len(wanted), _AT_ONCE):
        part = wanted[start : start + _AT_ONCE]
        query = sa.select(note.c.source, note.c.handled_at).where(note.c.source.in_(part))
        for source, at in ledger.select(query):
            if (at.replace(tzinfo=UTC) if at.tzinfo is None else at) >= asked[source]:
                found.add(source)
    return found


def _now(connection: sa.Connection) -> datetime:
    if connection.dialect.name == "postgresql":
        now: datetime = connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
        return now
    return datetime.now(UTC)
