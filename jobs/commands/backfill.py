"""`clinsum backfill`: everything that the server has already."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from fhir_adapter.stamps import nanoseconds
from jobs.backfill.cluster import Cluster, ray_or_say, run_cluster
from jobs.backfill.estimate import Estimate, estimate
from jobs.backfill.local import Ended, run_local
from jobs.backfill.pieces import Wanted
from jobs.backfill.plan import Request
from jobs.commands.options import AsJson, Sets, console, print_json, settings_from
from jobs.commands.totals import show_totals
from jobs.exits import Exit, UsageError
from jobs.passes.outcome import Outcome
from jobs.passes.pace import Pace, parse_pace
from jobs.passes.progress import PassProgress, duration_words
from jobs.runtime import open_ledger
from jobs.settings import Settings


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog="Example: clinsum backfill --rate 20/s, or clinsum backfill --from export/")(backfill)


def backfill(
    files: Annotated[
        list[Path] | None,
        typer.Option("--from", help="An NDJSON file, or a folder of them; .gz too. Repeatable."),
    ] = None,
    group: Annotated[
        str | None, typer.Option(metavar="ID", help="Only the notes of this Group's members.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="INSTANT", help="Only what changed then or later; else everything.")
    ] = None,
    types: Annotated[
        str | None, typer.Option(help="Only these of the types that hold notes, by comma.")
    ] = None,
    rate: Annotated[
        str | None, typer.Option(metavar="N/s", help="Write so fast at most: 20/s, 600/min.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes that score, on Ray; as many as there are processors.")
    ] = None,
    local: Annotated[bool, typer.Option("--local", help="All of it in this process, without Ray.")] = False,
    anew: Annotated[bool, typer.Option("--anew", help="From the beginning, not from where it was.")] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Only say how many notes, hours and how much money it would take."),
    ] = False,
    cost_per_hour: Annotated[
        float | None, typer.Option(min=0, metavar="MONEY", help="Of all that runs, for --dry-run.")
    ] = None,
    json: AsJson = False,
    sets: Sets = None,
) -> None:
    """Summarises everything that the server has already; passes may run beside it.

    Out of files, else by the server's `$export`, else by searches, a stretch of time each.
    SIGTERM ends it after the notes in hand. Run again, it goes on from there, as after a crash.
    """
    settings = settings_from(sets)
    if files and group:
        raise UsageError("--group is for what the server has; it does not go with --from.")
    wanted = _wanted(settings, since, types)
    request = Request(wanted, tuple(files or ()), (group or "").removeprefix("Group/"), _pace(rate), anew)
    if local and workers:
        raise UsageError("--workers is for Ray; it does not go with --local.")
    count = 1 if local else workers or os.cpu_count() or 1
    if dry_run:
        raise typer.Exit(_estimated(settings, request, count, cost_per_hour, json))
    raise typer.Exit(_worked_off(settings, request, None if local else Cluster(count), json))


def _estimated(
    settings: Settings, request: Request, workers: int, cost_per_hour: float | None, json: bool
) -> Exit:
    with open_ledger(settings) as ledger:
        found = asyncio.run(estimate(settings, ledger, request, workers, cost_per_hour))
    if json:
        print_json(found.to_json())
    else:
        _show_estimate(found)
    return Exit.DONE


def _worked_off(settings: Settings, request: Request, cluster: Cluster | None, json: bool) -> Exit:
    """All of it, by a cluster or in this process."""
    if cluster:
        ray_or_say()
    with open_ledger(settings) as ledger, PassProgress(show=not json) as progress:

        def emit(one: Outcome) -> None:
            progress.add(one)
            if json:
                print_json(one.to_json())

        if cluster:
            ended = run_cluster(settings, ledger, request, cluster, emit, progress)
        else:
            ended = asyncio.run(run_local(settings, ledger, request, emit, progress))
    return _report(ended, json)


def _wanted(settings: Settings, since: str | None, types: str | None) -> Wanted:
    if since and nanoseconds(since) is None:
        raise UsageError(f"--since: {since!r} is no instant such as 2026-05-31T00:00:00Z.")
    asked = tuple(name.strip() for name in (types or "").split(",") if name.strip())
    unknown = [name for name in asked if name not in settings.resource_types]
    if unknown:
        raise UsageError(f"--types: {unknown[0]} is not among {', '.join(settings.resource_types)}.")
    return Wanted(asked or settings.resource_types, since or "")


def _pace(rate: str | None) -> Pace | None:
    try:
        return parse_pace(rate) if rate else None
    except ValueError as error:
        raise UsageError(f"--rate: {error}.") from None


def _report(ended: Ended, json: bool) -> Exit:
    if json:
        print_json(ended.totals.to_json())
    else:
        show_totals(ended.totals, console())
    for one in ended.broken:
        sys.stderr.write(f"clinsum: {one}\n")
    if ended.stopped:
        sys.stderr.write("Stopped; run the same command again to go on.\n")
    failed = ended.totals.by_status["failed"] or ended.broken
    return Exit.SOMETHING_FAILED if failed else Exit.DONE


def _show_estimate(found: Estimate) -> None:
    out = console()
    counted = "an unknown number of" if found.notes is None else f"{found.notes:,}"
    out.print(f"{counted} notes in {found.way}, {found.known:,} of them known to the ledger.")
    if found.speed is None:
        out.print("There is no note to measure the speed on.")
        return
    out.print(f"{found.speed.per_second:.1f} notes/s in one process: {found.speed.measured}.")
    if found.hours is not None:
        bound = f", at most {found.rate:g}/s" if found.rate else ""
        words = duration_words(found.hours * 3600)
        out.print(f"{found.left:,} notes by {found.workers} of these{bound}: about {words}.")
    if found.cost is not None:
        out.print(f"At {found.cost_per_hour:g} an hour: {found.cost:,.2f}.")
