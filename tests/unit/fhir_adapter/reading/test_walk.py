"""What servers do to a search, and what is lost of it: nothing."""

import json
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote

import pytest

from fhir_adapter.errors import HttpStatusError
from fhir_adapter.reading.source import Unreadable
from fhir_adapter.reasons import Reason
from fhir_adapter.stamps import nanoseconds
from tests.unit.fhir_adapter.reading.test_source import START, at, doc, ids, source_for, walk
from tests.unit.fhir_adapter.rest.scripted_server import (
    Answer,
    ScriptedServer,
    bundle,
    capability,
    client_for,
    fhir,
)


class Holding(ScriptedServer):
    """A server that answers searches from what it holds: by stamp, sorted, by pages that `_offset` counts."""

    def __init__(self, *documents, before=None, alter=None, date=None):
        super().__init__(self.answer)
        self.documents = list(documents)
        self.before, self.alter, self.date = before, alter, date

    def answer(self, request):
        if request.path.endswith("/metadata"):
            return capability("_lastUpdated", "relatesto")
        if any(name == "relatesto" for name, _ in request.params):
            return bundle()
        if not request.path.endswith("/DocumentReference"):
            return self.read(request)
        matches = self.matching(request.params)
        asked = dict(request.params)
        start, count = int(asked.get("_offset", 0)), int(asked.get("_count", 20))
        page = matches[start : start + count]
        if self.before and (given := self.before(request, page)) is not None:
            return given
        rest = [f"{n}={quote(v)}" for n, v in request.params if n != "_offset"]
        more = f"{self.base_url}/DocumentReference?{'&'.join(rest)}&_offset={start + count}"
        found = {"resourceType": "Bundle", "type": "searchset", "total": len(matches)}
        found["link"] = [{"relation": "next", "url": more}] if start + count < len(matches) else []
        found["entry"] = [
            {"fullUrl": f"{self.base_url}/DocumentReference/{r['id']}", "resource": r} for r in page
        ]
        if self.alter:
            found = self.alter(found)
        answer = fhir(found) if isinstance(found, dict) else Answer(200, found)
        return replace(answer, headers={**answer.headers, **({"Date": self.date} if self.date else {})})

    def read(self, request):
        ident = request.path.rpartition("/")[2]
        return next((fhir(r) for r in self.documents if r["id"] == ident), Answer(404))

    def matching(self, params):
        found = self.documents
        for name, value in params:
            if name == "_lastUpdated":
                bound = nanoseconds(value[2:])
                at_least = value.startswith("ge")
                found = [r for r in found if (nanoseconds(r["meta"]["lastUpdated"]) >= bound) == at_least]
        return sorted(found, key=lambda r: nanoseconds(r["meta"]["lastUpdated"]))


def notes(many, apart=600):
    return [doc(f"n{number}", number * apart) for number in range(many)]


async def walked(server, watermark=None, **options):
    async with server, client_for(server, retries=0) as client:
        return await walk(source_for(client, **options), watermark)


@pytest.mark.parametrize("status", [400, 404, 410, 500])
async def test_every_next_link_fails_and_nothing_is_lost(status):
    def before(request, page):
        return Answer(status) if "_offset" in dict(request.params) else None

    pages = await walked(Holding(*notes(9), before=before), page_size=2)
    assert set(ids(pages)) == {f"n{number}" for number in range(9)}
    assert pages[-1].newest == at(8 * 600)


@pytest.mark.parametrize(
    ("fault", "why"), [(Answer(500), "HTTP 500"), (Answer(200, b"{" * 99, cut=True), "NotFhirError")]
)
async def test_one_resource_that_cannot_be_served_fails_alone_by_its_name(fault, why):
    def before(request, page):
        bad = any(r["id"] == "n3" for r in page) and "_elements" not in dict(request.params)
        return fault if bad else None

    server = Holding(*notes(8), before=before)
    reads = server.read
    server.read = lambda request: fault if request.path.endswith("/n3") else reads(request)
    pages = await walked(server, page_size=4)
    assert {n for n in ids(pages) if isinstance(n, str)} == {f"n{number}" for number in range(8)} - {"n3"}
    (gap,) = [n for page in pages for n in page.notes if isinstance(n, Unreadable)]
    assert gap == Unreadable("DocumentReference/n3", Reason.SERVER_ERROR, why)


