"""A server that runs a transaction as a batch and refuses a part: nothing is called whole that is not."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.contract.passes import Site, reference
from tests.unit.jobs.passes.faulty import Fault, Faulty

Use = Callable[[Fault], list[Faulty]]


class Refusing:
    """Has the server do all entries of a transaction but those of one type, of which it says a status."""

    def __init__(self, site: Site, kind: str, status: str) -> None:
        self.site, self.kind, self.status = site, kind, status
        self.on = True

    def __call__(self, request: httpx.Request) -> httpx.Response | None:
        if not self.on or request.method != "POST" or b'"Composition"' not in request.content:
            return None
        sent: dict[str, Any] = httpx.Response(200, content=request.content).json()
        refused = [entry["resource"]["resourceType"] == self.kind for entry in sent["entry"]]
        done = {**sent, "entry": [e for e, no in zip(sent["entry"], refused, strict=True) if not no]}
        answer = self.site.fhir.send("POST", "", done).json()
        answers = iter(answer["entry"])
        no_entry = {"response": {"status": self.status}}
        answer["entry"] = [no_entry if no else next(answers) for no in refused]
        return httpx.Response(200, json=answer, request=request)


@pytest.mark.parametrize(
    ("kind", "status", "reason"),
    [
        ("Provenance", "409 Conflict", "rejected-by-server"),
        ("Provenance", "422 Unprocessable Entity", "rejected-by-server"),
        ("Provenance", "403 Forbidden", "forbidden"),
    ],
)
def test_a_summary_without_its_provenance_is_not_called_written(
    site: Site, faulty: Use, kind: str, status: str, reason: str
) -> None:
    note = site.document()
    refusing = Refusing(site, kind, status)
    faulty(refusing)

    first, totals = site.poll()
    again, _ = site.poll()
    refusing.on = False
    last, _ = site.poll([reference(note)])

    source = reference(note)
    assert (first[source].status, first[source].reason, totals.by_status["failed"]) == ("failed", reason, 1)
    assert source not in again or again[source].status == "failed"
    assert len(site.written(source)) == 1
    assert last[source].status == "written"
    assert site.one_audit(f"Composition/{site.written(source)[0]['id']}").ok
