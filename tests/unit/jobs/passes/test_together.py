"""New summaries of several notes go in one transaction, and one note's fault stays its own."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.contract.passes import Site, reference
from tests.unit.jobs.passes.faulty import Fault, Faulty

Use = Callable[[Fault], list[Faulty]]


def transactions(made: list[Faulty]) -> list[list[str]]:
    """The types of the entries of each transaction with a summary."""
    bundles: list[dict[str, Any]] = [json.loads(text) for connection in made for text in connection.writes]
    kinds = [
        [e["resource"]["resourceType"] for e in b["entry"]] for b in bundles if b["type"] == "transaction"
    ]
    return [some for some in kinds if "Composition" in some]


def notes(site: Site, count: int) -> list[str]:
    return [
        reference(site.document(text=f"Seen for a cough, day {n}. Home with fluids.")) for n in range(count)
    ]


def test_new_summaries_go_together(site: Site, faulty: Use) -> None:
    sources = notes(site, 4)
    made = faulty(lambda _: None)

    outcomes, totals = site.poll()

    assert totals.by_status["written"] == 4
    assert transactions(made) == [["Composition", "Provenance"] * 4]
    for source in sources:
        (written,) = site.written(source)
        assert outcomes[source].composition == written["id"]
        assert site.one_audit(f"Composition/{written['id']}").ok


def test_a_note_that_is_known_is_written_by_itself(site: Site, faulty: Use) -> None:
    sources = notes(site, 3)
    site.poll()
    made = faulty(lambda _: None)

    _, totals = site.poll(sources)

    assert (totals.by_status["unchanged"], transactions(made)) == (3, [])


@pytest.mark.parametrize("status", [422, 500])
def test_a_summary_that_is_refused_takes_no_other_along(site: Site, faulty: Use, status: int) -> None:
    sources = notes(site, 4)
    bad = sources[1]

    def refused(request: httpx.Request) -> httpx.Response | None:
        sent = request.method == "POST" and b'"transaction"' in request.content
        return httpx.Response(status) if sent and f'"{bad}"'.encode() in request.content else None

    faulty(refused)
    outcomes, totals = site.poll()

    assert (totals.by_status["written"], totals.by_status["failed"]) == (3, 1)
    assert outcomes[bad].status == "failed"
    assert [len(site.written(source)) for source in sources] == [1, 0, 1, 1]


def test_a_lost_answer_leaves_one_summary_of_each_that_counts_as_written(site: Site, faulty: Use) -> None:
    sources = notes(site, 4)
    lost: list[bytes] = []

    def losing(request: httpx.Request) -> httpx.Response | None:
        if lost or request.method != "POST" or request.content.count(b'"resourceType":"Composition"') < 2:
            return None
        lost.append(request.content)
        assert site.fhir.send("POST", "", json.loads(request.content)).status_code == 200
        raise httpx.ReadError("the connection broke", request=request)

    made = faulty(losing)
    outcomes, totals = site.poll()

    assert (len(lost), totals.by_status["written"]) == (1, 4)
    assert transactions(made) == []
    for source in sources:
        (written,) = site.written(source)
        assert outcomes[source].composition == written["id"]
        assert written["meta"]["versionId"] == "1"
