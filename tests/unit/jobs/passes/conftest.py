"""A site of its own for each test, and clients on whose connection a fault answers."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import jobs.runtime
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.sandbox.running import running_embedded
from jobs.settings import Settings
from tests.contract.contract_fhir import Fhir, FhirServer
from tests.contract.passes import Site
from tests.unit.jobs.passes.faulty import Fault, Faulty


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with running_embedded() as base_url:
        fhir = Fhir(FhirServer("embedded", base_url))
        with fhir.http:
            yield Site(fhir, tmp_path / "ledger.sqlite")


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> Callable[[Fault], list[Faulty]]:
    """Has every client of this test's passes use a connection with this fault."""
    made: list[Faulty] = []

    def use(fault: Fault) -> list[Faulty]:
        def make_client(settings: Settings, retries: int | None = None) -> FhirClient:
            made.append(Faulty(fault))
            return FhirClient(settings.fhir_base_url, transport=made[-1], retries=0)

        monkeypatch.setattr(jobs.runtime, "make_client", make_client)
        return made

    return use
