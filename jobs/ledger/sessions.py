"""Sessions of the web pages that were ended before their time, so that every replica knows of it."""

import hashlib
from datetime import UTC, datetime

import sqlalchemy as sa

from jobs.ledger.database import insert
from jobs.ledger.ledger import Ledger
from jobs.ledger.schema import ended_session


def end_session(ledger: Ledger, session: str, until: datetime) -> None:
    """Keeps that a session was ended, until it would have ended by itself. Blocks.

    Args:
        ledger: whose database; all replicas share it, whatever server and pipeline they are set to.
        session: what its cookie says; its hash alone is kept.
        until: the session's own end.

    Raises:
        LedgerError: the database cannot be used.
    """
    row = insert(ledger.dialect, ended_session).values(session_sha256=_digest(session), until=until)
    with ledger.transaction() as connection:
        connection.execute(sa.delete(ended_session).where(ended_session.c.until < datetime.now(UTC)))
        connection.execute(row.on_conflict_do_nothing(index_elements=["session_sha256"]))


def session_ended(ledger: Ledger, session: str) -> bool:
    """Whether a session was ended by any replica. Blocks.

    Raises:
        LedgerError: the database cannot be used.
    """
    named = ended_session.c.session_sha256 == _digest(session)
    with ledger.transaction() as connection:
        return connection.execute(sa.select(ended_session.c.session_sha256).where(named)).first() is not None


def _digest(session: str) -> str:
    return hashlib.sha256(session.encode()).hexdigest()
