"""The `clinsum` command: names to functions, settings to parts, errors to one sentence and an exit code."""

import sys
from typing import Annotated

import typer

from jobs.exits import EXPECTED, Exit, complain


def build() -> typer.Typer:
    """The command line with all its commands."""
    from jobs.commands import (
        audit,
        bench,
        checkpoint,
        demo,
        doctor,
        evaluate,
        hold_out,
        label,
        notes,
        poll,
        profiles,
        sandbox,
        serve,
        text,
        timeline,
        train,
        withdraw,
    )

    app = typer.Typer(
        name="clinsum",
        help="Highlights the sentences that matter in clinical notes on a FHIR server, verbatim.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(invoke_without_command=True)(_root)
    models = (hold_out, label, train, evaluate, checkpoint)
    servers = (doctor, sandbox, profiles, poll, audit, withdraw, timeline, serve)
    for module in (*servers, notes, text, *models, bench, demo):
        module.register(app)
    return app


def _root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        from jobs.runtime import software_version

        typer.echo(software_version())
        raise typer.Exit(Exit.DONE)


def run(arguments: list[str] | None = None) -> int:
    """Runs one command and returns its exit code; no expected error shows a traceback."""
    try:
        build()(args=arguments, prog_name="clinsum")
    except SystemExit as ended:  # how the command line ends, and how it says that it was used wrongly
        return ended.code if isinstance(ended.code, int) else Exit.DONE
    except EXPECTED as error:
        return complain(error)
    return Exit.DONE


def main() -> None:
    """Entry point of the `clinsum` script."""
    sys.exit(run())
