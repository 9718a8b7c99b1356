"""`clinsum notes`: what the ledger knows."""

from typing import Annotated, Literal

import typer
from rich.table import Table

from fhir_adapter.reasons import reason_words
from jobs.commands.options import AsJson, Sets, console, print_json, settings_from
from jobs.ledger.rows import NoteRow
from jobs.runtime import open_ledger


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog="Example: clinsum notes --status failed --json")(notes)


def notes(
    status: Annotated[
        Literal["written", "unchanged", "skipped", "failed"] | None,
        typer.Option(help="Only notes that ended so."),
    ] = None,
    json: AsJson = False,
    sets: Sets = None,
) -> None:
    """Every note that was handled: how it ended, and why."""
    settings = settings_from(sets)
    with open_ledger(settings) as ledger:
        rows = ledger.notes(status=status)
        if json:
            for row in rows:
                print_json(_to_json(row))
            return
        table = Table("source", "version", "status", "why", "composition", "sentences", "handled", box=None)
        for row in rows:
            why = reason_words(row.reason)
            when = f"{row.handled_at:%Y-%m-%d %H:%M}" if row.handled_at else ""
            table.add_row(
                row.source, row.version, row.status, why, row.composition, str(row.sentences or ""), when
            )
        console().print(table)


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
