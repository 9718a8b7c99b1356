"""The `clinsum` command: names to functions, settings to parts, errors to one sentence and an exit code."""

import errno
import sys
from collections.abc import Iterable
from importlib import import_module
from typing import Annotated

import typer

from jobs.exits import EXPECTED, Exit, UsageError, complain
from jobs.memory import keep_little

COMMANDS = {
    "doctor": "doctor",
    "sandbox": "sandbox",
    "profiles": "profiles",
    "keys": "keys",
    "poll": "poll",
    "run": "poll",
    "retry": "poll",
    "reconcile": "poll",
    "backfill": "backfill",
    "health": "health",
    "audit": "audit",
    "withdraw": "withdraw",
    "erase": "erase",
    "timeline": "timeline",
    "serve": "serve",
    "notes": "notes",
    "summarize": "text",
    "text": "text",
    "hold-out": "hold_out",
    "label": "label",
    "train": "train",
    "evaluate": "evaluate",
    "export": "checkpoint",
    "import": "checkpoint",
    "demo": "demo",
    "bench": "bench",
    "safety-pack": "safety_pack",
}
"""Each command and the module of `jobs.commands` that has it, in the order of `clinsum --help`."""


FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
"""What the system says where a disk takes no more."""


def build(commands: Iterable[str] = COMMANDS) -> typer.Typer:
    """The command line with these commands; the modules of no others are imported."""
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
    for module in dict.fromkeys(COMMANDS[name] for name in commands):
        import_module(f"jobs.commands.{module}").register(app)
    return app


def _root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        from jobs.runtime import software_version

        typer.echo(software_version())
        raise typer.Exit(Exit.DONE)


def run(arguments: list[str] | None = None) -> int:
    """Runs one command and returns its exit code; no expected error shows a traceback."""
    given = sys.argv[1:] if arguments is None else arguments
    named = [name for name in given[:1] if name in COMMANDS]
    try:
        build(named or COMMANDS)(args=given, prog_name="clinsum")
    except SystemExit as ended:  # how the command line ends, and how it says that it was used wrongly
        return ended.code if isinstance(ended.code, int) else Exit.DONE
    except EXPECTED as error:
        return complain(error)
    except OSError as error:
        if error.errno not in FULL:
            raise
        return complain(UsageError(f"{error.filename or 'A file'} cannot be written: {error.strerror}."))
    return Exit.DONE


def main() -> None:
    """Entry point of the `clinsum` script."""
    keep_little()
    sys.exit(run())
