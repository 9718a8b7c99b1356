"""Which notes hold one text of one patient, and which are named in the summary of another one."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from fhir_adapter.reasons import Reason
from jobs.ledger.database import insert
from jobs.ledger.ledger import Ledger, row_of
from jobs.ledger.rows import NoteRow
from jobs.ledger.schema import note

_AT_ONCE = 500


def with_summary(ledger: Ledger, keys: Iterable[str]) -> list[NoteRow]:
    """The rows of these texts that have a summary of their own. Blocks."""
    own = note.c.status.in_(("written", "unchanged"))
    return _rows(ledger, note.c.text_key, keys, own)


def named_in(ledger: Ledger, compositions: Iterable[str]) -> list[NoteRow]:
    """The rows of copies, by the ids of the Compositions that they are named in. Blocks."""
    return _rows(ledger, note.c.composition, compositions, note.c.reason == Reason.COPY.value)


def _rows(
    ledger: Ledger, column: sa.Column[str], values: Iterable[str], condition: sa.ColumnElement[bool]
) -> list[NoteRow]:
    wanted = [value for value in dict.fromkeys(values) if value]
    found: list[NoteRow] = []
    for start in range(0, len(wanted), _AT_ONCE):
        query = sa.select(*ledger.columns).where(column.in_(wanted[start : start + _AT_ONCE]), condition)
        found += map(row_of, ledger.select(query))
    return found


def free(ledger: Ledger, compositions: Iterable[str]) -> None:
    """Has a pass handle the copies that are named in these Compositions, by id: they have ended. Blocks."""
    for row in named_in(ledger, compositions):
        ledger.make_due([note.c.source == row.source])


def look_again(ledger: Ledger, sources: Sequence[str], pipeline_version: str) -> None:
    """Has a pass handle these notes, also where the ledger has none of them and whatever it says. Blocks.

    Each is a transaction of its own: others record theirs at the same time, and nobody waits for two.
    """
    now = datetime.now(UTC)
    key = ["server", "pipeline", "source"]
    for source in sources:
        values: dict[str, Any] = {
            **{column.name: "" for column in ledger.columns if isinstance(column.type, sa.String)},
            **ledger.scope,
            "source": source,
            "pipeline_version": pipeline_version,
            "status": "failed",
            "reason": Reason.INTERRUPTED.value,
            "sentences": 0,
            "milliseconds": 0,
            "attempts": 0,
            "handled_at": now,
            "retry_at": now,
        }
        statement = insert(ledger.dialect, note).values(**values)
        with ledger.transaction() as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=key, set_={"retry_at": now}))
