"""Answers that are lost and people who write in between: one summary, the right one, and none overwritten."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

import jobs.runtime
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.writing.lifecycle import Withdrawal
from fhir_adapter.writing.recall import authors
from fhir_adapter.writing.withdrawal import Orders, of_pipeline, withdraw_authors
from jobs.settings import Settings
from tests.contract.contract_fhir import new_id
from tests.contract.lives import only, revised, sentences, signed, state
from tests.contract.passes import Site, reference


def nothing(_: int) -> None:
    """Nobody comes in between."""


@dataclass
class Meddler(httpx.AsyncBaseTransport):
    """A real connection on which chosen answers to chosen requests are lost, or somebody comes in between.

    Attributes:
        chosen: which requests count, by method and content.
        before, after: called with the number of the request, from 1, before and after it is done.
        lost: numbers of the requests whose answers never arrive.
    """

    chosen: Callable[[httpx.Request], bool]
    before: Callable[[int], object] = nothing
    after: Callable[[int], object] = nothing
    lost: frozenset[int] = frozenset()
    count: int = 0
    real: httpx.AsyncHTTPTransport = field(default_factory=httpx.AsyncHTTPTransport)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not self.chosen(request):
            return await self.real.handle_async_request(request)
        self.count += 1
        number = self.count
        self.before(number)
        response = await self.real.handle_async_request(request)
        await response.aread()
        await response.aclose()
        self.after(number)
        if number in self.lost:
            raise httpx.ReadError("the answer was lost", request=request)
        return response

    async def aclose(self) -> None:
        await self.real.aclose()


def writes_a_summary(request: httpx.Request) -> bool:
    return request.method == "POST" and b'"resourceType":"Composition"' in request.content


@pytest.fixture
def meddled(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Meddler]:
    """Has the passes of this test use a connection that is meddled with."""

    def use(**how: Any) -> Meddler:
        meddler = Meddler(writes_a_summary, **how)

        def make_client(settings: Settings, retries: int | None = None) -> FhirClient:
            return FhirClient(settings.fhir_base_url, transport=meddler, retries=retries or 3)

        monkeypatch.setattr(jobs.runtime, "make_client", make_client)
        return meddler

    return use


def test_an_answer_lost_after_the_write_leaves_one_summary(site: Site, meddled: Any) -> None:
    note = site.document()
    meddler = meddled(lost=frozenset({1}))
    ends, _ = site.poll([reference(note)])

    assert ends[reference(note)].status == "written"
    assert only(site, note)["meta"]["versionId"] == "1"
    assert ends[reference(note)].composition == only(site, note)["id"]
    assert meddler.count == 1  # the writer looked instead of writing again


def test_an_answer_lost_after_an_update_leaves_one_new_version(site: Site, meddled: Any) -> None:
    note = site.document()
    site.poll([reference(note)])
    revised(site, note, "Seen again. Better.")
    meddled(lost=frozenset({1, 2}))
    ends, _ = site.poll([reference(note)])

    assert ends[reference(note)].status == "written"
    assert only(site, note)["meta"]["versionId"] == "2"
    assert "Better." in sentences(only(site, note))


def test_who_signs_while_the_answer_is_lost_is_not_written_over(site: Site, meddled: Any) -> None:
    note = site.document()
    meddled(lost=frozenset({1}), after=lambda _: signed(site, only(site, note)))
    ends, _ = site.poll([reference(note)])

    kept = only(site, note)
    assert ends[reference(note)].composition == kept["id"]
    assert (kept["status"], kept["meta"]["versionId"]) == ("final", "2")


def test_who_signs_between_look_and_write_is_not_written_over(site: Site, meddled: Any) -> None:
    note = site.document()
    site.poll([reference(note)])
    first = only(site, note)
    revised(site, note, "Seen again. Better.")

    def sign(number: int) -> None:
        if number == 1:
            signed(site, site.fhir.get(f"Composition/{first['id']}"))

    meddled(before=sign)
    ends, _ = site.poll([reference(note)])

    kept = site.fhir.get(f"Composition/{first['id']}")
    (later,) = [c for c in site.written(reference(note)) if c["id"] != first["id"]]
    assert (kept["status"], kept["meta"]["versionId"]) == ("final", "2")
    assert sentences(kept) == sentences(first)
    assert ends[reference(note)].composition == later["id"]
    assert later["relatesTo"][0]["targetReference"]["reference"] == f"Composition/{first['id']}"


def test_an_answer_lost_after_the_summary_that_comes_after_a_persons_leaves_one(
    site: Site, meddled: Any
) -> None:
    note = site.document()
    site.poll([reference(note)])
    first = signed(site, only(site, note))
    revised(site, note, "Seen again. Better.")
    meddled(lost=frozenset({1, 2, 3}))
    ends, _ = site.poll([reference(note)])

    (later,) = [c for c in site.written(reference(note)) if c["id"] != first["id"]]
    assert ends[reference(note)].composition == later["id"]
    assert later["meta"]["versionId"] == "1"


def test_who_signs_while_the_note_ends_is_not_written_over(site: Site, meddled: Any) -> None:
    note = site.document()
    site.poll([reference(note)])
    first = only(site, note)
    revised(site, note, status="entered-in-error")

    def sign(number: int) -> None:
        if number == 1:
            signed(site, site.fhir.get(f"Composition/{first['id']}"))

    meddled(before=sign)
    ends, _ = site.poll([reference(note)])

    assert state(only(site, note)) == ("final", None)
    assert ends[reference(note)].reason == "entered-in-error"


def test_a_recall_reaches_what_was_being_written_when_it_came(site: Site) -> None:
    note = site.document()
    site.poll([reference(note)])
    first = only(site, note)
    late = {**first, "id": new_id("late")}
    device = first["author"][0]["reference"]

    def write_late(number: int) -> None:
        if number == 1:
            assert site.fhir.get(device)["status"] == "inactive"  # marked first
            site.fhir.put(late)

    async def recalled() -> list[str]:
        meddler = Meddler(lambda r: r.url.path.endswith("/Composition"), after=write_late)
        async with FhirClient(site.fhir.server.base_url, transport=meddler) as client:
            devices = of_pipeline(await authors(client), device)
            orders = Orders(Withdrawal.RECALLED)
            return [d.composition async for d in withdraw_authors(client, devices, "pipeline", orders)]

    found = asyncio.run(recalled())

    assert sorted(found) == sorted([f"Composition/{first['id']}", f"Composition/{late['id']}"])
    assert state(site.fhir.get(f"Composition/{late['id']}")) == ("entered-in-error", "recalled")
