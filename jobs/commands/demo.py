"""`clinsum demo`: what `make demo` runs."""

import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console

from jobs.commands.options import AsJson, print_json
from jobs.demo.run import run_demo
from jobs.demo.show import show
from jobs.exits import Exit
from jobs.logs import configure_logging
from jobs.sandboxes import EngineName


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog="Example: clinsum demo --engine hapi")(demo)


def demo(
    engine: Annotated[
        EngineName, typer.Option(help="Ours (SQLite), or the real HAPI FHIR JPA server.")
    ] = "embedded",
    folder: Annotated[Path, typer.Option(help="Where the server's data and the ledger go.")] = Path(".demo"),
    keep: Annotated[bool, typer.Option("--keep", help="Leave the server up until Ctrl-C.")] = False,
    json: AsJson = False,
) -> None:
    """Invented notes on a sandbox, two passes, and a table of what came of each note.

    Exit code 1 if the audit finds anything.
    """
    configure_logging("text", "warning")
    with _ended_by_sigterm(), _steps() as say, run_demo(engine, folder, say) as report:
        say("")
        if json:
            print_json({**asdict(report), "ok": report.ok})
        else:
            show(report, Console(highlight=False), clinsum=_command(), up=keep)
        if keep:
            sys.stderr.write(f"FHIR R4 sandbox ({engine}) on {report.base_url} - Ctrl-C ends it\n")
            with suppress(KeyboardInterrupt):
                threading.Event().wait()
        code = Exit.DONE if report.ok else Exit.SOMETHING_FAILED
    raise typer.Exit(code)


def _command() -> str:
    """How a person types our command here."""
    local = Path(".venv/bin/clinsum")
    return str(local) if local.exists() or not shutil.which("clinsum") else "clinsum"


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Turns SIGTERM into an ordinary end, so that the server is taken down with us."""

    def end(number: int, _: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _steps() -> Iterator[Callable[[str], None]]:
    """Shows what goes on: a moving line on a terminal, a plain line elsewhere, on standard error."""
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield lambda line: console.print(line) if line else None
        return
    with console.status("") as status:
        yield lambda line: status.update(line) if line else status.stop()
