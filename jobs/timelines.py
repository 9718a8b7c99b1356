"""Timelines of a patient or an encounter: read, and kept on the server where that is asked for."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack

import structlog

from fhir_adapter.auditing import Auditor
from fhir_adapter.note import SourceNote
from fhir_adapter.reasons import Reason
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.timeline.bare import Reasons
from fhir_adapter.timeline.composition import assembler
from fhir_adapter.timeline.proofs import Proofs
from fhir_adapter.timeline.reader import TimelineReader
from fhir_adapter.timeline.timeline import Timeline
from fhir_adapter.timeline.writer import TimelineWriter, WriteResult
from jobs.audits.parts import auditing
from jobs.ledger.ledger import Ledger
from jobs.ledger.rows import LedgerError
from jobs.runtime import act_as, ai_label, open_ledger, software_version
from jobs.settings import Settings

_REASONS = frozenset(reason.value for reason in Reason)

log = structlog.get_logger("clinsum.timelines")


def timeline_reader(
    settings: Settings,
    client: FhirClient,
    auditor: Auditor,
    ledger: Callable[[], Awaitable[Ledger]],
    proofs: Proofs | None = None,
) -> TimelineReader:
    """The reader as the settings have it; for the web service too.

    Args:
        settings: of the process.
        client: the server.
        auditor: of the same server.
        ledger: opens it; it is asked only why notes have no summary.
        proofs: kept from earlier readings with the same rights.
    """
    return TimelineReader(
        client,
        auditor,
        settings.pipeline,
        settings.page_size,
        settings.concurrency,
        ledger_reasons(ledger),
        proofs,
    )


def ledger_reasons(ledger: Callable[[], Awaitable[Ledger]]) -> Reasons:
    """Why notes have no summary, as the passes left it in the ledger.

    What it knows of another version of a note counts for nothing. Where the ledger cannot be used, nothing is
    known: a timeline needs none.
    """

    async def asked(notes: Sequence[SourceNote]) -> Mapping[str, Reason]:
        try:
            there = await ledger()
            known = await asyncio.to_thread(there.known, [note.reference for note in notes])
        except LedgerError as error:
            log.warning("ledger", reason=str(error))
            return {}
        rows = ((note, known[note.reference]) for note in notes if note.reference in known)
        return {
            note.reference: Reason(row.reason)
            for note, row in rows
            if row.version == note.version_id and row.reason in _REASONS
        }

    return asked


async def timeline_of(
    settings: Settings, subject: str, since: str, until: str, write: bool
) -> tuple[Timeline, WriteResult | None]:
    """The timeline, kept on the server where that is asked for; raises as reader and writer do."""
    async with auditing(settings) as (client, auditor):
        pipeline = assembler(settings.pipeline, software_version(), ai_label(settings))
        act_as(client, pipeline)
        with ExitStack() as opened:

            async def ledger() -> Ledger:
                return opened.enter_context(await asyncio.to_thread(open_ledger, settings))

            found = await timeline_reader(settings, client, auditor, ledger).read(subject, since, until)
        if not write:
            return found, None
        writer = TimelineWriter(client, pipeline, settings.pipeline, author=settings.author)
        return found, await writer.write(found)
