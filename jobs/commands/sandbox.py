"""`clinsum sandbox`: a FHIR R4 server to try things on, in the foreground, on loopback."""

import asyncio
import signal
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer

from fhir_adapter.sandbox.load import LoadReport
from fhir_adapter.sandbox.load import load as load_resources
from fhir_adapter.sandbox.settings import Quirk
from jobs.exits import UsageError
from jobs.sandboxes import EngineName, running


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
    quirk: Annotated[
        list[Quirk] | None,
        typer.Option(
            help="The embedded one does what other servers were seen to do. Repeatable; see docs/servers.md."
        ),
    ] = None,
    refuse: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="The embedded one refuses this search parameter (Composition._id, _tag, ...), or Prefer. "
            "Repeatable.",
        ),
    ] = None,
    docker: Annotated[bool, typer.Option(help="For hapi: run the published image instead.")] = False,
) -> None:
    """A FHIR R4 server to try things on, in the foreground, on loopback.

    The real HAPI has the profiles of what clinsum writes loaded, so that $validate checks it.
    """
    missing = [path for path in load or () if not path.exists()]
    if missing:
        raise UsageError(f"{missing[0]} does not exist.")
    if (quirk or refuse) and engine != "embedded":
        raise UsageError("--quirk and --refuse are for --engine embedded.")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with running(engine, port, database, docker=docker, quirks=quirk or (), refused=refuse or ()) as base_url:
        if load:
            _say_loaded(asyncio.run(load_resources(base_url, load)))
        sys.stderr.write(f"FHIR R4 sandbox ({engine}) on {base_url} - Ctrl-C ends it\n")
        stop.wait()


def _say_loaded(report: LoadReport) -> None:
    sys.stderr.write(
        f"loaded {report.loaded_total} resources in {report.seconds:.1f} s, refused {report.refused_total}\n"
    )
    for cause, count in report.refused.items():
        sys.stderr.write(
            f"  refused: {count} {cause.resource_type} HTTP {cause.status} {cause.code}, "
            f"for example {report.examples[cause]}\n"
        )