async def test_a_server_that_fails_at_everything_is_not_asked_for_ever():
    server = Holding(*notes(3), before=lambda request, page: Answer(500))
    with pytest.raises(HttpStatusError):
        await walked(server, page_size=4)
    assert len(server.requests) < 10


@pytest.mark.parametrize("size", [900, 2000])
async def test_answers_that_are_cut_short_are_asked_for_in_smaller_pages(size):
    def alter(found):
        return json.dumps(found).encode()[:size]

    pages = await walked(Holding(*notes(9, apart=0), alter=alter), page_size=100)
    assert set(ids(pages)) == {f"n{number}" for number in range(9)}


@pytest.mark.parametrize("damage", [b'"text": "C:\\Users", ', b'"a": "\\x41", ', b'"a": nul, ', b'"n": 01, '])
async def test_one_entry_that_is_no_json_fails_alone_by_its_name(damage):
    def alter(found):
        text = json.dumps(found).encode()
        at_id = text.find(b'"id": "n1"')
        return text[:at_id] + damage + text[at_id:]

    pages = await walked(Holding(*notes(3), alter=alter))
    assert [n for n in ids(pages) if isinstance(n, str)] == ["n0", "n2"]
    (bad,) = [n for page in pages for n in page.notes if isinstance(n, Unreadable)]
    assert (bad.reference, bad.reason) == ("DocumentReference/n1", Reason.WRONG_ANSWER)


async def test_entries_without_a_resource_are_named_by_their_address():
    def alter(found):
        entries = [{"fullUrl": e["fullUrl"]} if e["resource"]["id"] == "n1" else e for e in found["entry"]]
        return {**found, "entry": entries}

    (page,) = await walked(Holding(*notes(3), alter=alter))
    assert [n.reference for n in page.notes if isinstance(n, Unreadable)] == ["DocumentReference/n1"]


async def test_a_search_that_is_cut_off_without_a_link_is_asked_for_in_parts():
    def alter(found):
        return {**found, "link": [], "entry": found["entry"][:3]}

    pages = await walked(Holding(*notes(20), alter=alter))
    assert set(ids(pages)) == {f"n{number}" for number in range(20)}
    assert all(page.whole for page in pages)


async def test_a_total_that_cannot_be_reached_is_said_and_holds_the_watermark():
    pages = await walked(Holding(*notes(2), alter=lambda found: {**found, "total": found["total"] + 1}))
    assert set(ids(pages)) == {"n0", "n1"}
    assert not pages[-1].whole
    assert "1 more than it gives" in " ".join(page.notice for page in pages)


async def test_a_note_that_slips_to_an_earlier_page_is_found():
    def before(request, page):
        if dict(request.params).get("_offset") == "2" and len(edited) == 0:
            edited.append(server.documents.pop(0))
            server.documents.append(doc("n0", 9000, version="2"))
            return
        return

    edited = []
    server = Holding(*notes(6), before=before)
    pages = await walked(server, page_size=2)
    assert set(ids(pages)) == {f"n{number}" for number in range(6)}


async def test_links_without_end_end_and_hold_the_watermark():
    count = iter(range(10**6))

    def alter(found):
        link = {
            "relation": "next",
            "url": f"{server.base_url}/DocumentReference?_count=2&token={next(count)}",
        }
        return {**found, "link": [link]}

    server = Holding(*notes(3, apart=0), alter=alter)
    pages = await walked(server, page_size=2)
    assert not pages[-1].whole
    assert "again and again" in pages[-1].notice
    assert len(server.requests) < 40


@pytest.mark.parametrize("code", ["incomplete", "timeout", "too-costly"])
async def test_an_outcome_that_says_so_makes_the_walk_less_than_whole(code):
    issue = {"severity": "warning", "code": code, "diagnostics": "secret"}
    said = {"resource": {"resourceType": "OperationOutcome", "issue": [issue]}, "search": {"mode": "outcome"}}
    pages = await walked(Holding(*notes(1), alter=lambda found: {**found, "entry": [*found["entry"], said]}))
    assert not pages[-1].whole
    notices = " ".join(page.notice for page in pages)
    assert code in notices
    assert "secret" not in notices


