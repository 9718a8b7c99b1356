"""Notes and FHIR fields that want to be more than text, on a server with summaries of a real pass."""

import asyncio
import base64
import html
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from fhir_adapter.sandbox.running import running_embedded
from jobs.ledger.rows import NoteRow
from jobs.runtime import open_ledger
from jobs.schedule import one_pass
from jobs.settings import load_settings
from tests.browser.serving import Web, serving

MARK = "pwned"
PAYLOADS = (
    '<script>window.pwned=1;alert("pwned")</script>',
    '"><img src=x onerror="window.pwned=1;alert(\'pwned\')">',
    "'><svg/onload=window.pwned=1;alert(`pwned`)>",
    '</textarea></title></style></script><iframe srcdoc="<script>parent.pwned=1</script>"></iframe>',
    "javascript:window.pwned=1//pwned",
    '<a href="javascript:window.pwned=1">pwned</a>',
    '<img src="http://evil.example/pwned.png">',
    '<link rel=stylesheet href="http://evil.example/pwned.css"><base href="http://evil.example/pwned">',
    '<meta http-equiv="refresh" content="0;url=http://evil.example/pwned">',
    '<form action="http://evil.example/pwned"><input autofocus onfocus="window.pwned=1">',
    '--><details open ontoggle="window.pwned=1">pwned</details>',
    "{{ 7*7 }}{% raw %}${window.pwned=1}<%= 7*7 %> pwned",
    "＜script＞window.pwned=1＜/script＞ \\u003cscript>window.pwned=1\\u003c/script> pwned",
    '<noscript><p title="</noscript><img src=x onerror=window.pwned=1>">pwned',
    "<math><mtext><table><mglyph><style><img src=x onerror=window.pwned=1>pwned</style>",
    "\u202e<b onmouseover=window.pwned=1 style=animation:pwned>pwned\u2066",
    "]]><x:script xmlns:x='http://www.w3.org/1999/xhtml'>window.pwned=1</x:script> pwned",
)
ALL = " ".join(PAYLOADS)


def note_of(payload: str, plan: str = "Rest") -> str:
    """A short note that shows it in a heading, within a sentence, and as a sentence."""
    return f"ASSESSMENT {payload}:\nThey wrote {payload} on it. No fever. {payload}\n\nPLAN:\n{plan}.\n"


def resources() -> list[dict[str, Any]]:
    """A patient, an encounter and notes, hostile wherever FHIR lets anybody write."""
    concept = {"coding": [{"system": "http://loinc.org", "code": "11506-3", "display": ALL}], "text": ALL}
    identifier = [{"system": "urn:evil", "value": ALL, "type": {"text": ALL}}]
    subject = {"reference": "Patient/hostile", "display": ALL}
    encounter = {"reference": "Encounter/hostile", "display": ALL}
    found: list[dict[str, Any]] = [
        {
            "resourceType": "Patient",
            "id": "hostile",
            "identifier": identifier,
            "name": [{"text": ALL, "family": ALL, "given": [ALL], "prefix": [ALL]}],
        },
        {
            "resourceType": "Encounter",
            "id": "hostile",
            "status": "finished",
            "class": {"code": "IMP", "display": ALL},
            "subject": subject,
        },
    ]
    for index, payload in enumerate(PAYLOADS):
        at_home = note_of(payload, "Rest at home")  # one text would have one summary
        for kind, text in (("text/plain", note_of(payload)), ("text/html", html.escape(at_home))):
            attachment = {
                "contentType": f"{kind}; charset=utf-8",
                "data": base64.b64encode(text.encode()).decode(),
                "title": ALL,
            }
            found.append(
                {
                    "resourceType": "DocumentReference",
                    "id": f"hostile-{index}-{kind.partition('/')[2]}",
                    "identifier": identifier,
                    "status": "current",
                    "docStatus": "final",
                    "type": concept,
                    "category": [concept],
                    "subject": subject,
                    "date": f"2026-03-{index + 1:02d}T08:00:00Z",
                    "author": [{"display": ALL}],
                    "custodian": {"display": ALL},
                    "description": ALL,
                    "content": [{"attachment": attachment}],
                    "context": {"encounter": [encounter], "facilityType": concept},
                }
            )
        found.append(
            {
                "resourceType": "DiagnosticReport",
                "id": f"hostile-{index}",
                "identifier": identifier,
                "status": "final",
                "code": concept,
                "subject": subject,
                "encounter": encounter,
                "performer": [{"display": ALL}],
                "effectiveDateTime": f"2026-03-{index + 1:02d}T09:00:00Z",
                "conclusion": note_of(payload, "Rest in bed"),
            }
        )
    return found


def tamper(composition: dict[str, Any]) -> dict[str, Any]:
    """What somebody who may write to the server makes of a Composition of ours."""
    sections = [{**section, "title": ALL} for section in composition.get("section", [])]
    author = [{**a, "display": ALL} for a in composition["author"]]
    attester = [{"mode": "legal", "time": "2026-03-20T10:00:00Z", "party": {"display": ALL}}]
    subject = {**composition["subject"], "display": ALL}
    changed = {"title": ALL, "section": sections, "author": author, "attester": attester, "subject": subject}
    return {**composition, **changed}


@contextmanager
def hostile_site(folder: Path) -> Iterator[Web]:
    """A service over all of this; every third Composition was tampered with."""
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
        with httpx.Client(trust_env=False, timeout=600) as client:
            for resource in resources():
                client.put(
                    f"{fhir}/{resource['resourceType']}/{resource['id']}", json=resource
                ).raise_for_status()
            with open_ledger(settings) as ledger:
                asyncio.run(one_pass(settings, ledger, None, lambda _: None))
                ledger.record(
                    [
                        NoteRow(
                            f"DocumentReference/{p}",
                            p,
                            p,
                            "failed",
                            p[:32],
                            p,
                            p,
                            handled_at=datetime.now(UTC),
                        )
                        for p in PAYLOADS
                    ]
                )
            for composition in compositions(client, fhir)[::3]:
                url = f"{fhir}/Composition/{composition['id']}"
                client.put(url, json=tamper(composition)).raise_for_status()
        with serving(folder, fhir=fhir, ledger=settings.database_url, engine="lead", budget="4") as web:
            yield web


def compositions(client: httpx.Client, fhir: str) -> list[dict[str, Any]]:
    """All Compositions of the server."""
    answer = client.get(f"{fhir}/Composition", params={"_count": "200"}).raise_for_status()
    return [entry["resource"] for entry in answer.json().get("entry", [])]
