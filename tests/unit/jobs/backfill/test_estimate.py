"""A dry run counts, measures and writes nothing."""

import asyncio
import json
from pathlib import Path

import pytest

from jobs.backfill.estimate import Estimate, Speed, estimate
from jobs.backfill.pieces import Wanted
from jobs.backfill.plan import Request
from jobs.cli import run
from jobs.passes.pace import Pace
from jobs.runtime import open_ledger
from tests.contract.passes import Site, reference
from tests.unit.jobs.backfill.conftest import ndjson


def estimated(site: Site, *files: Path) -> Estimate:
    request = Request(Wanted(site.settings.resource_types), files)
    with open_ledger(site.settings) as ledger:
        return asyncio.run(estimate(site.settings, ledger, request, 2, 3.0))


def test_it_counts_what_is_left_and_measures_a_sample(site: Site, tmp_path: Path) -> None:
    notes = [site.document() for _ in range(9)]
    site.poll([reference(note) for note in notes[:2]])
    path = ndjson(tmp_path / "notes.ndjson", [{"resourceType": "Patient", "id": "p"}, *notes[1:]])

    of_files, of_server = estimated(site, path), estimated(site)

    assert (of_files.notes, of_files.known, of_files.left) == (8, 1, 7)
    assert (of_server.notes, of_server.known, of_server.left) == (9, 2, 7)
    for found in (of_files, of_server):
        assert found.speed is not None
        assert found.hours == pytest.approx(7 / found.speed.per_second / 2 / 3600)
        assert found.cost == pytest.approx(found.hours * 3)
    assert len(site.fhir.search("Composition")) == 2


def test_the_rate_is_a_bound() -> None:
    found = Estimate("", 7_200, 0, Speed(50.0, ""), 4, rate=1.0, cost_per_hour=0.5)
    assert found.hours == pytest.approx(2.0)
    assert found.to_json()["dry_run"]["cost"] == 1.0
    assert Pace(1.0).per_second == found.rate


def test_the_command_says_it(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.document()
    site.document()
    sets = [
        f"--set=FHIR_BASE_URL={site.fhir.server.base_url}",
        f"--set=DATABASE_URL=sqlite:///{site.database}",
    ]
    assert run(["backfill", "--dry-run", "--local", "--json", "--set=ENGINE=lead", *sets]) == 0
    found = json.loads(capsys.readouterr().out)["dry_run"]
    assert (found["notes"], found["left"], found["workers"]) == (2, 2, 1)
    assert run(["backfill", "--dry-run", "--local", "--set=ENGINE=lead", *sets]) == 0
    assert "2 notes" in capsys.readouterr().out
