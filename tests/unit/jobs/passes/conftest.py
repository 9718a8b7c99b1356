"""A site of its own for each test, and clients on whose connection a fault answers."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import jobs.runtime
from fhir_adapter.rest.client import FhirClient
from jobs.settings import Settings
from tests.contract.passes import Site, new_site
from tests.unit.jobs.passes.faulty import Fault, Faulty


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with new_site(tmp_path) as site:
        yield site


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
