"""The ledger's database: its address, its shape, its locks, and its errors in words."""

import fcntl
import hashlib
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from jobs.ledger.rows import LedgerAddressError, LedgerError, PassRunningError
from jobs.ledger.schema import REVISION, metadata

_CHECK = "check CLINSUM_DATABASE_URL"
_RESTORE = (
    "restore it from a backup, or move it away: with an empty ledger the next pass reads everything once "
    "more, and writes nothing twice"
)
_ROOM = "make room and start again; nothing is lost, the next pass goes on where this one was"
_RIGHTS = "give this process the right to write it"
_CAUSES = (
    # SQLite
    ("file is not a database", "the file is no SQLite database, or damaged", _RESTORE),
    ("malformed", "the file is damaged", _RESTORE),
    ("readonly database", "it may only be read", _RIGHTS),
    ("unable to open database file", "the file cannot be opened", _CHECK),
    ("database or disk is full", "the disk is full", _ROOM),
    ("disk i/o error", "the disk cannot be read or written", "look at the disk and its free space"),
    ("database is locked", "another process holds it", "end the other process, or wait for it"),
    # PostgreSQL: https://www.postgresql.org/docs/current/errcodes-appendix.html says these in words
    ("no space left on device", "the database's disk is full", _ROOM),
    ("password authentication failed", "the password or the user name is refused", _CHECK),
    ("no password supplied", "it wants a password", _CHECK),
    ("no pg_hba.conf entry", "the database does not let this machine or user in", "ask its administrator"),
    ("connection refused", "no database answers there", f"start it, or {_CHECK}"),
    ("failed to resolve host", "there is no host of that name", _CHECK),
    ("could not translate host name", "there is no host of that name", _CHECK),
    ("timeout expired", "it does not answer in time", _CHECK),
    ("too many clients", "it has no connection left", "raise max_connections, or end other clients"),
    ("permission denied", "the user may not use its tables", "grant it the schema"),
    ("read-only transaction", "it may only be read", "use the primary, not a replica"),
)
_ABSENT = re.compile(r'(database|role) "[^"]*" does not exist')


def connect(url: str) -> sa.Engine:
    """The engine for an address; nothing is asked of the database yet.

    Raises:
        LedgerAddressError: it cannot be one of a database that is known here.
    """
    try:
        parsed = sa.make_url(url)
        if parsed.get_backend_name() not in ("sqlite", "postgresql"):
            raise LedgerAddressError("DATABASE_URL must begin with sqlite:/// or postgresql+psycopg://.")
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = sa.create_engine(parsed, pool_pre_ping=True)
    except (ArgumentError, NoSuchModuleError) as error:
        raise LedgerAddressError("DATABASE_URL is not a database address that is known here.") from error
    except ModuleNotFoundError as error:
        raise LedgerAddressError(
            "PostgreSQL needs the extra: pip install 'clinical-ai-summarizer[postgres]'."
        ) from error
    except OSError as error:
        raise LedgerAddressError(f"The ledger's folder cannot be made: {error.strerror}.") from error
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=30000"):
        connection.execute(f"PRAGMA {pragma}")


def insert(dialect: str, table: sa.Table) -> Any:
    """An INSERT that may say what to do on a conflict, in the database's own dialect."""
    if dialect == "sqlite":
        from sqlalchemy.dialects import sqlite

        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(table)


_ALEMBIC = threading.Lock()  # Alembic keeps the migration under way in module globals
_VERSION = sa.Table(  # as Alembic makes it
    "alembic_version",
    sa.MetaData(),
    sa.Column("version_num", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


def migrate(engine: sa.Engine) -> None:
    """Brings the tables to the newest shape: makes them where there are none, else by Alembic."""
    with engine.connect() as connection:
        if _revision(connection) == REVISION:
            return
    with _ALEMBIC, engine.begin() as connection:
        if engine.dialect.name == "postgresql":  # two processes may start at once
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _number("migrate")})
        else:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        if _revision(connection) == REVISION:  # another process was first
            return
        inspector = sa.inspect(connection)
        if any(map(inspector.has_table, (_VERSION.name, *metadata.tables))):
            _upgrade(connection)
        else:
            _make(connection)


def _make(connection: sa.Connection) -> None:
    """All tables as the newest migration leaves them; Alembic, which takes longer to load, is not needed."""
    metadata.create_all(connection, checkfirst=False)
    _VERSION.create(connection)
    connection.execute(sa.insert(_VERSION).values(version_num=REVISION))


def _upgrade(connection: sa.Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError:  # its shape is none of those that lead to ours
        raise LedgerError(
            "The ledger was made by a newer version of this software; use that version, or set "
            "CLINSUM_DATABASE_URL to another place: with an empty ledger nothing is written twice."
        ) from None


def _revision(connection: sa.Connection) -> str | None:
    """The migration that the tables are of; None where there are none."""
    if not sa.inspect(connection).has_table(_VERSION.name):
        return None
    return connection.execute(sa.select(_VERSION.c.version_num)).scalar()


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turns the driver's errors, which may show addresses and values, into one sentence."""
    try:
        yield
    except SQLAlchemyError as error:
        why, remedy = _cause(error)
        raise LedgerError(f"The ledger's database cannot be used ({why}); {remedy}.") from None


def _cause(error: SQLAlchemyError) -> tuple[str, str]:
    """Why a database fails, and what to do; of the driver's own words none are shown."""
    cause = error.__cause__ or error
    told = str(cause).lower()
    for said, words, remedy in _CAUSES:
        if said in told:
            return words, remedy
    if absent := _ABSENT.search(told):
        return f"there is no {absent[1]} of that name", _CHECK
    return type(cause).__name__, _CHECK


@contextmanager
def file_lock(database: str | None, key: str) -> Iterator[None]:
    """A lock beside an SQLite file; raises `PassRunningError` where another process holds it."""
    if not database or database == ":memory:":
        yield
        return
    try:
        held = os.open(f"{database}.{_number(key) % 2**32:08x}.lock", os.O_WRONLY | os.O_CREAT, 0o666)
    except OSError as error:
        raise LedgerError(f"The ledger's folder cannot be written: {error.strerror}.") from None
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PassRunningError from None
        yield
    finally:
        os.close(held)


def _number(key: str) -> int:
    digest = hashlib.sha256(f"clinsum|{key}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
