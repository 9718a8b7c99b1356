"""`clinsum profiles`: the profiles of what is written, as a FHIR package or loaded onto the server."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from fhir_adapter.errors import HttpStatusError
from fhir_adapter.profiles import VERSION, definitions, upload
from fhir_adapter.profiles.package import NAME, build
from fhir_adapter.rest.client import FhirClient
from jobs.commands.options import AsJson, Sets, console, print_json, settings_from
from jobs.exits import Exit, UsageError
from jobs.runtime import make_client
from summarizer.files import placed

_REMEDY = "Load the package by the server's own means: clinsum profiles --out package.tgz"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog="Example: clinsum profiles --out package.tgz")(profiles)


def profiles(
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Writes the FHIR package (package.tgz) there.")
    ] = None,
    load: Annotated[
        bool, typer.Option(help="Puts the definitions on the server; again changes nothing.")
    ] = False,
    json: AsJson = False,
    sets: Sets = None,
) -> None:
    """The profiles of what is written, with their code systems: lists, packs or loads them."""
    settings = settings_from(sets)
    report: dict[str, object] = {
        "name": NAME,
        "version": VERSION,
        "definitions": [{"url": d["url"], "title": d["title"]} for d in definitions()],
    }
    lines = [f"{NAME} {VERSION}", *(f"  {d['url']}  {d['title']}" for d in definitions())]
    if out is not None:
        _write(out, build())
        report["package"] = str(out)
        lines = [f"{NAME} {VERSION} written to {out}"]
    failed = False
    if load:
        line, failed, report["loaded"] = asyncio.run(_load(make_client(settings)))
        lines = [*(lines if out is not None else ()), line]
    if json:
        print_json(report)
    else:
        for line in lines:
            console().print(line, markup=False, soft_wrap=True)
    raise typer.Exit(Exit.SOMETHING_FAILED if failed else Exit.DONE)


def _write(path: Path, data: bytes) -> None:
    try:
        with placed(path) as beside:
            beside.write_bytes(data)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from None


async def _load(client: FhirClient) -> tuple[str, bool, dict[str, int] | None]:
    async with client:
        try:
            done = await upload.load(client)
        except HttpStatusError as error:
            return f"The server refuses the profiles ({error}). {_REMEDY}", True, None
    line = f"{done.created} definitions loaded onto {client.base_url}, {done.kept} were there"
    return line, False, {"created": done.created, "kept": done.kept}
