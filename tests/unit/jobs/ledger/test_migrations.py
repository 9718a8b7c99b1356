"""Ledgers that earlier versions made, kept as SQL, are opened, brought forward and go on."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from jobs.ledger.leases import claim
from jobs.ledger.ledger import Ledger, NoteRow
from jobs.ledger.schema import metadata
from jobs.ledger.walks import mark_seen, unseen
from tests.places import ROOT

DATA = Path(__file__).parent / "data"
VERSIONS = ROOT / "jobs" / "ledger" / "migrations" / "versions"
REVISIONS = sorted(path.name.partition("_")[0] for path in VERSIONS.glob("[0-9]*.py"))
KEPT = sorted({path.stem.partition("-")[2] for path in DATA.glob("*.sql")})


def made(database_url: str, revision: str, *, there: bool = False) -> None:
    """A database as that revision left it, with two notes and a watermark; its folder may be there."""
    url = sa.make_url(database_url)
    if url.database and url.get_backend_name() == "sqlite":
        Path(url.database).parent.mkdir(parents=True, exist_ok=there)
    script = (DATA / f"{url.get_backend_name()}-{revision}.sql").read_text("utf-8")
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        for statement in script.split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement)
    engine.dispose()


def test_the_version_before_is_among_what_is_kept() -> None:
    """A new migration brings the shape before it as data: see the newest pair of files in `data/`."""
    assert set(KEPT) >= set(REVISIONS[:-1])


@pytest.mark.parametrize("revision", KEPT)
def test_an_earlier_ledger_is_migrated_and_goes_on(database_url: str, revision: str) -> None:
    made(database_url, revision)

    with Ledger(database_url, server="http://a/fhir", pipeline="extractive") as ledger:
        written, failed = ledger.notes()
        assert (written.source, written.status, written.sentences) == ("DocumentReference/a", "written", 3)
        assert (failed.source, failed.reason, failed.attempts) == ("DiagnosticReport/b", "timeout", 3)
        assert [row.source for row in ledger.due(10)] == ["DiagnosticReport/b"]
        assert ledger.watermark("DocumentReference") == "2026-03-01T07:59:58.123+00:00"
        ledger.record([NoteRow("DiagnosticReport/b", "2", "0123456789ab", "written", sentences=1)])
        assert ledger.counts() == {("written", ""): 2}


@pytest.mark.parametrize("revision", KEPT)
def test_migrated_it_has_the_shape_of_a_new_one(database_url: str, revision: str) -> None:
    made(database_url, revision)
    Ledger(database_url, server="http://a/fhir", pipeline="extractive").close()

    engine = sa.create_engine(database_url)
    found = sa.inspect(engine)
    for table in metadata.sorted_tables:
        assert {c["name"] for c in found.get_columns(table.name)} == set(table.columns.keys())
        assert {i["name"] for i in found.get_indexes(table.name)} >= {i.name for i in table.indexes}
    engine.dispose()


def shape(database_url: str) -> dict[str, Any]:
    """Every table with its columns, keys and indexes, whatever their order."""
    engine = sa.create_engine(database_url)
    found = sa.inspect(engine)
    tables: dict[str, Any] = {}
    for table in found.get_table_names():
        columns = {
            c["name"]: (repr(c["type"]), c["nullable"], c["default"], c.get("primary_key"))
            for c in found.get_columns(table)
        }
        keys = found.get_pk_constraint(table)["constrained_columns"]
        unique = {u["name"]: u["column_names"] for u in found.get_unique_constraints(table)}
        indexes = {i["name"]: (i["column_names"], i["unique"]) for i in found.get_indexes(table)}
        tables[table] = (columns, keys, unique, indexes)
    with engine.connect() as connection:
        version = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one()
    engine.dispose()
    return {"version": version, **tables}


def test_a_new_one_is_as_one_that_every_migration_went_over(database_url: str) -> None:
    """A new ledger is made at once, without Alembic; column for column it is what the migrations lead to."""
    Ledger(database_url, server="http://a/fhir", pipeline="extractive").close()
    new = shape(database_url)
    assert new["version"] == REVISIONS[-1]
    engine = sa.create_engine(database_url)
    with engine.begin() as connection:
        for table in (*reversed(metadata.sorted_tables), "alembic_version"):
            connection.exec_driver_sql(f"DROP TABLE {table}")
    engine.dispose()
    made(database_url, "0001", there=True)
    Ledger(database_url, server="http://a/fhir", pipeline="extractive").close()

    assert shape(database_url) == new


def test_the_instants_of_an_earlier_ledger_are_read_as_utc(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'state' / 'ledger.sqlite'}"
    made(url, KEPT[-1])
    with Ledger(url, server="http://a/fhir", pipeline="extractive") as ledger:
        first = next(iter(ledger.notes()))
    assert first.handled_at is not None
    assert first.handled_at.replace(tzinfo=UTC) == datetime(2026, 3, 1, 8, tzinfo=UTC)


def test_what_the_version_before_had_given_up_is_tried_again(database_url: str) -> None:
    """Migration 0003: failures have no end any more; one that names no source cannot be read again."""
    made(database_url, "0002")
    engine = sa.create_engine(database_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE note SET retry_at = NULL, attempts = 5")
        connection.exec_driver_sql(
            "INSERT INTO note (server, pipeline, source, version, status, reason, detail, composition, "
            "sentences, text_sha256, declared_type, media_type, milliseconds, attempts, pipeline_version, "
            "handled_at) VALUES ('http://a/fhir', 'extractive', 'unknown', '', 'failed', 'malformed', '', "
            "'', 0, '', '', '', 0, 5, '0123456789ab', '2026-03-01 08:00:00')"
        )
    engine.dispose()

    with Ledger(database_url, server="http://a/fhir", pipeline="extractive") as ledger:
        assert [row.source for row in ledger.due(10)] == ["DiagnosticReport/b"]
        assert ledger.known(["DocumentReference/a"])["DocumentReference/a"].retry_at is None


def test_leases_and_walks_work_on_a_migrated_ledger(database_url: str) -> None:
    made(database_url, "0002")
    with Ledger(database_url, server="http://a/fhir", pipeline="extractive") as ledger:
        notes, minute = ["DocumentReference/a", "DiagnosticReport/b"], timedelta(minutes=1)
        assert claim(ledger, notes[:1], "first", minute) == {notes[0]}
        assert claim(ledger, notes, "second", minute) == {notes[1]}

        now, types = datetime.now(UTC), ["DocumentReference", "DiagnosticReport"]
        assert unseen(ledger, types, now, 0)[1] == ["DocumentReference/a"]
        mark_seen(ledger, notes, now + minute)
        assert unseen(ledger, types, now, 0)[1] == []
