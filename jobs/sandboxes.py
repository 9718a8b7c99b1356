"""The FHIR servers to try things on: ours, and the real HAPI with the profiles loaded."""

import asyncio
import sys
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from fhir_adapter.profiles import upload
from fhir_adapter.profiles.package import build
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.sandbox.hapi import HapiSettings, running_hapi
from fhir_adapter.sandbox.running import running_embedded
from fhir_adapter.sandbox.settings import Quirk, SandboxSettings

EngineName = Literal["embedded", "hapi"]


@contextmanager
def running(
    engine: EngineName,
    port: int = 0,
    database: Path | None = None,
    *,
    docker: bool = False,
    quirks: Collection[Quirk] = (),
    refused: Collection[str] = (),
) -> Iterator[str]:
    """Either sandbox, the embedded one with quirks, while the block lasts; yields its base URL."""
    if engine == "embedded":
        settings = SandboxSettings(database=database, quirks=frozenset(quirks), refused=frozenset(refused))
        with running_embedded(settings, port, own_process=True) as base_url:
            yield base_url
    else:
        sys.stderr.write("Starting HAPI FHIR; the first time it is built, which takes about a minute.\n")
        with tempfile.TemporaryDirectory() as folder:
            package = Path(folder, "package.tgz")
            package.write_bytes(build())
            hapi = HapiSettings(
                port=port, database=database, packages=(package,), way="docker" if docker else "auto"
            )
            with running_hapi(hapi) as base_url:
                asyncio.run(_with_profiles(base_url))
                yield base_url


async def _with_profiles(base_url: str) -> None:
    """Loads the profiles where the server was started without them: the published image."""
    async with FhirClient(base_url) as client:
        if not await upload.is_loaded(client):
            await upload.load(client)
