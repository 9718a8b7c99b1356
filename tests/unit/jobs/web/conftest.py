"""The application without a socket, with settings of its own; and the summarizer with handles on it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from jobs.settings import Settings, load_settings
from jobs.web.app import create_app
from jobs.web.service import Options
from tests.unit.jobs.web.summarised import Summarised, summarised
from tests.unit.jobs.web.web_parts import Held, MakeSettings, Served, started


@pytest.fixture(autouse=True)
def _bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings of the machine's."""
    import os

    for name in os.environ:
        if name.startswith("CLINSUM_") and name not in ("CLINSUM_REQUIRE_ALL", "CLINSUM_CACHE"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def make_settings(tmp_path: Path) -> MakeSettings:
    """Settings with the quickest engine and a ledger of this test."""

    def make(**given: object) -> Settings:
        base = {
            "engine": "lead",
            "fhir_base_url": "http://127.0.0.1:9/fhir",
            "database_url": f"sqlite:///{tmp_path / 'ledger.sqlite'}",
            "timeout": "5",
            "serve_timeout": "600",  # a busy machine may take a minute to load what the model needs
        }
        return load_settings({**base, **{name: str(value) for name, value in given.items()}})

    return make


@pytest.fixture
def served(make_settings: MakeSettings) -> Served:
    """`async with served(setting=...) as client:` talks to an application that has started."""

    @asynccontextmanager
    async def serve(options: Options | None = None, **given: object) -> AsyncIterator[httpx.AsyncClient]:
        async with started(create_app(make_settings(**given), options)) as client:
            yield client

    return serve


@pytest.fixture
def held() -> Iterator[Held]:
    """Let go at the end, whatever happened."""
    summarizer = Held()
    yield summarizer
    summarizer.leave.set()


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Summarised]:
    """Notes of one patient that a pass has summarised, on a server of the module's own."""
    with summarised(tmp_path_factory.mktemp("summarised")) as found:
        yield found
