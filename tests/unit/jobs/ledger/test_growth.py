"""What every pass asks of the ledger takes as long for many rows as for few, as the database's plans say."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from jobs.ledger import looks, walks
from jobs.ledger.leases import claim
from jobs.ledger.ledger import Ledger, NoteRow

NOW = datetime.now(UTC)
ROWS = [NoteRow(f"DocumentReference/{i}", "1", "v", "written", composition=f"c{i}") for i in range(200)]
ASKED: dict[str, Callable[[Ledger], object]] = {
    "some rows": lambda ledger: looks.some_held(ledger, 24),
    "a page of all rows": lambda ledger: looks.held(ledger, 50, 10),
    "what no walk met": lambda ledger: walks.unseen(ledger, ["DocumentReference"], NOW, 50),
    "what is due": lambda ledger: ledger.due(10),
    "known notes": lambda ledger: ledger.known(["DocumentReference/1", "DocumentReference/2"]),
    "leases": lambda ledger: claim(ledger, ["DocumentReference/1"], "me", timedelta(minutes=1)),
    "the last that were written": lambda ledger: looks.written_at(ledger, 10),
}


@pytest.mark.parametrize("name", ASKED)
def test_nothing_is_sorted_and_no_table_read_from_end_to_end(name: str, tmp_path: Path) -> None:
    plans: list[str] = []

    def look(connection: sa.Connection, _: object, statement: str, values: object, *rest: object) -> None:
        if statement.startswith(("SELECT", "INSERT")):
            rows = values[0] if isinstance(values, list) else values
            cursor = connection.connection.cursor()
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", rows)
            plans.extend(str(row[-1]) for row in cursor.fetchall())

    with Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}", server="http://a", pipeline="p") as ledger:
        ledger.record(ROWS)
        sa.event.listen(sa.engine.Engine, "before_cursor_execute", look)
        try:
            ASKED[name](ledger)
        finally:
            sa.event.remove(sa.engine.Engine, "before_cursor_execute", look)
    assert [plan for plan in plans if "SEARCH" in plan] or name == "leases"
    assert [plan for plan in plans if "SCAN" in plan or "TEMP B-TREE" in plan] == []


def test_a_scope_is_found_by_its_rows_beside_others(tmp_path: Path) -> None:
    """The highest row of one server's notes is looked up, not counted through those of all."""
    url = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    for server in ("http://a", "http://b"):
        with Ledger(url, server=server, pipeline="p") as ledger:
            ledger.record(ROWS[:30])
    with Ledger(url, server="http://a", pipeline="p") as ledger:
        after, rows = looks.held(ledger, 0, 100)
        assert (after, len(rows)) == (30, 30)
        assert looks.held(ledger, after, 100) == (30, [])