@pytest.mark.parametrize("ahead", [300, 9 * 3600])
async def test_the_watermark_is_never_ahead_of_the_servers_clock(ahead):
    date = (START + timedelta(hours=1)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    documents = doc("a", 0), doc("now", 3600), doc("ahead", 3600 + ahead)
    (page,) = await walked(Holding(*documents, date=date), clock=lambda: START + timedelta(days=90))
    assert ids([page]) == ["a", "now", "ahead"]
    assert page.newest == at(3600)


async def test_a_server_that_refuses_an_order_is_walked_without_one():
    def before(request, page):
        return Answer(400) if "_sort" in dict(request.params) else None

    pages = await walked(Holding(*notes(5), before=before), page_size=2)
    assert ids(pages) == [f"n{number}" for number in range(5)]


@pytest.mark.parametrize("status", [404, 422, 500])
async def test_a_page_that_is_refused_for_one_note_does_not_hold_the_others(status):
    def before(request, page):
        return Answer(status) if any(r["id"] == "n5" for r in page) else None

    server = Holding(*notes(8), before=before)
    pages = await walked(server, page_size=3)
    assert {n for n in ids(pages) if isinstance(n, str)} == {f"n{number}" for number in range(8)} - {"n5"}
    assert any(isinstance(n, Unreadable) for page in pages for n in page.notes)
    assert len(server.requests) < 200


@pytest.mark.parametrize("at_offset", ["2", "4"])
async def test_a_deletion_between_two_pages_hides_no_note(at_offset):
    def before(request, page):
        if dict(request.params).get("_offset") == at_offset and len(server.documents) == 7:
            del server.documents[0]
            return server.answer(request)
        return None

    server = Holding(*notes(7), before=before)
    pages = await walked(server, page_size=2)
    assert set(ids(pages)) >= {f"n{number}" for number in range(1, 7)}


async def test_a_full_page_without_a_link_and_a_total_is_asked_behind():
    def alter(found):
        return {"resourceType": "Bundle", "link": [], "entry": found["entry"]}

    pages = await walked(Holding(*notes(10), alter=alter), page_size=3)
    assert set(ids(pages)) == {f"n{number}" for number in range(10)}


@pytest.mark.parametrize(("severity", "code"), [("fatal", "no-store"), ("error", "processing")])
async def test_any_error_beside_the_matches_makes_the_walk_less_than_whole(severity, code):
    issue = {"severity": severity, "code": code}
    said = {"resource": {"resourceType": "OperationOutcome", "issue": [issue]}}
    pages = await walked(Holding(*notes(1), alter=lambda found: {**found, "entry": [*found["entry"], said]}))
    assert not pages[-1].whole
    assert code in " ".join(page.notice for page in pages)


async def test_what_a_server_holds_back_by_a_rule_is_said_and_holds_no_watermark():
    issue = {"severity": "warning", "code": "suppressed"}
    said = {"resource": {"resourceType": "OperationOutcome", "issue": [issue]}}
    pages = await walked(Holding(*notes(1), alter=lambda found: {**found, "entry": [*found["entry"], said]}))
    assert all(page.whole for page in pages)
    assert "suppressed" in " ".join(page.notice for page in pages)


@pytest.mark.parametrize("size", [2, 3])
async def test_pages_that_go_in_a_circle_hide_nothing_that_the_server_counts(size):
    """Whatever page is asked for, the first comes."""

    def alter(found):
        token = next(count)
        more = f"{server.base_url}/DocumentReference?_count={size}&_lastUpdated={span[-1]}&token={token}"
        return {**found, "link": [{"relation": "next", "url": more}]}

    def before(request, page):
        if "_sort" in dict(request.params):
            span.append(dict(request.params).get("_lastUpdated", "ge2000-01-01T00:00:00Z"))

    span, count = [], iter(range(10**6))
    server = Holding(*notes(7, apart=1), alter=alter, before=before)
    pages = await walked(server, page_size=size)
    assert set(ids(pages)) == {f"n{number}" for number in range(7)}
    assert len(server.requests) < 80
