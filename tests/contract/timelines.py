"""A patient with notes, and their timeline as a test reads and keeps it."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from fhir_adapter.audit.findings import Finding
from fhir_adapter.audit.verdict import Audit
from fhir_adapter.timeline.timeline import Timeline
from fhir_adapter.timeline.writer import WriteResult
from jobs.timelines import timeline_of
from tests.contract.checker import check
from tests.contract.contract_fhir import new_id
from tests.contract.passes import Site, encoded, reference

Resource = dict[str, Any]

COPIED = "Community-acquired pneumonia of the left lower lobe on ceftriaxone."
# One stay as it is written down, the first sentence carried from note to note; by the day it was written.
NOTES = {
    "2025-03-01": (COPIED, "Needs two liters of oxygen by nasal cannula."),
    "2025-03-02": (COPIED, "Fever of 38.9 overnight, cultures pending."),
    "2025-03-03": (COPIED, "Fever of 38.1 overnight, cultures pending."),
    "2025-03-04": ("Still " + COPIED[0].lower() + COPIED[1:], "Walks to the window without oxygen."),
    "2025-03-05": (COPIED.replace("left", "right"), COPIED),
}


@dataclass
class Chart:
    """One patient's notes on a server under test."""

    site: Site
    patient: str
    notes: list[str] = field(default_factory=list)

    def add(self, *sentences: str, **changed: Any) -> dict[str, Any]:
        """A note of these sentences on the server, and its summary, which holds all of them."""
        note = self.site.document("\n".join(sentences), **{"subject": {"reference": self.patient}, **changed})
        self.summarise(note)
        return note

    def summarise(self, note: dict[str, Any]) -> dict[str, Any]:
        source = reference(note)
        self.notes.append(source)
        ended, _ = self.site.poll([source])
        assert ended[source].status in ("written", "unchanged"), ended[source]
        return self.summary(note)

    def summary(self, note: dict[str, Any]) -> dict[str, Any]:
        """The summary of a note as the server has it."""
        tag = "https://clinsum.org/fhir/CodeSystem/tags|extractive-summary"
        bundle = self.site.fhir.get("Composition", entry=reference(note), _tag=tag)
        (found,) = self.site.fhir.matches(bundle)
        assert isinstance(found, dict)
        return found

    def add_stay(self) -> None:
        """The five notes, filed in an order that is not theirs."""
        for day in sorted(NOTES, key=lambda day: (day[-1] in "24", day)):
            self.add(*NOTES[day], date=f"{day}T10:00:00Z")

    def read(self, subject: str = "", since: str = "", until: str = "") -> Timeline:
        found, _ = asyncio.run(timeline_of(self.site.settings, subject or self.patient, since, until, False))
        return found

    def keep(self, subject: str = "", since: str = "", until: str = "") -> tuple[Timeline, WriteResult]:
        """The timeline, written to the server."""
        found, kept = asyncio.run(
            timeline_of(self.site.settings, subject or self.patient, since, until, True)
        )
        assert kept
        return found, kept


def a_chart(site: Site) -> Chart:
    patient = site.fhir.put({"resourceType": "Patient", "id": new_id("patient")})
    return Chart(site, reference(patient))


def shown(timeline: Timeline) -> list[tuple[str, list[str]]]:
    """The time of each note and its sentences."""
    return [(entry.time[:10], [sentence.text for sentence in entry.sentences]) for entry in timeline.entries]


def html(text: str) -> dict[str, Any]:
    """The content of a note that is not plain text."""
    body = f"<html><body><p>{text}</p></body></html>"
    return {"content": [{"attachment": {"contentType": "text/html", "data": encoded(body)}}]}


def kept_as_stored(chart: Chart) -> Resource:
    """The timeline, kept and read back from the server."""
    _, result = chart.keep()
    found: Resource = chart.site.fhir.get(result.composition)
    return found


def spans(resource: Resource, section: int) -> list[Resource]:
    found: list[Resource] = resource["section"][section]["extension"]
    return found


def part(span: Resource, url: str) -> Resource:
    return next(item for item in span["extension"] if item["url"].endswith(url))


def text_of(resource: Resource, section: int, old: str, new: str) -> None:
    narrative = resource["section"][section]["text"]
    assert old in narrative["div"]
    narrative["div"] = narrative["div"].replace(old, new)


def codes(audit: Audit) -> set[Finding]:
    return {finding for finding, _ in audit.findings}


def checked(chart: Chart, where: str) -> int:
    """The exit code of the independent checker."""
    return check(f"{chart.site.fhir.server.base_url}/{where}")
