"""Takes notes out of the ledger, as if they had never been seen."""

from collections.abc import Sequence

import sqlalchemy as sa

from jobs.ledger.ledger import Ledger
from jobs.ledger.schema import lease, note

_AT_ONCE = 500


def forget(ledger: Ledger, sources: Sequence[str]) -> int:
    """Removes the rows and leases of these sources, whatever pipeline's; returns how many rows. Blocks."""
    server, removed = ledger.scope["server"], 0
    with ledger.transaction() as connection:
        for start in range(0, len(sources), _AT_ONCE):
            part = list(sources[start : start + _AT_ONCE])
            for table in (lease, note):
                mine = sa.and_(table.c.server == server, table.c.source.in_(part))
                removed += connection.execute(sa.delete(table).where(mine)).rowcount * (table is note)
    return removed
