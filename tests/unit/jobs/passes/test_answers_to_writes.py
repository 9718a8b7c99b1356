"""Answers to writes that name what is not ours, and parts that a server which runs batches left behind."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from fhir_adapter.sandbox.running import running_embedded
from fhir_adapter.sandbox.settings import Quirk, SandboxSettings
from tests.contract.contract_fhir import Fhir, FhirServer
from tests.contract.lives import extracted, html_document, only, revised
from tests.contract.passes import Site, encoded, reference
from tests.unit.jobs.passes.faulty import Fault, Faulty

Json = dict[str, Any]
Use = Callable[[Fault], list[Faulty]]


def on_server(folder: Path, settings: SandboxSettings) -> Iterator[Site]:
    with running_embedded(settings) as base_url:
        fhir = Fhir(FhirServer("embedded", base_url))
        with fhir.http:
            yield Site(fhir, folder / "ledger.sqlite")


@pytest.fixture
def own_ids(tmp_path: Path) -> Iterator[Site]:
    """A site on a server that gives out the ids itself."""
    yield from on_server(tmp_path, SandboxSettings(update_create=False))


@pytest.fixture
def batches(tmp_path: Path) -> Iterator[Site]:
    """A site on a server that runs a transaction as a batch."""
    yield from on_server(tmp_path, SandboxSettings(quirks=frozenset([Quirk.BATCHES])))


def is_of_summaries(request: httpx.Request) -> bool:
    return request.method == "POST" and b'"resourceType":"Composition"' in request.content


def filed(site: Site, words: str) -> str:
    """`Type/id` of a note on a server that gives out the ids."""
    attachment = {"contentType": "text/plain", "data": encoded(words)}
    note = {
        "resourceType": "DocumentReference",
        "status": "current",
        "docStatus": "final",
        "content": [{"attachment": attachment}],
    }
    return reference(site.fhir.send("POST", "DocumentReference", note).json())


@pytest.mark.parametrize("count", [1, 3], ids=["one summary", "several in one transaction"])
def test_an_id_in_an_answer_under_which_nothing_of_ours_stands_gives_way_to_the_one_asked_for(
    site: Site, faulty: Use, count: int
) -> None:
    sources = [reference(site.document(text=f"Mild cough on day {n}. Home.")) for n in range(count)]
    foreign = site.fhir.put(
        {
            "resourceType": "Composition",
            "id": "foreign",
            "status": "final",
            "type": {"text": "Letter"},
            "date": "2025-01-01",
            "title": "Letter",
            "author": [{"display": "Dr Example"}],
        }
    )

    def misnamed(request: httpx.Request) -> httpx.Response | None:
        if not is_of_summaries(request):
            return None
        answer = site.fhir.send("POST", "", json.loads(request.content)).json()
        for entry in answer["entry"]:
            if "Composition/" in entry["response"]["location"]:
                entry["response"]["location"] = "Composition/foreign/_history/1"
        return httpx.Response(200, json=answer)

    faulty(misnamed)
    outcomes, _ = site.poll()
    again, _ = site.poll()

    for source in sources:
        (written,) = site.written(source)
        assert (outcomes[source].status, outcomes[source].composition) == ("written", written["id"])
        assert again[source].status == "unchanged"
    assert site.fhir.get("Composition/foreign") == foreign


def test_a_conditional_create_that_found_another_notes_summary_is_no_write(
    own_ids: Site, faulty: Use
) -> None:
    first = filed(own_ids, "Mild cough. Home today.")
    own_ids.poll()
    (other,) = own_ids.written(first)
    second = filed(own_ids, "Hip pain is worse. Walks with a stick.")

    def found_another(request: httpx.Request) -> httpx.Response | None:
        if not is_of_summaries(request) or f'"{second}"'.encode() not in request.content:
            return None
        kinds = [entry["resource"]["resourceType"] for entry in json.loads(request.content)["entry"]]
        ids = {"Composition": other["id"]}
        locations = [f"{kind}/{ids.get(kind, 'other')}/_history/1" for kind in kinds]
        entries = [{"response": {"status": "200 OK", "location": one}} for one in locations]
        return httpx.Response(
            200, json={"resourceType": "Bundle", "type": "transaction-response", "entry": entries}
        )

    faulty(found_another)
    outcomes, _ = own_ids.poll()

    assert (outcomes[second].status, outcomes[second].reason) == ("failed", "rejected-by-server")
    assert own_ids.written(second) == []
    assert own_ids.fhir.get(reference(other)) == other
    faulty(lambda _: None)
    outcomes, _ = own_ids.poll([second])
    (written,) = own_ids.written(second)
    assert (outcomes[second].status, outcomes[second].composition) == ("written", written["id"])


def text_refused(request: httpx.Request) -> httpx.Response | None:
    """Refuses that a text ends, as an entry of a batch alone."""
    if not is_of_summaries(request) or b'"entered-in-error"' not in request.content:
        return None
    bundle = json.loads(request.content)
    kept = [one for one in bundle["entry"] if one["resource"]["resourceType"] != "DocumentReference"]
    if len(kept) == len(bundle["entry"]):
        return None
    answers = httpx.post(request.url, json={**bundle, "entry": kept}).json()["entry"]
    refused = {"response": {"status": "422 Unprocessable Entity"}}
    entries = [answers.pop(0) if one in kept else refused for one in bundle["entry"]]
    return httpx.Response(200, json={"resourceType": "Bundle", "type": "batch-response", "entry": entries})


def test_a_text_that_was_left_when_its_summary_ended_is_ended_by_a_later_pass(
    batches: Site, faulty: Use
) -> None:
    note = html_document(batches)
    batches.poll()
    revised(batches, note, status="entered-in-error")
    faulty(text_refused)
    outcomes, _ = batches.poll()

    left = only(batches, note)
    assert (left["status"], extracted(batches, left)["status"]) == ("entered-in-error", "current")
    assert outcomes[reference(note)].status == "failed"
    faulty(lambda _: None)
    outcomes, _ = batches.poll([reference(note)])
    assert extracted(batches, left)["status"] == "entered-in-error"
    assert outcomes[reference(note)].status == "skipped"
