"""Exports of the sandbox, well and not so well behaved, and searches where there is none."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fhir_adapter.rest.backoff import http_date
from fhir_adapter.sandbox.running import running_embedded
from fhir_adapter.sandbox.settings import ExportSettings, SandboxSettings
from fhir_adapter.stamps import nanoseconds
from jobs.backfill import searches
from jobs.backfill.pieces import Wanted
from jobs.backfill.plan import Request
from jobs.ledger.backfills import EXPORT, Reached, keep, reached
from jobs.runtime import open_ledger
from tests.contract.contract_fhir import Fhir, FhirServer
from tests.contract.passes import Site, reference
from tests.unit.jobs.backfill.conftest import Backfilled


@contextmanager
def served(tmp_path: Path, **export: Any) -> Iterator[Site]:
    settings = SandboxSettings(database=tmp_path / "fhir.sqlite", export=ExportSettings(**export))
    with running_embedded(settings) as base_url:
        fhir = Fhir(FhirServer("embedded", base_url))
        with fhir.http:
            yield Site(fhir, tmp_path / "ledger.sqlite")


def filled(site: Site, notes: int = 12) -> list[str]:
    for number in range(3):
        site.fhir.put({"resourceType": "Patient", "id": f"p{number}"})
    group = {"resourceType": "Group", "id": "g", "type": "person", "actual": True}
    members = [{"entity": {"reference": f"Patient/p{number}"}} for number in (0, 1)]
    site.fhir.put({**group, "member": members})
    subjects = [{"reference": f"Patient/p{number % 3}"} for number in range(notes)]
    return [reference(site.document(id=f"n{n}", subject=subject)) for n, subject in enumerate(subjects)]


def backfilled(site: Site, **options: Any) -> Backfilled:
    return Backfilled(
        site, Request(Wanted(site.settings.resource_types, options.pop("since", "")), **options)
    )


def exports_left(site: Site) -> bool:
    """Whether the ledger still knows of an export or a place."""
    with open_ledger(site.settings) as ledger:
        return bool(reached(ledger, Request(Wanted(site.settings.resource_types)).walk))


def test_an_export_that_is_slow_and_busy_in_files_whose_addresses_end(tmp_path: Path) -> None:
    with served(tmp_path, seconds=0.5, busy=1, ended=1, file_lines=5) as site:
        sources = filled(site)
        done = backfilled(site)
        assert done.statuses() == dict.fromkeys(sources, "written")
        assert done.way.startswith("Export of the server: 3 files, 12 resources")
        assert not done.ended.broken
        assert not exports_left(site)


def test_a_group_is_exported_alone(tmp_path: Path) -> None:
    with served(tmp_path) as site:
        sources = filled(site)
        done = backfilled(site, group="g")
        assert done.statuses() == {s: "written" for n, s in enumerate(sources) if n % 3 != 2}
        assert "Group/g" in done.way


def test_what_an_export_lacks_is_said_and_reconcile_finds_it(tmp_path: Path) -> None:
    with served(tmp_path, lost=2) as site:
        sources = filled(site)
        done = backfilled(site)
        assert len(done.statuses()) == len(sources) - 2
        (said,) = done.ended.broken
        assert "2 times exception" in said
        assert not exports_left(site)
        ended, _ = site.poll()
        assert [o.status for o in ended.values()].count("written") == 2


def test_what_was_deleted_since_takes_its_summary_along(tmp_path: Path) -> None:
    with served(tmp_path) as site:
        sources = filled(site, 4)
        backfilled(site)
        gone = site.fhir.send("DELETE", sources[1])
        assert gone.status_code == 204
        done = backfilled(site, since="2020-01-01T00:00:00Z")
        assert done.outcomes[sources[1]].reason == "deleted"
        (composition,) = site.written(sources[1])
        assert composition["status"] == "entered-in-error"


def test_a_stopped_one_goes_on_with_the_same_export(tmp_path: Path) -> None:
    with served(tmp_path, file_lines=4) as site:
        filled(site, 40)
        first = Stopping(site, Request(Wanted(site.settings.resource_types)))
        assert first.ended.stopped
        assert 0 < len(first.statuses()) < 40
        assert exports_left(site)
        second = backfilled(site)
        assert second.way.startswith("Goes on with the export")
        assert not exports_left(site)
        everything = first.statuses() | second.statuses()
        assert len(everything) == 40
        assert len(site.fhir.search("Composition", _count="100")) == 40


class Stopping(Backfilled):
    """Is told to stop with the first note."""

    def _emit(self, outcome: Any) -> None:
        super()._emit(outcome)
        if len(self.outcomes) == 1:
            os.kill(os.getpid(), signal.SIGTERM)


def test_an_export_that_the_server_forgot_is_made_anew(tmp_path: Path) -> None:
    with served(tmp_path) as site:
        sources = filled(site, 3)
        with open_ledger(site.settings) as ledger:
            walk = Request(Wanted(site.settings.resource_types)).walk
            keep(ledger, walk, EXPORT, Reached(f"{site.fhir.server.base_url}/$export-status/forgotten"))
        done = backfilled(site)
        assert done.statuses() == dict.fromkeys(sources, "written")


def test_a_server_that_exports_nothing_is_searched_by_stretches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searches, "_MOST", 3)
    with served(tmp_path, offered=False) as site:
        sources = filled(site)
        done = backfilled(site)
        assert done.statuses() == dict.fromkeys(sources, "written")
        assert "exports nothing" in done.way
        assert int(done.way.split("by ")[1].split()[0]) >= 4
        again = backfilled(site)
        assert set(again.statuses().values()) == {"unchanged"}


def test_without_exports_a_group_is_searched_patient_by_patient(tmp_path: Path) -> None:
    with served(tmp_path, offered=False) as site:
        sources = filled(site)
        done = backfilled(site, group="g")
        assert done.statuses() == {s: "written" for n, s in enumerate(sources) if n % 3 != 2}


def marks(site: Site) -> list[str | None]:
    with open_ledger(site.settings) as ledger:
        return [ledger.watermark(resource_type) for resource_type in site.settings.resource_types]


def test_a_whole_export_tells_passes_where_to_begin(tmp_path: Path) -> None:
    """At the time at which it was asked for; a part of everything tells nothing, nor does a broken one."""
    with served(tmp_path) as site:
        sources = filled(site, 3)
        before = site.fhir.http.get("metadata").headers["date"]
        backfilled(site, group="g")
        backfilled(site, since="2020-01-01T00:00:00Z")
        assert marks(site) == [None, None]

        backfilled(site)

        document, report = marks(site)
        assert document == report
        assert nanoseconds(document) >= http_date(before)
        changed = site.fhir.get(sources[0])
        site.fhir.put({**changed, "docStatus": "amended"})
        ended, _ = site.poll()
        assert ended[sources[0]].status == "written"
        again = marks(site)
        backfilled(site)
        assert marks(site) == again


def test_an_export_that_lacks_something_tells_passes_nothing(tmp_path: Path) -> None:
    with served(tmp_path, lost=1) as site:
        filled(site, 3)
        backfilled(site)
        assert marks(site) == [None, None]
