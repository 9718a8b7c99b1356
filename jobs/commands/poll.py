"""`clinsum poll`, `run` and `retry`: the passes."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Annotated, Protocol

import typer

from fhir_adapter.stamps import nanoseconds
from jobs.commands.options import AsJson, Sets, console, print_json, settings_from
from jobs.commands.totals import show_totals
from jobs.exits import Exit, UsageError
from jobs.passes.outcome import Outcome, Totals
from jobs.passes.pace import parse_pace
from jobs.passes.progress import PassProgress
from jobs.passes.watch import Watch
from jobs.runtime import open_ledger
from jobs.schedule import (
    Beside,
    bring_along,
    make_trigger,
    nothing_beside,
    one_pass,
    reconcile,
    run_schedule,
)

_NAMED = 5  # notes that failed and are named at the end of a pass


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command(epilog="Example: clinsum poll, or clinsum poll --resummarise --rate 60/min")(poll)
    app.command(epilog='Example: clinsum run --every 60s, or clinsum run --cron "*/5 * * * *"')(run)
    app.command(epilog="Example: clinsum retry DocumentReference/123")(retry)
    app.command("reconcile", epilog="Example: clinsum reconcile --since 2026-05-01T00:00:00Z --rate 10/s")(
        reconcile_command
    )


def poll(
    resummarise: Annotated[
        bool,
        typer.Option(
            "--resummarise",
            help="Instead: notes whose summary is of a former model, software or setting.",
        ),
    ] = False,
    rate: Annotated[
        str | None, typer.Option(metavar="N/min", help="With --resummarise, how fast: 60/min, 2/s, 500/h.")
    ] = None,
    json: AsJson = False,
    sets: Sets = None,
) -> None:
    """One pass over everything that changed since the last one."""
    if rate and not resummarise:
        raise UsageError("--rate goes with --resummarise.")
    settings = settings_from(sets)
    try:
        pace = parse_pace(rate) if rate else None
    except ValueError as error:
        raise UsageError(f"--rate: {error}.") from None
    with open_ledger(settings) as ledger:
        if resummarise:
            raise typer.Exit(_report(partial(bring_along, settings, ledger, pace), json))
        raise typer.Exit(_report(partial(one_pass, settings, ledger, None), json))


def run(
    every: Annotated[str | None, typer.Option(help="Pause between passes: 60s, 5m, 1h.")] = None,
    cron: Annotated[str | None, typer.Option(help="Five fields of crontab instead.")] = None,
    sets: Sets = None,
) -> None:
    """Passes on a schedule, until SIGTERM, which ends it cleanly after the notes in hand."""
    settings = settings_from(sets)
    trigger = make_trigger(every or (None if cron else settings.interval), cron)
    beside: Beside = nothing_beside
    if settings.run_address:
        from jobs.web.beside_run import check_address, serving

        beside = partial(serving, settings, check_address(settings))
    with open_ledger(settings) as ledger:
        raise typer.Exit(asyncio.run(run_schedule(settings, ledger, trigger, beside)))


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
        raise typer.Exit(_report(partial(one_pass, settings, ledger, wanted), json))


def reconcile_command(
    since: Annotated[
        str | None, typer.Option(metavar="INSTANT", help="Only what changed then or later; else everything.")
    ] = None,
    rate: Annotated[
        str | None, typer.Option(metavar="N/min", help="How fast: 600/min, 10/s; else as fast as it goes.")
    ] = None,
    json: AsJson = False,
    sets: Sets = None,
) -> None:
    """Walks over everything on the server and handles what the passes have missed.

    It goes by another order than a pass, and reads nothing that the ledger has in the same version. Passes
    may run beside it. `clinsum run` does the same by itself, spread thin (CLINSUM_RECONCILE).
    """
    settings = settings_from(sets)
    try:
        pace = parse_pace(rate) if rate else None
    except ValueError as error:
        raise UsageError(f"--rate: {error}.") from None
    if since and nanoseconds(since) is None:
        raise UsageError(f"--since: {since!r} is no instant such as 2026-05-31T00:00:00Z.")
    with open_ledger(settings) as ledger:
        raise typer.Exit(_report(partial(reconcile, settings, ledger, since, pace), json))


class _Pass(Protocol):
    def __call__(self, *, emit: Callable[[Outcome], None], watch: Watch) -> Coroutine[None, None, Totals]: ...


def _report(a_pass: _Pass, json: bool) -> Exit:
    """Runs one pass and says how every note ended."""
    failed: list[Outcome] = []
    with PassProgress(show=not json) as progress:

        def emit(outcome: Outcome) -> None:
            progress.add(outcome)
            if outcome.status == "failed" and len(failed) < _NAMED:
                failed.append(outcome)
            if json:
                print_json(outcome.to_json())

        totals = asyncio.run(a_pass(emit=emit, watch=progress))
    if json:
        print_json(totals.to_json())
    else:
        show_totals(totals, console())
        _show_failed(failed, totals)
    return Exit.SOMETHING_FAILED if totals.by_status["failed"] or totals.unknown else Exit.DONE


def _show_failed(failed: Sequence[Outcome], totals: Totals) -> None:
    """The first notes that failed, by their whole ids, and the commands that lead on from here."""
    for source in totals.unknown:
        typer.echo(f"{source} is unknown: neither the server nor the ledger has it.")
    if not failed:
        return
    typer.echo("Failed:")
    for outcome in failed:
        typer.echo(
            f"  {outcome.source}  {outcome.reason}" + ("  (not due again yet)" if outcome.waiting else "")
        )
    if (more := totals.by_status["failed"] - len(failed)) > 0:
        typer.echo(f"  and {more} more")
    typer.echo("Next: clinsum notes --status failed   (all of them, and when each is tried again)")
    typer.echo("      clinsum retry                   (try them again now)")
