"""What an audit works with: the server and the text extraction; no ledger and no model."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fhir_adapter.audit.context import Ruled, Rules
from fhir_adapter.auditing import Auditor
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.text import Extractor
from jobs.runtime import fetch_limits, make_client, make_extractor, software_version
from jobs.settings import Settings
from summarizer.types import Document


def make_auditor(settings: Settings, client: FhirClient, extractor: Extractor) -> Auditor:
    """Audits over parts that are there already."""
    system, code = settings.ai_label.split("|", 1)
    rules = Rules(software_version(), _ruled)
    return Auditor(client, extractor, fetch_limits(settings), (system, code), rules)


def _ruled(document: Document) -> Ruled:
    """The sentences of a note with all that must be read with them, and what is pinned, as in a summary."""
    from summarizer.assertion.statements import with_neighbours
    from summarizer.pinned.find import find_pinned
    from summarizer.pinned.rules import load_rules
    from summarizer.segmentation.segment import segment

    parts = segment(document.text, document.headings, document.marks)
    parts = with_neighbours(document.text, parts)
    rules = tuple(f"{rule.id}|{rule.version}" for rule in load_rules())
    return Ruled(parts.sentences, parts.sections, find_pinned(document.text, parts), rules)


@asynccontextmanager
async def auditing(settings: Settings) -> AsyncIterator[tuple[FhirClient, Auditor]]:
    """The parts for as long as the block lasts."""
    async with make_client(settings) as client, make_extractor(settings) as extractor:
        yield client, make_auditor(settings, client, extractor)
