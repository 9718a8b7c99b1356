"""The ledger as people look through it, on SQLite and PostgreSQL."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from jobs.ledger.ledger import Ledger
from jobs.ledger.pages import HOURS, Mark, NoteFilter, NotePage, overview, page, try_again
from jobs.ledger.rows import NoteRow

NOW = datetime(2026, 3, 29, 12, 30, tzinfo=UTC)
ENDS = [("written", ""), ("unchanged", ""), ("skipped", "scanned-image"), ("failed", "timeout")]


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    with Ledger(database_url, server="http://a/fhir", pipeline="extractive") as ledger:
        yield ledger


def row(number: int, minutes: float = 0, **changed: object) -> NoteRow:
    """A row that was handled so many minutes before now."""
    status, reason = ENDS[number % 4]
    kind = "DiagnosticReport" if number % 3 == 0 else "DocumentReference"
    values: dict[str, object] = {"source": f"{kind}/{number}", "version": "1", "pipeline_version": "p"}
    values |= {"status": status, "reason": reason, "handled_at": NOW - timedelta(minutes=minutes)}
    return NoteRow(**{**values, **changed})  # type: ignore[arg-type]


def numbers(found: NotePage) -> list[int]:
    return [int(row.source.partition("/")[2]) for row in found.rows]


def test_pages_lead_to_every_note_once_and_back(ledger: Ledger) -> None:
    ledger.record([row(n, minutes=n // 10) for n in range(95)])  # ten at each moment
    pages = [page(ledger, NoteFilter(), 20)]
    while pages[-1].older:
        pages.append(page(ledger, NoteFilter(), 20, older=pages[-1].older))

    seen = [number for one in pages for number in numbers(one)]
    assert sorted(seen) == list(range(95))
    moments = [row.handled_at for one in pages for row in one.rows]
    assert moments == sorted(moments, reverse=True)  # type: ignore[type-var]
    assert [len(one.rows) for one in pages] == [20, 20, 20, 20, 15]
    assert pages[0].newer is None

    back = [pages[-1]]
    while back[-1].newer:
        back.append(page(ledger, NoteFilter(), 20, newer=back[-1].newer))
    assert [numbers(one) for one in reversed(back)] == [numbers(one) for one in pages]
    assert back[-1].older == pages[0].older


def test_a_note_that_is_handled_meanwhile_moves_up_and_hides_no_other(ledger: Ledger) -> None:
    ledger.record([row(n, minutes=n) for n in range(10)])
    first = page(ledger, NoteFilter(), 4)
    ledger.record([row(3, minutes=-1), row(8, minutes=-2)])
    second = page(ledger, NoteFilter(), 10, older=first.older)
    assert numbers(second) == [4, 5, 6, 7, 9]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (NoteFilter(status="failed"), [3, 7, 11]),
        (NoteFilter(reason="timeout"), [3, 7, 11]),
        (NoteFilter(reason="scanned-image"), [2, 6, 10]),
        (NoteFilter(status="written", reason="timeout"), []),
        (NoteFilter(kind="DiagnosticReport"), [0, 3, 6, 9]),
        (NoteFilter(status="failed", kind="DiagnosticReport"), [3]),
        (NoteFilter(since=NOW - timedelta(minutes=4)), [0, 1, 2, 3, 4]),
        (NoteFilter(since=(NOW - timedelta(minutes=4)).astimezone()), [0, 1, 2, 3, 4]),
        (NoteFilter(reason="of a later version"), []),
        (NoteFilter(kind="Document_eference"), []),
    ],
)
def test_filters(ledger: Ledger, chosen: NoteFilter, expected: list[int]) -> None:
    ledger.record([row(n, minutes=n) for n in range(12)])
    assert numbers(page(ledger, chosen, 50)) == expected
    assert not chosen.empty


def test_times_are_utc_to_the_microsecond(ledger: Ledger) -> None:
    handled = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    ledger.record([row(3, handled_at=handled, retry_at=handled)])
    (found,) = page(ledger, NoteFilter(), 1).rows
    assert (found.handled_at, found.retry_at) == (handled, handled)
    assert found.handled_at is not None
    assert found.handled_at.utcoffset() == timedelta(0)


def test_an_empty_ledger(ledger: Ledger) -> None:
    assert page(ledger, NoteFilter(), 5) == NotePage(())
    state = overview(ledger, ["DocumentReference"], NOW)
    assert (state.counts, state.last, state.due, state.later, state.stamps) == ({}, None, 0, 0, {})
    assert [hour.handled for hour in state.hours] == [0] * HOURS


def test_the_overview_counts_by_hour_in_utc(ledger: Ledger) -> None:
    ledger.record([row(0), row(1, 29), row(3, 30), row(7, 31), row(4, 24 * 60), row(8, 23.4 * 60)])
    ledger.move_watermark("DocumentReference", "2026-03-29T12:00:00Z")
    state = overview(ledger, ["DocumentReference", "DiagnosticReport"], NOW)

    assert (state.hours[0].start, state.hours[-1].start) == (
        datetime(2026, 3, 28, 13, tzinfo=UTC),
        datetime(2026, 3, 29, 12, tzinfo=UTC),
    )
    told = {hour.start.hour: (hour.handled, hour.failed) for hour in state.hours if hour.handled}
    assert told == {12: (3, 1), 11: (1, 1), 13: (1, 0)}
    assert state.last == NOW
    assert state.stamps == {"DocumentReference": "2026-03-29T12:00:00Z"}
    assert (state.by_status("failed"), state.by_status("written")) == (2, 3)
    assert state.reasons("failed") == [("timeout", 2)]


def test_what_waits_for_another_try(ledger: Ledger) -> None:
    soon = NOW + timedelta(minutes=5)
    ledger.record([row(3, retry_at=NOW), row(7, retry_at=soon), row(11, retry_at=soon + timedelta(hours=1))])
    state = overview(ledger, [], NOW)
    assert (state.due, state.later, state.next_retry) == (1, 2, soon)


def test_only_what_failed_is_tried_again_unless_it_is_named(ledger: Ledger, database_url: str) -> None:
    rows = [row(n) for n in range(12)]
    ledger.record([*rows, row(15, source="unknown"), row(19, reason="not-found")])
    with Ledger(database_url, server="http://b/fhir", pipeline="extractive") as other:
        other.record(rows)
        assert try_again(ledger, NoteFilter(reason="timeout")) == 3
        assert {r.source for r in ledger.due(50)} == {f"{r.source}" for r in rows if r.status == "failed"}
        assert try_again(ledger, NoteFilter()) == 4
        assert try_again(ledger, NoteFilter(status="skipped")) == 0
        assert try_again(ledger, NoteFilter(), ["DocumentReference/1", "DocumentReference/99"]) == 1
        assert len(ledger.due(50)) == 5
        assert other.due(50) == []


@pytest.mark.parametrize("text", ["", "1", "1.", ".1", "a.b", "1.2.3", "-1.2", f"{10**18 - 1}.1", "1.2 "])
def test_what_is_no_place_in_the_list(text: str) -> None:
    with pytest.raises(ValueError, match="not a place"):
        Mark.parse(text)


def test_a_place_is_read_as_it_is_written() -> None:
    mark = Mark(datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC), 17)
    assert Mark.parse(str(mark)) == mark


def test_several_processes_bring_an_old_ledger_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with Ledger(f"sqlite:///{path}", server="s", pipeline="p") as ledger:
        ledger.record([row(1)])
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:  # as the first version left it
        for name in ("lease", "backfill", "card", "ended_session", "launch"):
            connection.exec_driver_sql(f"DROP TABLE {name}")
        for name in ("note_by_row", "note_by_walk", "note_by_text", "note_by_composition"):
            connection.exec_driver_sql(f"DROP INDEX {name}")
        for name in ("seen_at", "text_key"):
            connection.exec_driver_sql(f"ALTER TABLE note DROP COLUMN {name}")
        for name in ("note_by_time", "note_by_status_and_time", "note_by_reason_and_time"):
            connection.exec_driver_sql(f"DROP INDEX {name}")
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    engine.dispose()
    code = "from jobs.ledger.ledger import Ledger\n"
    code += f"with Ledger('sqlite:///{path}', server='s', pipeline='p') as a:\n"
    code += "    print([r.source for r in a.notes()])"
    started = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    said = [process.communicate(timeout=600)[0].strip() for process in started]
    assert said == ["['DocumentReference/1']"] * 4
