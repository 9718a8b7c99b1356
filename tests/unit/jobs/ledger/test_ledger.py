from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from jobs.ledger.ledger import Ledger
from jobs.ledger.rows import LedgerError, NoteRow, PassRunningError, next_retry


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    with Ledger(database_url, server="http://a/fhir", pipeline="extractive") as ledger:
        yield ledger


def row(number: int = 1, **changed: object) -> NoteRow:
    values = {"source": f"DocumentReference/{number}", "version": "1", "pipeline_version": "p"}
    return NoteRow(**{**values, "status": "written", **changed})  # type: ignore[arg-type]


def test_a_row_is_kept_and_the_next_one_of_the_same_source_replaces_it(ledger: Ledger) -> None:
    ledger.record([row(composition="c", sentences=3)])
    ledger.record([row(version="2", status="failed", reason="timeout", detail="read")])

    found = ledger.known(["DocumentReference/1", "DocumentReference/2"])

    assert list(found) == ["DocumentReference/1"]
    assert (found["DocumentReference/1"].version, found["DocumentReference/1"].reason) == ("2", "timeout")
    assert ledger.counts() == {("failed", "timeout"): 1}


def test_rows_come_oldest_first_by_status_and_source_over_many_pages(ledger: Ledger) -> None:
    ledger.record([row(n, status="skipped" if n % 2 else "written") for n in range(1201)])

    assert [r.source for r in ledger.notes()] == [f"DocumentReference/{n}" for n in range(1201)]
    assert len(list(ledger.notes(status="skipped"))) == 600
    assert [r.source for r in ledger.notes(sources=["DocumentReference/7"])] == ["DocumentReference/7"]


def test_servers_and_pipelines_do_not_see_each_other(ledger: Ledger, database_url: str) -> None:
    ledger.record([row()])
    ledger.move_watermark("DocumentReference", "2026-01-01T00:00:00Z")

    for server, pipeline in (("http://b/fhir", "extractive"), ("http://a/fhir", "other")):
        with Ledger(database_url, server=server, pipeline=pipeline) as other:
            assert other.known(["DocumentReference/1"]) == {}
            assert other.watermark("DocumentReference") is None


def test_the_watermark_is_kept_as_the_server_wrote_it(ledger: Ledger, database_url: str) -> None:
    assert ledger.watermark("DocumentReference") is None
    for stamp in ("2026-01-01T00:00:00.000+00:00", "2026-01-02T03:04:05.6+02:00"):
        ledger.move_watermark("DocumentReference", stamp)
    with Ledger(database_url, server="http://a/fhir", pipeline="extractive") as again:
        assert again.watermark("DocumentReference") == "2026-01-02T03:04:05.6+02:00"
        assert again.watermark("DiagnosticReport") is None


def test_only_rows_whose_time_has_come_are_due(ledger: Ledger) -> None:
    now = datetime.now(UTC)
    ledger.record(
        [
            row(1, status="failed", retry_at=now - timedelta(minutes=1)),
            row(2, status="failed", retry_at=now + timedelta(minutes=1)),
            row(3, status="failed"),
            row(4, status="failed", retry_at=now - timedelta(minutes=5)),
        ]
    )

    assert [r.source for r in ledger.due(10)] == ["DocumentReference/4", "DocumentReference/1"]
    assert len(ledger.due(1)) == 1


def minutes(attempts: int, *, passing: bool) -> int:
    return round((next_retry(attempts, passing=passing) - datetime.now(UTC)).total_seconds() / 60)


def test_pauses_double_up_to_two_days_and_never_end() -> None:
    two_days = 2 * 24 * 60

    assert [minutes(n, passing=True) for n in range(1, 8)] == [0, 1, 2, 4, 8, 16, 32]
    assert [minutes(n, passing=False) for n in range(1, 5)] == [360, 720, 1440, two_days]
    assert minutes(13, passing=True) == 2048
    assert minutes(14, passing=True) == minutes(1000, passing=True) == two_days


def test_only_one_pass_runs_at_a_time_on_a_file(ledger: Ledger, database_url: str) -> None:
    if ledger.dialect == "postgresql":  # there, leases on notes let several processes share the work
        second = Ledger(database_url, server="http://a/fhir", pipeline="extractive")
        with second, ledger.one_pass(), second.one_pass():
            assert second.counts() == {}
        return
    with Ledger(database_url, server="http://a/fhir", pipeline="extractive") as second:
        with ledger.one_pass(), pytest.raises(PassRunningError), second.one_pass():
            pass
        with second.one_pass():
            pass


def test_passes_over_different_servers_do_not_hinder_each_other(ledger: Ledger, database_url: str) -> None:
    other = Ledger(database_url, server="http://b/fhir", pipeline="extractive")
    with other, ledger.one_pass(), other.one_pass():
        assert other.counts() == {}


@pytest.mark.parametrize("odd", ["\x00nul", "long" * 1000, "\ud800", "😀"])
def test_odd_strings_of_a_server_never_stop_the_ledger(ledger: Ledger, odd: str) -> None:
    ledger.record([row(detail=odd, declared_type=odd, media_type=odd)])

    found = ledger.known(["DocumentReference/1"])["DocumentReference/1"]
    assert "\x00" not in found.detail
    assert len(found.detail) <= 200


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nonsense", "not a database address"),
        ("mysql://u:secret@h/d", "must begin with"),
        ("postgresql+psycopg://u:secret@127.0.0.1:1/none", "cannot be used"),
        ("sqlite:////proc/none/ledger.sqlite", "folder cannot be made"),
    ],
)
def test_a_wrong_database_is_one_sentence_without_the_password(url: str, message: str) -> None:
    with pytest.raises(LedgerError, match=message) as error:
        Ledger(url, server="s", pipeline="p")
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no ledger at all " * 400, "is no SQLite database, or damaged"),
        (b"SQLite format 3\x00" + bytes(range(256)) * 40, "cannot be used"),
    ],
)
def test_a_file_that_is_no_ledger_is_one_sentence_and_stays_as_it_is(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(content)

    with pytest.raises(LedgerError, match=message):
        Ledger(f"sqlite:///{path}", server="s", pipeline="p")
    assert path.read_bytes() == content


def test_a_ledger_of_a_newer_version_is_one_sentence_and_stays_as_it_is(database_url: str) -> None:
    with Ledger(database_url, server="s", pipeline="p") as ledger, ledger.transaction() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(LedgerError, match="made by a newer version of this software"):
        Ledger(database_url, server="s", pipeline="p")


def test_a_ledger_that_may_only_be_read_is_one_sentence(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    with Ledger(url, server="s", pipeline="p") as ledger:
        with ledger.transaction() as connection:
            connection.exec_driver_sql("PRAGMA query_only = ON")
        with pytest.raises(LedgerError, match="it may only be read"):
            ledger.record([row()])
