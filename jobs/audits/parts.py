"""What an audit works with: the server and the text extraction; no ledger and no model."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from fhir_adapter.audit.context import Rules
from fhir_adapter.auditing import Auditor
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.text import Extractor
from jobs.runtime import fetch_limits, make_client, make_extractor, software_version
from jobs.settings import Settings
from summarizer.types import Document, Sentence


def make_auditor(settings: Settings, client: FhirClient, extractor: Extractor) -> Auditor:
    """Audits over parts that are there already."""
    system, code = settings.ai_label.split("|", 1)
    rules = Rules(software_version(), _statements)
    return Auditor(client, extractor, fetch_limits(settings), (system, code), rules)


def _statements(document: Document) -> Sequence[Sentence]:
    """The sentences of a note with all that must be read with them, as a summary takes them."""
    from summarizer.assertion.statements import with_neighbours
    from summarizer.segmentation.segment import segment

    parts = segment(document.text, document.headings, document.marks)
    return with_neighbours(document.text, parts).sentences


@asynccontextmanager
async def auditing(settings: Settings) -> AsyncIterator[tuple[FhirClient, Auditor]]:
    """The parts for as long as the block lasts."""
    async with make_client(settings) as client, make_extractor(settings) as extractor:
        yield client, make_auditor(settings, client, extractor)
