"""The `clinsum` command: names to functions, settings to parts, errors to one sentence and an exit code."""

import sys
from typing import Annotated

import typer

from jobs.exits import EXPECTED, Exit, complain

app = typer.Typer(
    name="clinsum",
    help="Highlights the sentences that matter in clinical notes on a FHIR server, verbatim and traceable.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        from jobs.runtime import software_version

        typer.echo(software_version())
        raise typer.Exit(Exit.DONE)


def _register() -> None:
    from jobs.commands import audit, bench, demo, doctor, notes, poll, sandbox, text

    for module in (doctor, sandbox, poll, audit, notes, text, bench, demo):
        module.register(app)


def run(arguments: list[str] | None = None) -> int:
    """Runs one command and returns its exit code; no expected error shows a traceback."""
    import click

    _register()
    try:
        result = app(args=arguments, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return Exit.WRONG_USE
    except (click.Abort, KeyboardInterrupt):
        return 130
    except EXPECTED as error:
        return complain(error)
    return int(result or 0)


def main() -> None:
    """Entry point of the `clinsum` script."""
    sys.exit(run())
