"""`clinsum safety-pack`: what a safety officer asks for, from the running build."""

from pathlib import Path
from typing import Annotated

import typer

from jobs.commands.options import AsJson, Sets, print_json, settings_from
from jobs.exits import UsageError


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("safety-pack", epilog="Example: clinsum safety-pack pack")(safety_pack)


def safety_pack(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Made if it is not there.")],
    json: AsJson = False,
    sets: Sets = None,
) -> None:
    """Writes hazard log, source attributes, model card, transparency text, figures, materials and licences.

    Everything is of the build that runs and of the settings that hold now; where something is not known, or
    is for the deploying organisation to judge, the documents say so.
    """
    settings = settings_from(sets)
    from jobs.safety.pack import write_pack

    try:
        written = write_pack(folder, settings)
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error.strerror}.") from None
    shown = [name for name in written if not name.startswith("licences/")]
    if json:
        print_json({"folder": str(folder), "files": written})
    else:
        for name in shown:
            typer.echo(f"{folder / name}")
        typer.echo(f"{folder / 'licences'}: {len(written) - len(shown)} texts of licences")
