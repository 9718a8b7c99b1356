"""`clinsum poll`, `run` and `retry`: the passes."""

import asyncio
from collections.abc import Callable
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from fhir_adapter.reasons import Reason
from jobs.commands.options import AsJson, Sets, console, print_json, settings_from
from jobs.exits import Exit, UsageError
from jobs.ledger import Ledger
from jobs.outcome import Outcome, Totals
from jobs.progress import PassProgress
from jobs.runtime import runtime
from jobs.schedule import make_trigger, run_schedule, stop_on_signals
from jobs.settings import Settings


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command(epilog="Example: clinsum poll --set FHIR_BASE_URL=https://fhir.example.org/r4")(poll)
    app.command(epilog='Example: clinsum run --every 60s, or clinsum run --cron "*/5 * * * *"')(run)
    app.command(epilog="Example: clinsum retry DocumentReference/123")(retry)


def open_ledger(settings: Settings) -> Ledger:
    """The ledger of this server and pipeline."""
    return Ledger(settings.database_url, server=settings.fhir_base_url, pipeline=settings.pipeline)


def poll(json: AsJson = False, sets: Sets = None) -> None:
    """One pass over everything that changed since the last one."""
    settings = settings_from(sets)
    with open_ledger(settings) as ledger:
        raise typer.Exit(_report(settings, ledger, None, json))


def run(
    every: Annotated[str | None, typer.Option(help="Pause between passes: 60s, 5m, 1h.")] = None,
    cron: Annotated[str | None, typer.Option(help="Five fields of crontab instead.")] = None,
    sets: Sets = None,
) -> None:
    """Passes on a schedule, until SIGTERM, which ends it cleanly after the notes in hand."""
    settings = settings_from(sets)
    trigger = make_trigger(every or (None if cron else settings.interval), cron)
    with open_ledger(settings) as ledger:
        asyncio.run(run_schedule(settings, ledger, trigger))


def retry(
    sources: Annotated[list[str] | None, typer.Argument(help="Type/id; none for all that failed.")] = None,
    json: AsJson = False,
    sets: Sets = None,
) -> None:
    """Runs again what failed, or the given sources whatever became of them."""
    settings = settings_from(sets)
    for source in sources or ():
        if source.count("/") != 1 or not all(source.split("/")):
            raise UsageError(f"{source!r} is not a source; write it as DocumentReference/123.")
    with open_ledger(settings) as ledger:
        wanted = sources or [row.source for row in ledger.notes(status="failed") if "/" in row.source]
        raise typer.Exit(_report(settings, ledger, wanted, json))


def _report(settings: Settings, ledger: Ledger, sources: list[str] | None, json: bool) -> Exit:
    """Runs one pass and says how every note ended."""
    with PassProgress(show=not json) as progress:

        def emit(outcome: Outcome) -> None:
            progress.add(outcome)
            if json:
                print_json(outcome.to_json())

        totals = asyncio.run(one_pass(settings, ledger, sources, emit))
    if json:
        print_json(totals.to_json())
    else:
        show_totals(totals, console())
    return Exit.SOMETHING_FAILED if totals.by_status["failed"] else Exit.DONE


async def one_pass(
    settings: Settings, ledger: Ledger, sources: list[str] | None, emit: Callable[[Outcome], None]
) -> Totals:
    """One pass over what changed, or over the given sources; SIGTERM ends it after the notes in hand.

    Raises:
        PassRunningError, ServerUnreachableError, NotFhirError, LedgerError, SummarizerError.
    """
    stop = asyncio.Event()
    stop_on_signals(stop)
    with ledger.one_pass():
        async with runtime(settings, ledger) as shared:
            one = shared.new_pass(emit, stop)
            if sources is None:
                return await one.run(settings.resource_types)
            return await one.handle(sources)


def show_totals(totals: Totals, out: Console) -> None:
    """The pass in a few lines that a person understands."""
    counts = totals.by_status
    out.print(
        f"{totals.seen} notes in {totals.seconds:.1f} s: {counts['written']} summarised, "
        f"{counts['unchanged']} unchanged, {counts['skipped']} skipped, {counts['failed']} failed."
    )
    if totals.by_reason:
        table = Table("reason", "notes", "what it means", box=None, pad_edge=False)
        for reason, count in totals.by_reason.most_common():
            table.add_row(reason, str(count), Reason(reason).words)
        out.print(table)
