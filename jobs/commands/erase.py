"""`clinsum erase`: legal erasure of what this software wrote of a patient or a note."""

import asyncio
from collections import Counter
from typing import Annotated

import typer

from fhir_adapter.errors import HttpStatusError
from fhir_adapter.lenient import reference_of, usable_id
from fhir_adapter.reading.source_note import SOURCE_TYPES
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.writing.erasure import WrittenResources, access_records, erase, find
from jobs.commands.asking import Yes, ask, check_askable
from jobs.commands.options import AsJson, Sets, console, print_json, settings_from
from jobs.exits import Exit, UsageError
from jobs.ledger.copies import free
from jobs.ledger.forget import forget
from jobs.runtime import make_client, open_ledger
from jobs.settings import Settings

_SHOWN = 20
_FATES = ("deleted", "ended", "left", "failed", "due")
_STAYS = ("ended", "left", "failed")


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("erase", epilog="Example: clinsum erase --patient Patient/123 --dry-run")(erase_command)


def erase_command(
    patient: Annotated[
        str | None, typer.Option(metavar="Patient/ID", help="Everything written of this patient.")
    ] = None,
    source: Annotated[
        str | None, typer.Option(metavar="TYPE/ID", help="Everything written of this note.")
    ] = None,
    attested: Annotated[
        bool, typer.Option("--attested", help="Also what a person changed or attested.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be deleted, and stop.")] = False,
    yes: Yes = False,
    json: AsJson = False,
    sets: Sets = None,
) -> None:
    """Deletes what this software wrote of a patient or a note, from the server and from the ledger.

    Summaries, timelines, Provenances and extracted texts; each is confirmed by a read. It says what it cannot
    remove. The notes themselves are not ours: while they are there, and no Consent forbids it, a pass writes
    their summaries again. Exit code 1 where something is left.
    """
    if bool(patient) == bool(source):
        raise UsageError("Give one of --patient and --source.")
    kinds, given = (("Patient",), patient) if patient else (SOURCE_TYPES, source)
    kind, _, ident = (given or "").partition("/")
    if kind not in kinds or usable_id(ident) is None:
        raise UsageError("Write it as Patient/123, or as DocumentReference/123.")
    settings = settings_from(sets)
    if not (dry_run or yes):
        check_askable("--dry-run shows what would be deleted")
        due = asyncio.run(_due(settings, patient or "", source or "", attested))
        ask(f"Delete {len(due)} resources of {settings.written_to} for good?", due, _SHOWN)
    raise typer.Exit(asyncio.run(_erased(settings, patient or "", source or "", attested, dry_run, json)))


async def _due(settings: Settings, patient: str, source: str, attested: bool) -> list[str]:
    async with make_client(settings) as client:
        found = await find(client, patient, source)
        return [
            one.reference
            async for one in erase(client, found, attested=attested, dry_run=True)
            if one.fate == "due"
        ]


async def _erased(
    settings: Settings, patient: str, source: str, attested: bool, dry_run: bool, json: bool
) -> Exit:
    fates: Counter[str] = Counter()
    versions, staying = 0, set[str]()
    async with make_client(settings) as client:
        found = await find(client, patient, source)
        async for one in erase(client, found, attested=attested, dry_run=dry_run):
            fates[one.fate] += 1
            versions += one.history
            staying |= {one.reference} if one.fate in _STAYS else set()
            if json:
                print_json({"resource": one.reference, "status": one.fate})
            elif one.fate in _STAYS:
                answered = f", HTTP {one.status}" if one.status else ""
                console().print(f"{one.reference}: {one.fate}{answered}")
        rows = 0 if dry_run else await asyncio.to_thread(_forgotten, settings, found, staying)
        notes = await _still_there(client, found)
        events = await _events(client, patient)
    summary = {fate: fates[fate] for fate in _FATES}
    stays = {"history": versions, "audit_events": events, "notes": notes}
    if json:
        print_json({"summary": {**summary, "ledger_rows": rows, "not_removed": stays}})
    else:
        _say(summary, rows, stays)
    return Exit.SOMETHING_FAILED if staying else Exit.DONE


def _forgotten(settings: Settings, found: WrittenResources, staying: set[str]) -> int:
    """Removes the rows of the notes of which nothing stays: by the others an erasure finds what is left."""
    kept = found.notes_of(staying)
    with open_ledger(settings) as ledger:
        free(ledger, [str(c.get("id")) for c in found.compositions if reference_of(c) not in staying])
        return forget(ledger, [source for source in found.sources if source not in kept])


async def _still_there(client: FhirClient, found: WrittenResources) -> int:
    there = 0
    for source in found.sources:
        try:
            there += await client.read_if_there(source) is not None
        except HttpStatusError:
            there += 1
    return there


async def _events(client: FhirClient, patient: str) -> int:
    try:
        return await access_records(client, patient)
    except HttpStatusError:
        return 0


def _say(summary: dict[str, int], rows: int, stays: dict[str, int]) -> None:
    out = console()
    counted = [f"{count} {fate}" for fate, count in summary.items() if count]
    out.print(f"{', '.join(counted) or 'Nothing was found'}; {rows} rows of the ledger removed.")
    if stays["history"]:
        out.print(f"{stays['history']} can still be read as earlier versions: have the server expunge them.")
    if stays["audit_events"]:
        out.print(
            f"{stays['audit_events']} AuditEvents name the patient; they record who saw what, and stay."
        )
    if stays["notes"]:
        out.print(
            f"{stays['notes']} notes are still there: while no Consent forbids it, they are summarised again."
        )
    out.print("Backups and the logs of others are not reached from here.")
