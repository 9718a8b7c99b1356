"""What the life-cycle tests share: sites of their own, people who sign, and the command line."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from fhir_adapter import canonical
from jobs.cli import run
from jobs.runtime import open_ledger
from tests.contract.passes import Site, encoded, reference

Json = dict[str, Any]

HTML = "<html><body><p>Seen today. No fever. Stable.</p></body></html>"


def of_its_own(site: Site, **options: str) -> Site:
    """A site whose pipeline no other test shares, so that it can be recalled, and that begins now."""
    return beginning_now(
        replace(site, options={"PIPELINE": f"life-{uuid4().hex[:8]}", **site.options, **options})
    )


def beginning_now(site: Site) -> Site:
    """The site with a ledger whose walks leave out what other tests left on the server before."""
    site = replace(site, options={"OVERLAP": "1s", **site.options})
    with open_ledger(site.settings) as ledger:
        for resource_type in site.settings.resource_types:
            ledger.move_watermark(resource_type, datetime.now(UTC).isoformat())
    return site


def another(site: Site, database: Path, **options: str) -> Site:
    """The same site, or one with other options, with a ledger of its own that begins now."""
    return beginning_now(Site(site.fhir, database, {**site.options, **options}))


def html_document(site: Site, html: str = HTML, **changed: Any) -> Json:
    return site.document(
        content=[{"attachment": {"contentType": "text/html", "data": encoded(html)}}], **changed
    )


def report(site: Site, **changed: Any) -> Json:
    body = {"resourceType": "DiagnosticReport", "id": f"report-{uuid4().hex[:12]}", "status": "final"}
    return site.fhir.put({**body, "code": {"text": "X-ray"}, "conclusion": "No nodule. Stable.", **changed})


def revised(site: Site, note: Json, text: str | None = None, **changed: Any) -> Json:
    """A new version of a note."""
    now = site.fhir.get(reference(note))
    if text is not None:
        now["content"][0]["attachment"] = {"contentType": "text/plain", "data": encoded(text)}
    return site.fhir.put({**now, **changed})


def only(site: Site, note: Json) -> Json:
    """The one summary of a note."""
    (composition,) = site.written(reference(note))
    return composition


def signed(site: Site, composition: Json) -> Json:
    """A person attests the summary."""
    return site.fhir.put({**composition, "status": "final", "attester": [{"mode": "professional"}]})


def ended(composition: Json) -> str | None:
    """Why the summary says that it is no longer current."""
    marks = [e["valueCode"] for e in composition["extension"] if e["url"] == canonical.ENDED_BECAUSE]
    assert len(marks) < 2
    return marks[0] if marks else None


def state(composition: Json) -> tuple[str, str | None]:
    return composition["status"], ended(composition)


def extracted(site: Site, composition: Json) -> Json:
    """The text beside the source, which the offsets point into."""
    span = composition["section"][0]["extension"][0]["extension"][0]
    found: Json = site.fhir.get(span["valueReference"]["reference"])
    return found


def sentences(composition: Json) -> str:
    div: str = composition["section"][0]["text"]["div"]
    return div


def codes(resource: Json, what: str) -> set[str]:
    return {label["code"] for label in resource["meta"].get(what, [])}


def command(site: Site, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[Json], Json]:
    """Runs `clinsum ... --json`: exit code, lines, and the last line's summary."""
    settings = site.settings
    names = ("FHIR_BASE_URL", "DATABASE_URL", "ENGINE", "BUDGET", "PIPELINE", "OVERLAP")
    sets = [f"--set={name}={getattr(settings, name.lower())}" for name in names]
    if arguments[0] == "withdraw":  # there is nobody to ask
        arguments = (*arguments, "--yes")
    capsys.readouterr()
    code = run([*arguments, "--json", *sets])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return code, lines[:-1], lines[-1]["summary"] if lines else {}
