"""A note that fails does so alone, counts in every pass until it is done, and is tried again without end."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from fhir_adapter.errors import ServerUnreachableError
from jobs.passes.outcome import Outcome, Totals
from jobs.runtime import open_ledger
from jobs.schedule import reconcile
from tests.contract.passes import Site, encoded, reference
from tests.unit.jobs.passes.faulty import Fault, Faulty


def binary(site: Site) -> str:
    """`DocumentReference/id` of a note whose text lies in a Binary."""
    data = encoded("The potassium is 6.9. Call the ward.")
    text = site.fhir.put({"resourceType": "Binary", "id": "t", "contentType": "text/plain", "data": data})
    content = [{"attachment": {"contentType": "text/plain", "url": f"Binary/{text['id']}"}}]
    return reference(site.document(content=content))


def answers(status: int, path: str) -> Fault:
    def fault(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(status, request=request) if request.url.path.endswith(path) else None

    return fault


def due_again(site: Site) -> None:
    with open_ledger(site.settings) as ledger:
        rows = list(ledger.notes(status="failed"))
        ledger.make_due([])
        assert all(row.retry_at for row in rows), "a failure that nobody tries again"


def test_a_failed_note_counts_in_every_pass_and_is_never_unchanged(
    site: Site, faulty: Callable[[Fault], list[Faulty]]
) -> None:
    source = binary(site)
    faulty(answers(403, "/Binary/t"))

    first, _ = site.poll()
    again, _ = site.poll()
    second, totals = site.poll()

    assert (first[source].status, first[source].reason) == ("failed", "forbidden")
    assert (again[source].status, again[source].waiting) == ("failed", False)  # tried once more at once
    assert (second[source].status, second[source].waiting) == ("failed", True)
    assert (totals.by_status["failed"], totals.by_reason["forbidden"]) == (1, 1)

    faulty(lambda _: None)
    due_again(site)
    third, totals = site.poll()
    assert (third[source].status, totals.by_status["failed"]) == ("written", 0)


def test_a_note_that_no_page_shows_and_nobody_can_name_is_not_passed_over(
    site: Site, faulty: Callable[[Fault], list[Faulty]]
) -> None:
    """The watermark waits for it, and the failure without a name goes with it."""
    hidden, shown = reference(site.document()), reference(site.document())
    ident = hidden.partition("/")[2].encode()

    def garbled(request: httpx.Request) -> httpx.Response | None:
        if not request.url.path.endswith("/DocumentReference"):
            return None
        answer = httpx.get(str(request.url), headers=request.headers, trust_env=False)
        return httpx.Response(200, html="<p>Oops</p>", request=request) if ident in answer.content else None

    faulty(garbled)
    first, totals = site.poll()
    again, _ = site.poll()
    assert first[shown].status == "written"
    assert hidden not in first
    assert (first["unknown"].status, again["unknown"].status) == ("failed", "failed")
    assert totals.by_status["failed"] >= 1

    faulty(lambda _: None)
    found, totals = site.poll()
    assert (found[hidden].status, totals.by_status["failed"]) == ("written", 0)
    with open_ledger(site.settings) as ledger:
        assert ledger.known(["unknown"]) == {}


@pytest.mark.parametrize("status", [403, 500])
def test_a_note_that_cannot_be_read_again_fails_alone(
    site: Site, faulty: Callable[[Fault], list[Faulty]], status: int
) -> None:
    source = binary(site)
    faulty(answers(403, "/Binary/t"))
    site.poll()
    other = reference(site.document())
    faulty(answers(status, f"/{source}"))
    due_again(site)

    ended, _ = site.poll()

    assert (ended[source].status, ended[other].status) == ("failed", "written")


def test_an_answer_that_is_no_fhir_is_one_notes_fault_while_the_server_answers_others(
    site: Site, faulty: Callable[[Fault], list[Faulty]]
) -> None:
    source = binary(site)
    faulty(answers(403, "/Binary/t"))
    site.poll()
    due_again(site)

    def page(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(200, html="<p>") if request.url.path.endswith(f"/{source}") else None

    faulty(page)
    ended, _ = site.poll()
    assert (ended[source].status, ended[source].reason) == ("failed", "server-error")


def test_a_server_that_answers_nothing_ends_the_pass_and_blames_no_note(
    site: Site, faulty: Callable[[Fault], list[Faulty]]
) -> None:
    source = binary(site)
    faulty(answers(403, "/Binary/t"))
    site.poll()
    due_again(site)

    def down(request: httpx.Request) -> httpx.Response | None:
        if request.url.path.endswith("/metadata") or "Device" in request.url.path:
            return None
        raise httpx.ConnectError("refused", request=request)

    faulty(down)
    with pytest.raises(ServerUnreachableError):
        site.poll()
    with open_ledger(site.settings) as ledger:
        assert ledger.known([source])[source].attempts == 1


def test_the_device_and_its_card_are_written_once(
    site: Site, faulty: Callable[[Fault], list[Faulty]]
) -> None:
    site.document()
    made = faulty(lambda _: None)

    site.poll()
    site.document()
    site.poll()

    first, second = ([w for w in one.writes if '"Device"' in w] for one in made)
    assert (len(first), len(second)) == (1, 0)


def test_what_the_passes_missed_is_found_by_a_walk_and_counted(site: Site) -> None:
    old = reference(site.document())
    site.poll()
    late = reference(site.document())
    gone = reference(site.document())
    site.poll()
    with open_ledger(site.settings) as ledger, ledger.transaction() as connection:
        # as if the server had shown it to no pass
        connection.exec_driver_sql("DELETE FROM note WHERE source = ?", (late,))
    site.fhir.send("DELETE", gone).raise_for_status()
    for composition in site.written(late):
        site.fhir.send("DELETE", f"Composition/{composition['id']}").raise_for_status()

    ended, totals = walked(site)

    assert (totals.missed, ended[late].status) == (2, "written")
    assert (ended[gone].status, ended[gone].reason) == ("skipped", "deleted")
    assert ended[old].status == "unchanged"
    assert walked(site)[1].missed == 0


def walked(site: Site, since: str | None = None) -> tuple[dict[str, Outcome], Totals]:
    ended: dict[str, Outcome] = {}
    settings = site.settings

    def emit(outcome: Outcome) -> None:
        ended[outcome.source] = outcome

    with open_ledger(settings) as ledger:
        totals = asyncio.run(reconcile(settings, ledger, since, None, emit))
    return ended, totals


def test_a_walk_since_an_instant_looks_at_nothing_older(site: Site) -> None:
    site.document()
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()

    assert walked(site, soon)[1].seen == 0
    assert walked(site, "2020-01-01T00:00:00Z")[1].missed == 1
