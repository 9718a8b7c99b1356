"""Ledgers that earlier versions made, kept as SQL, are opened, brought forward and go on."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from jobs.ledger.ledger import Ledger, NoteRow
from jobs.ledger.schema import metadata
from tests.places import ROOT

DATA = Path(__file__).parent / "data"
VERSIONS = ROOT / "jobs" / "ledger" / "migrations" / "versions"
REVISIONS = sorted(path.name.partition("_")[0] for path in VERSIONS.glob("[0-9]*.py"))
KEPT = sorted({path.stem.partition("-")[2] for path in DATA.glob("*.sql")})


def made(database_url: str, revision: str) -> None:
    """A database as that revision left it, with two notes and a watermark."""
    url = sa.make_url(database_url)
    if url.database and url.get_backend_name() == "sqlite":
        Path(url.database).parent.mkdir(parents=True)
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


def test_the_instants_of_an_earlier_ledger_are_read_as_utc(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'state' / 'ledger.sqlite'}"
    made(url, KEPT[-1])
    with Ledger(url, server="http://a/fhir", pipeline="extractive") as ledger:
        first = next(iter(ledger.notes()))
    assert first.handled_at is not None
    assert first.handled_at.replace(tzinfo=UTC) == datetime(2026, 3, 1, 8, tzinfo=UTC)
