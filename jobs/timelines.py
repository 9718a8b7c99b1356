"""Timelines of a patient or an encounter: read, and kept on the server where that is asked for."""

from fhir_adapter.auditing import Auditor
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.timeline.composition import assembler
from fhir_adapter.timeline.reader import TimelineReader
from fhir_adapter.timeline.timeline import Timeline
from fhir_adapter.timeline.writer import TimelineWriter, WriteResult
from jobs.audits.parts import auditing
from jobs.runtime import act_as, ai_label, software_version
from jobs.settings import Settings


def timeline_reader(settings: Settings, client: FhirClient, auditor: Auditor) -> TimelineReader:
    """The reader as the settings have it; for the web service too."""
    return TimelineReader(client, auditor, settings.pipeline, settings.page_size, settings.concurrency)


async def timeline_of(
    settings: Settings, subject: str, since: str, until: str, write: bool
) -> tuple[Timeline, WriteResult | None]:
    """The timeline, kept on the server where that is asked for; raises as reader and writer do."""
    async with auditing(settings) as (client, auditor):
        pipeline = assembler(settings.pipeline, software_version(), ai_label(settings))
        act_as(client, pipeline)
        found = await timeline_reader(settings, client, auditor).read(subject, since, until)
        if not write:
            return found, None
        return found, await TimelineWriter(client, pipeline, settings.pipeline).write(found)
