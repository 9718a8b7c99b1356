"""`clinsum sandbox`: a FHIR R4 server to try things on, in the foreground, on loopback."""

import asyncio
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer

from fhir_adapter.profiles import upload
from fhir_adapter.profiles.package import build
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.sandbox.hapi import HapiSettings, running_hapi
from fhir_adapter.sandbox.load import LoadReport
from fhir_adapter.sandbox.load import load as load_resources
from fhir_adapter.sandbox.running import running_embedded
from fhir_adapter.sandbox.settings import SandboxSettings
from jobs.exits import UsageError

EngineName = Literal["embedded", "hapi"]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog="Example: clinsum sandbox --engine hapi --port 8080 --load bundles/")(sandbox)


def sandbox(
    engine: Annotated[
        EngineName, typer.Option(help="Ours (SQLite), or the real HAPI FHIR JPA server.")
    ] = "embedded",
    port: Annotated[int, typer.Option(help="0 takes a free one.", min=0, max=65535)] = 8080,
    load: Annotated[
        list[Path] | None,
        typer.Option(help="Bundles, single resources, ndjson, or folders of them. Repeatable."),
    ] = None,
    database: Annotated[
        Path | None, typer.Option(help="Keeps the resources there (a file; for hapi a folder).")
    ] = None,
    docker: Annotated[bool, typer.Option(help="For hapi: run the published image instead.")] = False,
) -> None:
    """A FHIR R4 server to try things on, in the foreground, on loopback.

    The real HAPI has the profiles of what clinsum writes loaded, so that $validate checks it.
    """
    missing = [path for path in load or () if not path.exists()]
    if missing:
        raise UsageError(f"{missing[0]} does not exist.")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with running(engine, port, database, docker=docker) as base_url:
        if load:
            _say_loaded(asyncio.run(load_resources(base_url, load)))
        sys.stderr.write(f"FHIR R4 sandbox ({engine}) on {base_url} - Ctrl-C ends it\n")
        stop.wait()


@contextmanager
def running(
    engine: EngineName, port: int = 0, database: Path | None = None, *, docker: bool = False
) -> Iterator[str]:
    """Either sandbox for as long as the block lasts; yields its base URL."""
    if engine == "embedded":
        settings = SandboxSettings(database=database)
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


def _say_loaded(report: LoadReport) -> None:
    sys.stderr.write(
        f"loaded {report.loaded_total} resources in {report.seconds:.1f} s, refused {report.refused_total}\n"
    )
    for cause, count in report.refused.items():
        sys.stderr.write(
            f"  refused: {count} {cause.resource_type} HTTP {cause.status} {cause.code}, "
            f"for example {report.examples[cause]}\n"
        )
