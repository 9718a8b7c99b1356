"""What an audit works with: the server and the text extraction; no ledger and no model."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fhir_adapter.auditing import Auditor
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.text import Extractor
from jobs.runtime import fetch_limits, make_client, make_extractor
from jobs.settings import Settings


def make_auditor(settings: Settings, client: FhirClient, extractor: Extractor) -> Auditor:
    """Audits over parts that are there already."""
    system, code = settings.ai_label.split("|", 1)
    return Auditor(client, extractor, fetch_limits(settings), (system, code))


@asynccontextmanager
async def auditing(settings: Settings) -> AsyncIterator[tuple[FhirClient, Auditor]]:
    """The parts for as long as the block lasts."""
    async with make_client(settings) as client, make_extractor(settings) as extractor:
        yield client, make_auditor(settings, client, extractor)
