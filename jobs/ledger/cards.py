"""Cards that were shown in the record, and what became of them: no patient, no word of a note or comment."""

from collections.abc import Sequence
from datetime import UTC, datetime

import sqlalchemy as sa

from jobs.ledger.database import insert
from jobs.ledger.ledger import Ledger
from jobs.ledger.schema import card

_MOST = 500  # characters of the names of Compositions


def shown(ledger: Ledger, uuid: str, compositions: Sequence[str]) -> None:
    """Keeps that a card was given out. Blocks."""
    values = {
        **ledger.scope,
        "uuid": uuid.lower(),
        "compositions": ",".join(compositions)[:_MOST],
        "shown_at": datetime.now(UTC),
        "outcome": "",
        "reason": "",
    }
    statement = insert(ledger.dialect, card).values(**values)
    with ledger.transaction() as connection:
        connection.execute(statement.on_conflict_do_nothing(index_elements=["server", "pipeline", "uuid"]))


def ended(ledger: Ledger, uuid: str, outcome: str, reason: str, at: datetime) -> bool:
    """Keeps what became of a card; False where no such card was given out. Blocks."""
    change = (
        sa.update(card)
        .where(ledger.mine(card), card.c.uuid == uuid.lower())
        .values(outcome=outcome, reason=reason[:64], ended_at=at)
    )
    with ledger.transaction() as connection:
        return connection.execute(change).rowcount > 0


def outcomes(ledger: Ledger) -> dict[tuple[str, str], int]:
    """How many cards ended so, by (outcome, reason); those without an outcome under ("", ""). Blocks."""
    query = (
        sa.select(card.c.outcome, card.c.reason, sa.func.count())
        .where(ledger.mine(card))
        .group_by(card.c.outcome, card.c.reason)
    )
    with ledger.transaction() as connection:
        return {(outcome, reason): count for outcome, reason, count in connection.execute(query)}
