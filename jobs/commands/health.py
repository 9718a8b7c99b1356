"""`clinsum health`: whether `clinsum run` does its work, for orchestrators and people."""

from typing import Annotated

import typer

from jobs.commands.options import AsJson, Sets, console, print_json, settings_from
from jobs.exits import Exit, UsageError
from jobs.health import read_health
from jobs.values import parse_duration


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog="Example: clinsum health --max-age 10m")(health)


def health(
    max_age: Annotated[str, typer.Option(help="How long ago the last good pass may be.")] = "10m",
    alive: Annotated[
        bool, typer.Option("--alive", help="Ask for any sign of life: also of a pass that failed or goes on.")
    ] = False,
    json: AsJson = False,
    sets: Sets = None,
) -> None:
    """Says when `clinsum run` last completed a pass; exit code 1 where that is too long ago."""
    settings = settings_from(sets)
    try:
        most = parse_duration(max_age).total_seconds()
    except ValueError as error:
        raise UsageError(f"--max-age: {error}.") from None
    found = read_health(settings.health_file)
    well = found.well(most, alive=alive)
    if json:
        print_json({"ok": well, "seconds_since": {"good_pass": found.since_good, "sign": found.since_sign}})
    else:
        good = (
            "no pass was completed yet"
            if found.since_good is None
            else _ago("last good pass", found.since_good)
        )
        sign = "no sign of life" if found.since_sign is None else _ago("last sign of life", found.since_sign)
        console().print(f"{'ok' if well else 'not well'}: {good}, {sign}.")
    raise typer.Exit(Exit.DONE if well else Exit.SOMETHING_FAILED)


def _ago(what: str, seconds: float) -> str:
    return f"{what} {seconds:.0f} s ago"
