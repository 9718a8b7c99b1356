"""How far a backfill is: its export on the server, and what is done of each of its pieces.

A row is there only while a backfill is not done; what became of each note stands with the notes.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from jobs.ledger.database import insert
from jobs.ledger.ledger import Ledger
from jobs.ledger.schema import backfill

EXPORT = ""
"""The piece that stands for the export itself."""


BEGUN = "begun"
"""The piece whose place is when the export was asked for, by the server's clock."""


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a piece is.

    Attributes:
        place: lines that are recorded; of an export itself, its status address.
        finished: all of it is recorded.
    """

    place: str
    finished: bool = False


def reached(ledger: Ledger, walk: str) -> dict[str, Reached]:
    """How far each piece of a backfill is, by its name. Blocks."""
    columns = (backfill.c.piece, backfill.c.place, backfill.c.finished)
    query = sa.select(*columns).where(ledger.mine(backfill), backfill.c.walk == walk)
    with ledger.transaction() as connection:
        return {row.piece: Reached(row.place, row.finished) for row in connection.execute(query)}


def keep(ledger: Ledger, walk: str, piece: str, now: Reached) -> None:
    """Records how far a piece is. Blocks."""
    values = {"place": now.place, "finished": now.finished, "at": datetime.now(UTC)}
    key = {**ledger.scope, "walk": walk, "piece": piece}
    statement = insert(ledger.dialect, backfill).values(**key, **values)
    with ledger.transaction() as connection:
        connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=values))


def drop(ledger: Ledger, walk: str) -> None:
    """Forgets how far a backfill is: it is done, or is to begin anew. Blocks."""
    with ledger.transaction() as connection:
        connection.execute(sa.delete(backfill).where(ledger.mine(backfill), backfill.c.walk == walk))
