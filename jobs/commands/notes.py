"""`clinsum notes`: what the ledger knows."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Annotated, Literal

import typer

from fhir_adapter.reasons import Reason, reason_words
from jobs.commands.options import AsJson, Sets, print_json, settings_from
from jobs.exits import UsageError
from jobs.ledger.ledger import Ledger
from jobs.ledger.pages import NoteFilter, latest
from jobs.ledger.rows import NoteRow
from jobs.runtime import open_ledger
from jobs.values import parse_since

_HEADS = ("handled", "status", "source", "version", "composition", "sentences", "why")
_AT_ONCE = 500  # lines that are brought under each other


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog="Example: clinsum notes --status failed --since 24h --limit 20")(notes)


def notes(
    status: Annotated[
        Literal["written", "unchanged", "skipped", "failed"] | None,
        typer.Option(help="Only notes that ended so."),
    ] = None,
    reason: Annotated[
        str | None, typer.Option(metavar="CODE", help="Only notes that ended for this reason.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only notes handled since: 2026-01-31, 24h, 7d.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Only the N of them that were handled last.")
    ] = None,
    json: AsJson = False,
    sets: Sets = None,
) -> None:
    """Every note that was handled: how it ended, and why. One line a note, and nothing in it is cut."""
    settings = settings_from(sets)
    try:
        start = parse_since(since) if since else None
    except ValueError as error:
        raise UsageError(f"--since: {error}.") from None
    with open_ledger(settings) as ledger:
        if reason:
            _check_reason(ledger, reason)
        chosen = NoteFilter(status or "", reason or "", since=start)
        rows = latest(ledger, chosen, limit) if limit else ledger.notes(where=chosen.where())
        if json:
            for row in rows:
                print_json(_to_json(row))
        else:
            for line in _lines(rows):
                typer.echo(line)


def _check_reason(ledger: Ledger, code: str) -> None:
    """A reason is one of ours, or one that another version of this software left in the ledger."""
    if code not in list(Reason) and code not in {found for _, found in ledger.counts()}:
        raise UsageError(f"--reason: there is no {code!r}; docs/reference.md lists the reason codes.")


def _lines(rows: Iterable[NoteRow]) -> Iterator[str]:
    """Columns under each other, a page of rows at a time, so that any number fits in memory."""
    coming = (_cells(row) for row in rows)
    first = True
    while part := list(islice(coming, _AT_ONCE)):
        shown = [_HEADS, *part] if first else part
        widths = [max(len(cells[column]) for cells in (_HEADS, *part)) for column in range(len(_HEADS))]
        for cells in shown:
            yield "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
        first = False


def _cells(row: NoteRow) -> tuple[str, ...]:
    when = f"{row.handled_at:%Y-%m-%d %H:%M}" if row.handled_at else ""
    composition = f"Composition/{row.composition}" if row.composition else ""
    why = f"{row.reason}: {reason_words(row.reason)}" if row.reason else ""
    return (when, row.status, row.source, row.version, composition, str(row.sentences or ""), why)


def _to_json(row: NoteRow) -> dict[str, object]:
    return {
        "source": row.source,
        "version": row.version,
        "status": row.status,
        "reason": row.reason or None,
        "detail": row.detail or None,
        "composition": f"Composition/{row.composition}" if row.composition else None,
        "sentences": row.sentences,
        "declared_type": row.declared_type or None,
        "media_type": row.media_type or None,
        "attempts": row.attempts,
        "ms": row.milliseconds,
        "handled_at": row.handled_at.isoformat() if row.handled_at else None,
        "retry_at": row.retry_at.isoformat() if row.retry_at else None,
    }
