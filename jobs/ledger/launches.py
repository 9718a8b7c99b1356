"""Sign-ins out of records and the sessions that came of them, so that every replica goes on with them.

A row is found by a hash and holds a sealed state (`jobs.web.guard.shelf`): neither says whose it is, and
without the cookie in a browser nobody can open it, this software neither.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from jobs.ledger.ledger import Ledger
from jobs.ledger.schema import launch


@dataclass(frozen=True, slots=True)
class KeptState:
    """A sealed state; `serial` counts its changes, from 1."""

    sealed: bytes
    serial: int


def keep_state(ledger: Ledger, name: str, kind: str, sealed: bytes, until: datetime, most: int) -> None:
    """Adds a row, and takes away what is over and the oldest beyond a number. Blocks, as all here.

    Args:
        ledger: whose database; all replicas share it.
        name: SHA-256 in hex.
        kind: `begun` or `session`.
        sealed: what is kept.
        until: when it is over.
        most: rows of this kind that stay.

    Raises:
        LedgerError: the database cannot be used.
    """
    values = {"name_sha256": name, "kind": kind, "sealed": sealed, "serial": 1, "until": until}
    newest = sa.select(launch.c.name_sha256).where(launch.c.kind == kind)
    newest = newest.order_by(launch.c.until.desc(), launch.c.name_sha256).limit(most)
    with ledger.transaction() as connection:
        connection.execute(sa.delete(launch).where(launch.c.until < datetime.now(UTC)))
        connection.execute(sa.insert(launch).values(**values))
        old = sa.and_(launch.c.kind == kind, launch.c.name_sha256.not_in(newest))
        connection.execute(sa.delete(launch).where(old))


def state_kept(ledger: Ledger, name: str) -> KeptState | None:
    """A row that is not over; raises as `keep_state`."""
    query = sa.select(launch.c.sealed, launch.c.serial).where(_now(name))
    with ledger.transaction() as connection:
        row = connection.execute(query).first()
    return KeptState(row.sealed, row.serial) if row else None


def serial_kept(ledger: Ledger, name: str) -> int | None:
    """How often a row that is not over was changed; raises as `keep_state`."""
    with ledger.transaction() as connection:
        serial: int | None = connection.execute(sa.select(launch.c.serial).where(_now(name))).scalar()
    return serial


def take_state(ledger: Ledger, name: str) -> KeptState | None:
    """A row that is not over, for the one who takes it away; raises as `keep_state`."""
    query = sa.select(launch.c.sealed, launch.c.serial).where(_now(name))
    with ledger.transaction() as connection:
        row = connection.execute(query).first()
        taken = connection.execute(sa.delete(launch).where(launch.c.name_sha256 == name)).rowcount
    return KeptState(row.sealed, row.serial) if row and taken else None


def change_state(ledger: Ledger, name: str, sealed: bytes, serial: int) -> bool:
    """Puts another state in the place of the one that was read; False where that is not there any more."""
    values = {"sealed": sealed, "serial": serial + 1, "reserved_until": None}
    return _changed(ledger, sa.update(launch).where(_at(name, serial)).values(**values))


def reserve_state(ledger: Ledger, name: str, serial: int, seconds: float) -> bool:
    """Takes the right to change a state, for so long; False where another has it, or it was changed."""
    now = datetime.now(UTC)
    free = sa.or_(launch.c.reserved_until.is_(None), launch.c.reserved_until < now)
    wanted = sa.and_(_at(name, serial), free)
    values = {"reserved_until": now + timedelta(seconds=seconds)}
    return _changed(ledger, sa.update(launch).where(wanted).values(**values))


def release_state(ledger: Ledger, name: str, serial: int) -> None:
    """Gives that right back, where nothing was changed."""
    _changed(ledger, sa.update(launch).where(_at(name, serial)).values(reserved_until=None))


def drop_state(ledger: Ledger, name: str) -> None:
    """Takes a row away, if it is there; raises as `keep_state`."""
    _changed(ledger, sa.delete(launch).where(launch.c.name_sha256 == name))


def _changed(ledger: Ledger, statement: sa.Update | sa.Delete) -> bool:
    with ledger.transaction() as connection:
        return bool(connection.execute(statement).rowcount)


def _now(name: str) -> sa.ColumnElement[bool]:
    return sa.and_(launch.c.name_sha256 == name, launch.c.until >= datetime.now(UTC))


def _at(name: str, serial: int) -> sa.ColumnElement[bool]:
    return sa.and_(launch.c.name_sha256 == name, launch.c.serial == serial)
