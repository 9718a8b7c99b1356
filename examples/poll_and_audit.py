"""A FHIR server to try things on, a note on it, one pass over it, and the proof of what was written."""

import asyncio
import base64
import tempfile

import httpx

from fhir_adapter.sandbox.running import running_embedded
from jobs.audits.walk import audits
from jobs.passes.outcome import Outcome
from jobs.runtime import open_ledger
from jobs.schedule import one_pass
from jobs.settings import Settings, load_settings

NOTE = """Seen at home today. Sleeps well again.

Assessment:
Pneumonia of the left lower lobe, improving on amoxicillin.

Plan:
Amoxicillin until Friday, then a call.
"""
DOCUMENT = {
    "resourceType": "DocumentReference",
    "id": "visit",
    "status": "current",
    "docStatus": "final",
    "content": [
        {"attachment": {"contentType": "text/plain", "data": base64.b64encode(NOTE.encode()).decode()}}
    ],
}


def said(outcome: Outcome) -> None:
    """How one note ended: written, unchanged, or skipped or failed with a reason."""
    print(outcome.source, outcome.status, outcome.reason)


async def proven(settings: Settings) -> None:
    """Reads every Composition and its source again, and compares them character by character."""
    async for audit in audits(settings, []):
        print(audit.composition, "holds" if audit.ok else "does not hold")
        for sentence in audit.sentences:
            print(f"  {sentence.start}-{sentence.end}: {sentence.text}")


with running_embedded() as base_url, tempfile.TemporaryDirectory() as folder:
    httpx.put(f"{base_url}/DocumentReference/visit", json=DOCUMENT, trust_env=False).raise_for_status()
    settings = load_settings(
        {"FHIR_BASE_URL": base_url, "DATABASE_URL": f"sqlite:///{folder}/ledger.sqlite", "BUDGET": "2"}
    )
    with open_ledger(settings) as ledger:
        asyncio.run(one_pass(settings, ledger, None, said))
    asyncio.run(proven(settings))
