"""Commands that end or delete something show what it is and ask first."""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from jobs.exits import Exit, UsageError

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without showing and asking first.")]


def check_askable(otherwise: str) -> None:
    """Refuses to go on where nobody can be asked.

    Args:
        otherwise: what the user may do instead, beside `--yes`.

    Raises:
        UsageError: standard input is no terminal.
    """
    if not sys.stdin.isatty():
        raise UsageError(f"There is nobody to ask here: give --yes; {otherwise}.")


def ask(question: str, lines: Sequence[str], most: int) -> None:
    """Shows what is concerned on standard error, and asks; anything but yes ends the command.

    Args:
        question: asked in the end.
        lines: one for each thing concerned.
        most: lines that are shown; of the others, only how many there are.

    Raises:
        typer.Exit: there is nothing to do (exit code 0), or the answer was no (exit code 2).
    """
    if not lines:
        typer.echo("Nothing to do.", err=True)
        raise typer.Exit(Exit.DONE)
    for line in lines[:most]:
        typer.echo(f"  {line}", err=True)
    if len(lines) > most:
        typer.echo(f"  and {len(lines) - most} more", err=True)
    if not typer.confirm(question, err=True):
        typer.echo("Nothing was done.", err=True)
        raise typer.Exit(Exit.WRONG_USE)
