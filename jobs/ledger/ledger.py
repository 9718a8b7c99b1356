"""What was seen, written, skipped, failed and why: one row per source, on SQLite or PostgreSQL.

The ledger never holds note text. It is bookkeeping, not truth: with an empty one, the next pass finds on the
server what is already written and writes nothing twice.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, Self

import sqlalchemy as sa

from jobs.ledger.database import connect, file_lock, insert, migrate, plain_errors
from jobs.ledger.rows import LedgerError, NoteRow
from jobs.ledger.schema import note, watermark

_COLUMNS = [note.c[field.name] for field in fields(NoteRow)]


class Ledger:
    """The rows of one server and pipeline. Every call is one short transaction; all calls block.

    Args:
        url: SQLAlchemy URL of an SQLite file or a PostgreSQL database.
        server: base URL of the FHIR server.
        pipeline: the pipeline's name.

    Raises:
        LedgerError: the URL is wrong, or the database cannot be reached or migrated.
    """

    def __init__(self, url: str, *, server: str, pipeline: str) -> None:
        self._scope = {"server": server, "pipeline": pipeline}
        self._engine = connect(url)
        try:
            with plain_errors():
                migrate(self._engine)
        except LedgerError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes all connections."""
        self._engine.dispose()

    def known(self, sources: Iterable[str]) -> dict[str, NoteRow]:
        """The rows of these sources, keyed by source; absent ones are left out."""
        wanted = list(dict.fromkeys(sources))
        if not wanted:
            return {}
        query = sa.select(*_COLUMNS).where(self.mine(note), note.c.source.in_(wanted))
        return {row.source: row for row in self._rows(query)}

    def record(self, rows: Sequence[NoteRow]) -> None:
        """Writes rows in one transaction; a row replaces the earlier one of the same source."""
        if not rows:
            return
        now = datetime.now(UTC)
        values = [self._values(row, now) for row in rows]
        statement, key = insert(self.dialect, note), ["server", "pipeline", "source"]
        changed = {name: statement.excluded[name] for name in values[0] if name not in key}
        statement = statement.on_conflict_do_update(index_elements=key, set_=changed)
        with plain_errors(), self._engine.begin() as connection:
            connection.execute(statement, values)

    def _values(self, row: NoteRow, now: datetime) -> dict[str, Any]:
        values = {field.name: getattr(row, field.name) for field in fields(row)}
        for name, column in ((c.name, c) for c in _COLUMNS):
            if isinstance(column.type, sa.String):
                length = column.type.length or 0
                values[name] = values[name].replace("\x00", "").encode("utf-8", "replace").decode()[:length]
        return {**self._scope, **values, "handled_at": row.handled_at or now}

    def due(self, limit: int) -> list[NoteRow]:
        """Failed rows whose time to be tried again has come, longest waiting first; those with a name."""
        query = (
            sa.select(*_COLUMNS)
            .where(self.mine(note), note.c.retry_at <= datetime.now(UTC), note.c.source.contains("/"))
            .order_by(note.c.retry_at)
            .limit(limit)
        )
        return list(self._rows(query))

    def notes(
        self,
        status: str | None = None,
        sources: Sequence[str] = (),
        where: Sequence[sa.ColumnElement[bool]] = (),
    ) -> Iterator[NoteRow]:
        """All rows, oldest first, read in pages so that any number fits in memory.

        Args:
            status: only those that ended so.
            sources: only these, where there are any.
            where: further conditions, as `jobs.ledger.pages.NoteFilter` has them.
        """
        last = 0
        while True:
            query = sa.select(note.c.id, *_COLUMNS).where(self.mine(note), note.c.id > last, *where)
            if status:
                query = query.where(note.c.status == status)
            if sources:
                query = query.where(note.c.source.in_(sources))
            with plain_errors(), self._engine.connect() as connection:
                page = connection.execute(query.order_by(note.c.id).limit(500)).all()
            if not page:
                return
            last = page[-1].id
            yield from (row_of(record[1:]) for record in page)

    def counts(self) -> dict[tuple[str, str], int]:
        """Number of rows by (status, reason)."""
        query = (
            sa.select(note.c.status, note.c.reason, sa.func.count())
            .where(self.mine(note))
            .group_by(note.c.status, note.c.reason)
        )
        with plain_errors(), self._engine.connect() as connection:
            return {(status, reason): count for status, reason, count in connection.execute(query)}

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._engine.dialect.name

    @property
    def columns(self) -> list[sa.Column[Any]]:
        """The columns of a row, in the order of its fields."""
        return _COLUMNS

    def select(self, query: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        """What a query over the notes finds among the rows of this server and pipeline."""
        with plain_errors(), self._engine.connect() as connection:
            return connection.execute(query.where(self.mine(note))).all()

    def make_due(self, conditions: Sequence[sa.ColumnElement[bool]]) -> int:
        """Has the next pass handle these rows again, but those without a source's name; returns how many."""
        change = (
            sa.update(note)
            .where(self.mine(note), note.c.source.contains("/"), *conditions)
            .values(retry_at=datetime.now(UTC))
        )
        with plain_errors(), self._engine.begin() as connection:
            return connection.execute(change).rowcount

    def watermark(self, resource_type: str) -> str | None:
        """The server's stamp up to which all notes of the type are in the ledger, as the server wrote it."""
        query = sa.select(watermark.c.last_updated).where(
            self.mine(watermark), watermark.c.resource_type == resource_type
        )
        with plain_errors(), self._engine.connect() as connection:
            return connection.execute(query).scalar()

    def move_watermark(self, resource_type: str, last_updated: str) -> None:
        """Sets the watermark; call only when every note up to it is in the ledger."""
        values = {**self._scope, "resource_type": resource_type, "last_updated": last_updated}
        statement = insert(self.dialect, watermark).values(**values)
        statement = statement.on_conflict_do_update(
            index_elements=["server", "pipeline", "resource_type"], set_={"last_updated": last_updated}
        )
        with plain_errors(), self._engine.begin() as connection:
            connection.execute(statement)

    @property
    def scope(self) -> dict[str, str]:
        """Server and pipeline, as columns of every table."""
        return dict(self._scope)

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """One short transaction; the driver's errors come as `LedgerError`."""
        with plain_errors(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def one_pass(self, kind: str = "") -> Iterator[None]:
        """Holds the right to run a pass on an SQLite file; free again the moment the process ends.

        Processes on a PostgreSQL ledger work side by side: leases on notes keep them apart
        (`jobs.ledger.leases`).

        Args:
            kind: passes of different kinds may run beside each other.

        Raises:
            PassRunningError: another process holds it.
        """
        if self.dialect == "postgresql":
            yield
            return
        key = "|".join([*self._scope.values(), *([kind] if kind else [])])
        with file_lock(self._engine.url.database, key):
            yield

    def mine(self, table: sa.Table) -> sa.ColumnElement[bool]:
        """Whose rows of a table these are: of this server and pipeline."""
        return sa.and_(table.c.server == self._scope["server"], table.c.pipeline == self._scope["pipeline"])

    def _rows(self, query: sa.Select[Any]) -> Iterator[NoteRow]:
        with plain_errors(), self._engine.connect() as connection:
            records = connection.execute(query).all()
        return (row_of(record) for record in records)


def row_of(record: Any) -> NoteRow:
    """The row whose fields a query gave in the order of `Ledger.columns`."""
    values: Mapping[str, Any] = dict(zip((c.name for c in _COLUMNS), record, strict=True))
    return NoteRow(**values)
