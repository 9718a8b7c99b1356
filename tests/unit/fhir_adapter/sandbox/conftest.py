"""A running embedded sandbox, and small resources to put on it."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from fhir_adapter.sandbox.running import running_embedded
from fhir_adapter.sandbox.settings import SandboxSettings
from tests.unit.fhir_adapter.sandbox.builders import Serve


@pytest.fixture(scope="session")
def server() -> Iterator[httpx.Client]:
    """A sandbox with the default settings that many tests share: use ids of your own."""
    with running_embedded() as base_url, httpx.Client(base_url=base_url, timeout=600) as client:
        yield client


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts sandboxes with other settings."""
    with ExitStack() as stack:

        def start(**settings: Any) -> httpx.Client:
            base_url = stack.enter_context(running_embedded(SandboxSettings(**settings)))
            return stack.enter_context(httpx.Client(base_url=base_url, timeout=600))

        yield start


@pytest.fixture
def fresh(serve: Serve) -> httpx.Client:
    """A sandbox with nothing on it yet."""
    return serve()
