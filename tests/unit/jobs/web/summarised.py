"""A FHIR server with notes of one patient that a pass has summarised, and handles to alter what is there."""

import asyncio
import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from fhir_adapter.sandbox.running import running_embedded
from jobs.runtime import open_ledger
from jobs.schedule import one_pass
from jobs.settings import Settings, load_settings
from jobs.timelines import timeline_of

Resource = dict[str, Any]

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>\" ' {{ 7 * 7 }} \u202e"
COPIED = "Pneumonia of the left lower lobe on ceftriaxone."
NOTES = {
    "first": ("2025-03-01T10:00:00Z", (COPIED, "Needs two liters of oxygen by nasal cannula.")),
    "second": (
        "2025-03-02T10:00:00Z",
        ("Still " + COPIED[0].lower() + COPIED[1:], "Fever of 38.9 overnight."),
    ),
    "later": ("2026-01-07", (COPIED, "Walks to the window without oxygen.")),
    "undated": ("", ("Allergic to penicillin, with a rash in 2009.",)),
}


@dataclass(frozen=True)
class Summarised:
    """The server; `compositions` by the id of the note, `timeline` is that of Patient/one, as written.

    Patient/two has one note, `other`, with a hostile title and an author who is named by reference alone; no
    timeline on the server shows it.
    """

    base_url: str
    settings: Settings
    compositions: dict[str, str]
    timeline: str

    def get(self, reference: str) -> Resource:
        answer = httpx.get(f"{self.base_url}/{reference}", trust_env=False, timeout=600).raise_for_status()
        found: Resource = answer.json()
        return found

    def put(self, resource: Resource) -> None:
        url = f"{self.base_url}/{resource['resourceType']}/{resource['id']}"
        body = json.dumps(resource)  # escaped, so that half of a character can be sent
        headers = {"content-type": "application/fhir+json"}
        httpx.put(url, content=body, headers=headers, trust_env=False, timeout=600).raise_for_status()

    def delete(self, reference: str) -> None:
        httpx.delete(f"{self.base_url}/{reference}", trust_env=False, timeout=600).raise_for_status()

    @contextmanager
    def altered(self, reference: str) -> Iterator[Resource]:
        """`with altered(reference) as r:` a copy to change and `put`; at the end all is as before."""
        before = self.get(reference)
        try:
            yield deepcopy(before)
        finally:
            self.put(before)


def note(
    name: str, date: str, sentences: tuple[str, ...], patient: str = "one", kind: str = "Progress note"
) -> Resource:
    data = base64.b64encode("\n".join(sentences).encode()).decode()
    attachment = {"contentType": "text/plain; charset=utf-8", "data": data}
    return {
        "resourceType": "DocumentReference",
        "id": name,
        "status": "current",
        "docStatus": "final",
        "type": {"text": kind},
        "subject": {"reference": f"Patient/{patient}"},
        "context": {"encounter": [{"reference": "Encounter/stay"}]} if patient == "one" else {},
        "content": [{"attachment": attachment}],
        **({"date": date} if date else {}),
    }


@contextmanager
def summarised(folder: Path) -> Iterator[Summarised]:
    """The server, for as long as the block lasts."""
    with running_embedded() as base_url, httpx.Client(trust_env=False, timeout=600) as http:
        resources: list[Resource] = [
            {"resourceType": "Patient", "id": "one"},
            {"resourceType": "Patient", "id": "two"},
            {"resourceType": "Practitioner", "id": "w", "name": [{"family": "Okafor", "given": ["Ada"]}]},
            {
                **note("other", "2025-05-05", ("Walks well.",), "two", HOSTILE),
                "author": [{"reference": "Practitioner/w"}],
            },
            {"resourceType": "Encounter", "id": "stay", "status": "finished", "class": {"code": "IMP"}},
            *(note(name, date, sentences) for name, (date, sentences) in NOTES.items()),
        ]
        for resource in resources:
            url = f"{base_url}/{resource['resourceType']}/{resource['id']}"
            http.put(url, json=resource).raise_for_status()
        settings = load_settings(
            {
                "engine": "lead",
                "budget": "3",
                "fhir_base_url": base_url,
                "database_url": f"sqlite:///{folder / 'ledger.sqlite'}",
            }
        )
        with open_ledger(settings) as ledger:
            asyncio.run(one_pass(settings, ledger, None, lambda _: None))
        _, kept = asyncio.run(timeline_of(settings, "Patient/one", "", "", True))
        assert kept
        assert kept.composition
        bundle = http.get(f"{base_url}/Composition", params={"_count": "50"}).json()
        found = {
            entry["resource"]["section"][0]["entry"][0]["reference"].partition("/")[2]: entry["resource"][
                "id"
            ]
            for entry in bundle["entry"]
            if not entry["resource"]["identifier"]["system"].endswith("/timelines")
        }
        assert set(found) == {*NOTES, "other"}
        yield Summarised(base_url, settings, found, kept.composition.partition("/")[2])
