"""Passes and audits as a test runs them: real settings, a ledger of its own, a server under test."""

import asyncio
import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fhir_adapter.audit.verdict import Audit
from fhir_adapter.sandbox.running import running_embedded
from jobs.audits.walk import audits
from jobs.passes.one_pass import Pass
from jobs.passes.outcome import Outcome, Totals
from jobs.runtime import open_ledger, runtime
from jobs.schedule import one_pass
from jobs.settings import Settings, load_settings
from tests.contract.contract_fhir import Fhir, FhirServer, new_id

TEXT = (
    "ASSESSMENT:\nPneumonia of the left lower lobe. Improving on ceftriaxone.\n\n"
    "PLAN:\nHome tomorrow. 😀 Café at 38.5 °C.\n"
)


def encoded(data: str | bytes) -> str:
    return base64.b64encode(data.encode() if isinstance(data, str) else data).decode()


@dataclass
class Site:
    """A server under test and a ledger."""

    fhir: Fhir
    database: Path
    options: dict[str, str] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        return load_settings(
            {
                "FHIR_BASE_URL": self.fhir.server.base_url,
                "DATABASE_URL": f"sqlite:///{self.database}",
                "ENGINE": "lead",
                "BUDGET": "3",
                **self.options,
            }
        )

    def poll(self, sources: list[str] | None = None) -> tuple[dict[str, Outcome], Totals]:
        """One pass; how each note ended, by source."""
        ended: dict[str, Outcome] = {}
        told: list[Outcome] = []

        def emit(outcome: Outcome) -> None:
            before = ended.get(outcome.source)
            # Once more only where what became of a copy of it changes how it ended.
            changed = before and (before.status == "unchanged" or "copy" in (before.reason, outcome.reason))
            nameless = outcome.source == "unknown"  # each stretch of a page that cannot be read has one
            assert before is None or changed or nameless, "a note ended twice in one pass"
            ended[outcome.source] = outcome
            told.append(outcome)

        settings = self.settings
        with open_ledger(settings) as ledger:
            totals = asyncio.run(one_pass(settings, ledger, sources, emit))
        assert totals.seen == len(told)
        return ended, totals

    def audit(self, *compositions: str) -> list[Audit]:
        async def collected() -> list[Audit]:
            return [result async for result in audits(self.settings, list(compositions))]

        return asyncio.run(collected())

    def one_audit(self, composition: str) -> Audit:
        (result,) = self.audit(composition)
        return result

    def document(self, text: str = "", **changed: Any) -> dict[str, Any]:
        """A DocumentReference that the server holds now; a patient's has words of its own unless given."""
        changed = {"id": new_id("note"), **changed}
        text = text or (f"{TEXT}Filed as {changed['id']}.\n" if "subject" in changed else TEXT)
        attachment = {"contentType": "text/plain; charset=utf-8", "data": encoded(text)}
        resource: dict[str, Any] = {
            "resourceType": "DocumentReference",
            "status": "current",
            "docStatus": "final",
            "type": {
                "coding": [{"system": "http://loinc.org", "code": "11506-3", "display": "Progress note"}]
            },
            "content": [{"attachment": attachment}],
        }
        return self.fhir.put({**resource, **changed})

    def written(self, source: str) -> list[dict[str, Any]]:
        """The Compositions of this source."""
        return self.fhir.matches(self.fhir.get("Composition", entry=source))


@contextmanager
def new_site(folder: Path) -> Iterator[Site]:
    """An embedded server with nothing on it, and a ledger in this folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with running_embedded() as base_url:
        fhir = Fhir(FhirServer("embedded", base_url))
        with fhir.http:
            yield Site(fhir, folder / "ledger.sqlite")


def reference(resource: dict[str, Any]) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


def polled_in_thread(site: Site) -> dict[str, str]:
    """One pass in a thread of its own, where no signal can be caught: how each note ended, by source."""
    ended: dict[str, str] = {}

    def emit(outcome: Outcome) -> None:
        ended[outcome.source] = outcome.status

    async def passed() -> None:
        with open_ledger(site.settings) as ledger:
            async with runtime(site.settings, ledger) as shared:
                await Pass(shared, emit, asyncio.Event()).run(site.settings.resource_types)

    asyncio.run(passed())
    return ended
