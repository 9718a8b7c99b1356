"""A ledger that is saved and put back by the commands of docs/operations.md, on SQLite and PostgreSQL."""

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from fhir_adapter.sandbox.running import running_embedded
from jobs.ledger.ledger import Ledger
from jobs.ledger.rows import NoteRow
from jobs.runtime import open_ledger
from tests.contract.contract_fhir import Fhir, FhirServer
from tests.contract.passes import Site, reference
from tests.places import ROOT


@dataclass(frozen=True)
class Kept:
    """A database of one kind, and how the commands name it."""

    kind: str
    url: str
    environment: dict[str, str]

    def do(self, what: str) -> None:
        page = (ROOT / "docs" / "operations.md").read_text("utf-8")
        command = re.search(rf"<!-- {what} {self.kind} -->\n```sh\n(.*?)```", page, re.DOTALL)
        assert command
        environment = {"PATH": os.environ["PATH"], **self.environment}
        done = subprocess.run(
            ["sh", "-euc", command[1]], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with running_embedded() as base_url:
        fhir = Fhir(FhirServer("embedded", base_url))
        with fhir.http:
            yield Site(fhir, tmp_path / "unused.sqlite")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kept]:
    backup = {"BACKUP": str(tmp_path / "ledger.backup")}
    if request.param == "sqlite":
        path = tmp_path / "kept.sqlite"
        yield Kept("sqlite", f"sqlite:///{path}", {"LEDGER": str(path), **backup})
        return
    given = os.environ.get("CLINSUM_TEST_POSTGRES_URL")
    if not given:
        if os.environ.get("CLINSUM_REQUIRE_ALL") == "1":
            pytest.fail("CLINSUM_TEST_POSTGRES_URL is not set")
        pytest.skip("CLINSUM_TEST_POSTGRES_URL is not set")
    name = f"backup_{os.getpid()}"
    engine = sa.create_engine(given, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    url = sa.make_url(given).set(database=name)
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    yield Kept("postgresql", url.render_as_string(hide_password=False), {"DATABASE": plain, **backup})
    with engine.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


def rows(ledger: Ledger) -> dict[str, NoteRow]:
    return {row.source: row for row in ledger.notes()}


def test_a_ledger_is_saved_and_put_back_and_nothing_is_written_twice(site: Site, kept: Kept) -> None:
    site.options = {"DATABASE_URL": kept.url}
    first = reference(site.document())
    site.poll()
    with open_ledger(site.settings) as ledger:
        before, mark = rows(ledger), ledger.watermark("DocumentReference")
    kept.do("backup")

    second = reference(site.document())
    site.poll()
    with open_ledger(site.settings) as ledger:
        assert set(rows(ledger)) == {first, second}
        with ledger.transaction() as connection:
            connection.execute(sa.text("DELETE FROM note"))
    kept.do("restore")

    with open_ledger(site.settings) as ledger:
        assert rows(ledger) == before
        assert ledger.watermark("DocumentReference") == mark
    site.poll()
    assert [len(site.written(source)) for source in (first, second)] == [1, 1]
    with open_ledger(site.settings) as ledger:
        assert rows(ledger)[second].status == "unchanged"
