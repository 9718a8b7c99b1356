"""A server of its own for each test, and backfills of it in this process."""

import asyncio
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fhir_adapter.sandbox.running import running_embedded
from jobs.backfill.local import Ended, run_local
from jobs.backfill.pieces import Wanted
from jobs.backfill.plan import Request
from jobs.passes.outcome import Outcome
from jobs.passes.watch import Watch
from jobs.runtime import open_ledger
from tests.contract.contract_fhir import Fhir, FhirServer
from tests.contract.passes import Site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with running_embedded() as base_url:
        fhir = Fhir(FhirServer("embedded", base_url))
        with fhir.http:
            yield Site(fhir, tmp_path / "ledger.sqlite")


class Backfilled(Watch):
    """What a backfill told of."""

    def __init__(self, site: Site, request: Request) -> None:
        self.way = ""
        self.outcomes: dict[str, Outcome] = {}
        self.shares: list[tuple[float, float]] = []
        with open_ledger(site.settings) as ledger:
            self.ended: Ended = asyncio.run(run_local(site.settings, ledger, request, self._emit, self))

    def planned(self, words: str) -> None:
        self.way = words

    def reached(self, share: float, in_this_run: float) -> None:
        self.shares.append((share, in_this_run))

    def _emit(self, outcome: Outcome) -> None:
        assert outcome.source not in self.outcomes or outcome.source == "unknown"
        self.outcomes[outcome.source] = outcome

    def statuses(self) -> dict[str, str]:
        return {source: outcome.status for source, outcome in self.outcomes.items()}


def from_files(site: Site, *files: Path, types: tuple[str, ...] = (), **options: Any) -> Backfilled:
    wanted = Wanted(types or site.settings.resource_types, options.pop("since", ""))
    return Backfilled(site, Request(wanted, files, **options))


def ndjson(path: Path, resources: Iterable[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in resources))
    return path
