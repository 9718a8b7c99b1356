"""A patient with three hundred notes, and one without any, for a browser to look at."""

import asyncio
import base64
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from fhir_adapter.sandbox.running import running_embedded
from jobs.runtime import open_ledger
from jobs.schedule import one_pass
from jobs.settings import load_settings
from tests.browser.serving import Web, serving

NOTES = 300
FAMILY = "Quennell-Abernathy"
LONG = "full-long"
_KINDS = ("Progress note", "Nursing note", "Discharge summary", "Cardiology clinic note", "Chest X-ray")
_AUTHORS = ("Dr. Imre Halloran", "Nurse Beatrix Lund", "Dr. Saoirse Whitcombe")
_COPIED = "Warfarin 2.5 mg daily for atrial fibrillation, INR goal 2 to 3."
_LAST = datetime(2026, 11, 28, 7, 30, tzinfo=UTC)


def _text(number: int) -> str:
    weight, rate = 70 + number % 17, 60 + number % 41
    return (
        f"SUBJECTIVE:\nSlept well on night {number}, no chest pain.\n\n"
        f"ALLERGIES:\nPenicillin (rash in 2009).\n\n"
        f"ASSESSMENT AND PLAN:\n1. {_COPIED}\n"
        f"2. Heart failure, weight {weight} kg: furosemide {20 * (1 + number % 4)} mg daily.\n"
        f"3. Heart rate {rate} per minute at rest; metoprolol goes on.\n"
        f"Follow up in {1 + number % 6} weeks with visit {number}.\n"
    )


def long_text(sentences: int = 400) -> str:
    """A note of so many sentences."""
    lines = ["HOSPITAL COURSE:"]
    lines += [
        f"On day {n} the creatinine was {n % 9 + 0.5} and the diet was advanced." for n in range(sentences)
    ]
    return "\n".join(lines)


def _note(name: str, when: str, kind: str, text: str, author: str, **more: Any) -> dict[str, Any]:
    data = base64.b64encode(text.encode()).decode()
    return {
        "resourceType": "DocumentReference",
        "id": name,
        "status": "current",
        "docStatus": "final",
        "type": {"text": kind},
        "subject": {"reference": "Patient/full"},
        "author": [{"display": author}],
        "date": when,
        "content": [{"attachment": {"contentType": "text/plain; charset=utf-8", "data": data}}],
        **more,
    }


def resources() -> list[dict[str, Any]]:
    """Two patients, a visit and the notes: a few that cannot be read or are not finished among them."""
    name = [{"use": "official", "family": FAMILY, "given": ["Philippa", "Josephine"]}]
    number = {"type": {"coding": [{"code": "MR"}]}, "system": "urn:ward", "value": "MRN-0042"}
    found: list[dict[str, Any]] = [
        {
            "resourceType": "Patient",
            "id": "full",
            "name": name,
            "birthDate": "1948-02-29",
            "identifier": [number],
        },
        {
            "resourceType": "Patient",
            "id": "empty",
            "name": [{"family": FAMILY, "given": ["Nobody"]}],
            "birthDate": "1990-01-01",
        },
        {
            "resourceType": "Encounter",
            "id": "full-visit",
            "status": "finished",
            "class": {"code": "AMB"},
            "subject": {"reference": "Patient/full"},
            "period": {"start": "2026-11-20", "end": "2026-11-20"},
        },
    ]
    for number_of in range(NOTES):
        when = (_LAST - timedelta(days=3 * number_of + 3)).isoformat()
        kind, author = _KINDS[number_of % 5], _AUTHORS[number_of % 3]
        note = _note(f"full-{number_of:03}", when, kind, _text(NOTES - number_of), author)
        if number_of % 40 == 3:
            note["content"][0]["attachment"]["data"] = "no base64 at all!"
        elif number_of % 40 == 5:
            note["docStatus"] = "preliminary"
        found.append(note)
    found.append(_note(LONG, _LAST.isoformat(), "Discharge summary", long_text(), _AUTHORS[0]))
    return found


@contextmanager
def full_site(folder: Path) -> Iterator[Web]:
    """A service over all of this, after a pass."""
    folder.mkdir(parents=True, exist_ok=True)
    with running_embedded(own_process=True) as fhir:
        settings = load_settings(
            {
                "fhir_base_url": fhir,
                "database_url": f"sqlite:///{folder / 'ledger.sqlite'}",
                "engine": "lead",
                "budget": "4",
            }
        )
        entries = [
            {"resource": r, "request": {"method": "PUT", "url": f"{r['resourceType']}/{r['id']}"}}
            for r in resources()
        ]
        bundle = {"resourceType": "Bundle", "type": "batch", "entry": entries}
        httpx.post(fhir, json=bundle, trust_env=False, timeout=600).raise_for_status()
        with open_ledger(settings) as ledger:
            asyncio.run(one_pass(settings, ledger, None, lambda _: None))
        with serving(folder, fhir=fhir, ledger=settings.database_url, engine="lead", budget="4") as web:
            yield web
