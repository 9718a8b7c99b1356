"""`clinsum withdraw`: the recall of a model or a pipeline version, or of what came from one source."""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated

import typer

from fhir_adapter.filing.client import survey
from fhir_adapter.lenient import usable_id
from fhir_adapter.reading.source_note import SOURCE_TYPES
from fhir_adapter.reasons import Reason
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.writing.lifecycle import Withdrawal
from fhir_adapter.writing.recall import authors
from fhir_adapter.writing.withdrawal import (
    Orders,
    Withdrawn,
    of_pipeline,
    ran_model,
    withdraw_authors,
    withdraw_source,
)
from jobs.commands.asking import Yes, ask, check_askable
from jobs.commands.options import AsJson, Sets, console, print_json, settings_from
from jobs.exits import Exit, UsageError
from jobs.ledger.copies import free
from jobs.ledger.ledger import Ledger
from jobs.ledger.rows import LedgerError
from jobs.ledger.schema import note
from jobs.runtime import make_client, open_ledger
from jobs.settings import Settings

STATUSES = ("withdrawn", "reinstated", "due", "unchanged", "attested", "changed", "failed")
_SHOWN = 20  # Compositions in the list that is shown before anything is done


def register(app: typer.Typer) -> None:
    """Adds the command."""
    example = 'Example: clinsum withdraw --source DocumentReference/123 --reason "wrong patient"'
    app.command(epilog=example)(withdraw)


def withdraw(
    model: Annotated[
        str | None, typer.Option(metavar="SHA|NAME", help="Everything that this model chose.")
    ] = None,
    pipeline: Annotated[
        str | None,
        typer.Option(metavar="ID|VERSION", help="Everything of this Device, or of this pipeline version."),
    ] = None,
    source: Annotated[
        str | None, typer.Option(metavar="TYPE/ID", help="Everything that came from this note.")
    ] = None,
    attested: Annotated[
        bool, typer.Option("--attested", help="Also what a person changed or attested.")
    ] = False,
    reason: Annotated[
        str, typer.Option(metavar="WORDS", help="Why; stands in each summary and on a recalled Device.")
    ] = "",
    undo: Annotated[
        bool, typer.Option("--undo", help="Take an earlier withdrawal back: the same option, and --undo.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be withdrawn, and stop.")
    ] = False,
    yes: Yes = False,
    json: AsJson = False,
    sets: Sets = None,
) -> None:
    """Marks summaries as entered in error: those of a model, a pipeline version or a note.

    They are found on the server, shown, and withdrawn once you say yes. A withdrawn model or pipeline version
    writes no more. Exit code 1 where something could not be withdrawn, or is a person's and was left.
    """
    given = {"model": model, "pipeline": pipeline, "source": source}
    chosen = [(kind, value) for kind, value in given.items() if value]
    if len(chosen) != 1:
        raise UsageError("Give one of --model, --pipeline and --source.")
    if source and not _is_source(source):
        raise UsageError(f"{source!r} is not a source; write it as DocumentReference/123.")
    settings = settings_from(sets)
    why = Withdrawal.SOURCE if source else Withdrawal.RECALLED
    at_once = settings.concurrency
    orders = Orders(why, attested, dry_run, at_once=at_once, words=reason.strip(), undo=undo)
    if not (dry_run or yes):
        check_askable("--dry-run shows what would be withdrawn")
        due = asyncio.run(_preview(settings, chosen[0], replace(orders, dry_run=True)))
        verb = "Reinstate" if undo else "Withdraw"
        ask(f"{verb} {len(due)} of {settings.written_to}?", due, _SHOWN)
    raise typer.Exit(asyncio.run(_report(settings, chosen[0], orders, json)))


def _is_source(text: str) -> bool:
    kind, slash, ident = text.partition("/")
    return bool(slash) and kind in SOURCE_TYPES and usable_id(ident) is not None


async def _preview(settings: Settings, what: tuple[str, str], orders: Orders) -> list[str]:
    """What would be done, one line a Composition."""
    async with make_client(settings) as client:
        return [
            f"{one.composition} of {one.source or 'many notes'}"
            async for one in withdrawn(client, what, orders)
            if one.status == "due"
        ]


async def _report(settings: Settings, what: tuple[str, str], orders: Orders, json: bool) -> Exit:
    counts: Counter[str] = Counter()
    started, out = time.monotonic(), console()
    async with make_client(settings) as client:
        with _bookkeeping(settings) as ledger:
            async for done in withdrawn(client, what, orders):
                counts[done.status] += 1
                if ledger and done.status in ("withdrawn", "reinstated"):
                    await asyncio.to_thread(_record, ledger, done)
                if json:
                    print_json(done.to_json())
                else:
                    out.print(f"{done.composition} of {done.source or 'no one note'}: {done.status}")
    if json:
        numbers = {status: counts[status] for status in STATUSES}
        seconds = round(time.monotonic() - started, 3)
        print_json({"summary": {"seen": counts.total(), **numbers, "seconds": seconds}})
    else:
        out.print(_sentence(counts))
    left = counts["failed"] + (0 if orders.dry_run else counts["attested"] + counts["changed"])
    return Exit.SOMETHING_FAILED if left else Exit.DONE


async def withdrawn(client: FhirClient, what: tuple[str, str], orders: Orders) -> AsyncIterator[Withdrawn]:
    """Withdraws by `("model" | "pipeline" | "source", value)`, one Composition at a time.

    Raises:
        UsageError: no Device on the server ran that model or is of that pipeline version.
        FhirAdapterError: the server cannot be asked.
    """
    kind, value = what
    if kind == "source":
        async for done in withdraw_source(client, value, orders):
            yield done
        return
    await survey(client)
    found = await authors(client)
    by_model = kind == "model"
    devices = ran_model(found, value) if by_model else of_pipeline(found, value)
    if not devices:
        known = sorted({a.model for a in found} if by_model else {a.pipeline for a in found})
        raise UsageError(f"No Device on the server is of {kind} {value!r}; there are: {', '.join(known)}.")
    async for done in withdraw_authors(client, devices, "model" if by_model else "pipeline", orders):
        yield done


@contextmanager
def _bookkeeping(settings: Settings) -> Iterator[Ledger | None]:
    """The ledger where there is one to be had: a recall does not wait for a database."""
    try:
        ledger = open_ledger(settings)
    except LedgerError as error:
        sys.stderr.write(f"clinsum: {error} The server is being worked on all the same.\n")
        yield None
        return
    with ledger:
        yield ledger


def _record(ledger: Ledger, done: Withdrawn) -> None:
    """So that `clinsum notes` says it too; the server is what counts."""
    try:
        row = ledger.known([done.source]).get(done.source) if done.source else None
        if not row or f"Composition/{row.composition}" != done.composition:
            return
        if done.status == "withdrawn":
            why = Reason.WITHDRAWN.value
            after = replace(row, status="skipped", reason=why, detail=done.reason, sentences=0)
            free(ledger, [row.composition])
        else:
            after = replace(row, status="unchanged", reason="", detail="")
        ledger.record([replace(after, attempts=0, retry_at=None, handled_at=None)])
        if done.status == "reinstated":  # another source of the same text may have a summary by now
            ledger.make_due([note.c.source == done.source])
    except LedgerError as error:
        sys.stderr.write(f"clinsum: {error}\n")


def _sentence(counts: Counter[str]) -> str:
    said = [f"{counts[status]} {status}" for status in STATUSES if counts[status]]
    return f"{counts.total()} Compositions: {', '.join(said) or 'none to withdraw'}."
