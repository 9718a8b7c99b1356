from datetime import timedelta

import pytest

from fhir_adapter.errors import NotFoundError, RefusedError, ResponseTooLargeError
from fhir_adapter.reading.source import Unreadable
from fhir_adapter.reasons import Reason
from tests.unit.fhir_adapter.reading.walking import START, TAG, Server, at, doc, ids, source_for, walk
from tests.unit.fhir_adapter.rest.scripted_server import (
    Answer,
    bundle,
    client_for,
    fhir,
)


async def test_a_first_pass_reads_everything_in_order():
    async with Server([doc("a", 1), doc("b", 2)], [doc("c", 3)]) as server, client_for(server) as client:
        source = source_for(client, page_size=7)
        pages = await walk(source)
        assert (await source.strategy("DocumentReference")).fallback is None
    assert ids(pages) == ["a", "b", "c"]
    assert [p.newest for p in pages] == [at(2), at(3)]
    assert [p.is_last for p in pages] == [False, True]
    assert server.searches()[0] == {"_sort": "_lastUpdated", "_count": "7"}


@pytest.mark.parametrize(
    ("watermark", "asked"),
    [
        ("2024-05-01T12:00:00.123456789Z", "ge2024-05-01T11:58:00.123Z"),
        ("2024-05-01T12:00:00.5+02:00", "ge2024-05-01T09:58:00.500Z"),
        ("2024-05-01T12:00:00-05:00", "ge2024-05-01T16:58:00.000Z"),
    ],
)
async def test_a_later_pass_begins_below_the_watermark(watermark, asked):
    async with Server([]) as server, client_for(server) as client:
        (page,) = await walk(source_for(client), watermark)
        assert page.newest is None
        assert server.searches()[0]["_lastUpdated"] == asked


async def test_newest_compares_moments_and_keeps_the_servers_writing():
    late = doc("a", meta={"lastUpdated": "2024-05-01T10:00:00.1234567-05:00"})
    early = doc("b", meta={"lastUpdated": "2024-05-01T14:59:59Z"})
    async with Server([late, early]) as server, client_for(server) as client:
        (page,) = await walk(source_for(client))
    assert page.newest == "2024-05-01T10:00:00.1234567-05:00"


async def test_a_stamp_in_the_future_does_not_become_the_watermark():
    future = doc("b", meta={"lastUpdated": "2124-05-01T12:00:00Z"})
    async with Server([doc("a", 1), future]) as server, client_for(server) as client:
        (page,) = await walk(source_for(client, clock=lambda: START + timedelta(seconds=30)))
    assert ids([page]) == ["a", "b"]
    assert page.newest == at(1)


async def test_a_bad_watermark_is_refused():
    async with Server([]) as server, client_for(server) as client:
        with pytest.raises(ValueError, match="watermark"):
            await walk(source_for(client), "yesterday")


async def test_an_expired_search_begins_again_and_repeats_nothing():
    expired = []

    def before(request):
        if ("_getpages", "2") in request.params and not expired:
            expired.append(1)
            return Answer(410)
        return None

    pages = [doc("a", 0), doc("b", 600)], [doc("c", 1200)], [doc("d", 1300)]
    async with Server(*pages, before=before) as server, client_for(server) as client:
        found = await walk(source_for(client), at(0))
    assert ids(found) == ["a", "b", "c", "d"]
    assert sum(p.repeated for p in found) == 3
    first, second = server.searches()
    assert first["_lastUpdated"] == "ge" + at(-120)
    assert second["_lastUpdated"] == "ge" + at(1200 - 120)


async def test_an_unsorted_server_restarts_from_the_watermark():
    expired = []

    def before(request):
        if ("_getpages", "1") in request.params and not expired:
            expired.append(1)
            return Answer(404)
        return None

    async with (
        Server([doc("b", 9000), doc("a", 0)], [doc("c", 1)], before=before) as server,
        client_for(server) as client,
    ):
        found = await walk(source_for(client), at(0))
    assert ids(found) == ["b", "a", "c"]
    assert [s["_lastUpdated"] for s in server.searches()] == ["ge" + at(-120)] * 2


async def test_restarts_are_bounded():
    def before(request):
        return Answer(410) if ("_getpages", "1") in request.params else None

    async with Server([doc("a")], [doc("b")], before=before) as server, client_for(server) as client:
        pages = await walk(source_for(client))
    assert ids(pages)[0] == "a"
    # What lies behind is not to be had, and that is said.
    gaps = [n for page in pages for n in page.notes if isinstance(n, Unreadable)]
    assert {gap.reason for gap in gaps} == {Reason.SERVER_ERROR}
    assert all("410" in gap.detail for gap in gaps)
    assert len(server.searches()) < 80


async def test_a_type_the_server_does_not_have_is_an_error_at_once():
    async with Server([], before=lambda _: Answer(404)) as server, client_for(server) as client:
        with pytest.raises(NotFoundError):
            await walk(source_for(client))
        assert len(server.searches()) == 1


async def test_a_page_that_is_too_large_is_asked_for_in_smaller_ones():
    def before(request):
        asked = int(dict(request.params).get("_count", 1))
        return Answer(200, b" " * 9000) if asked > 10 else None

    async with Server([doc("a")], before=before) as server:
        async with client_for(server, max_response_bytes=8000) as client:
            assert ids(await walk(source_for(client, page_size=100))) == ["a"]
        assert [s["_count"] for s in server.searches()] == ["100", "25", "6"]


async def test_one_resource_over_the_limit_is_an_error():
    async with (
        Server([], before=lambda _: Answer(200, b" " * 9000)) as server,
        client_for(server, max_response_bytes=8000) as client,
    ):
        with pytest.raises(ResponseTooLargeError):
            await walk(source_for(client, page_size=2))


async def test_what_we_wrote_ourselves_is_left_out_but_moves_the_watermark():
    ours = doc(
        "x", 5, meta={"tag": [{"system": "other", "code": "derived"}, {"system": TAG[0], "code": TAG[1]}]}
    )
    async with Server([doc("a", 1), ours]) as server, client_for(server) as client:
        (page,) = await walk(source_for(client))
    assert ids([page]) == ["a"]
    assert (page.derived, page.newest) == (1, at(5))


async def test_every_entry_that_cannot_be_read_is_named():
    odd = {"resourceType": "DocumentReference", "meta": {"versionId": "4"}, "id": "a b"}
    untyped = {"id": "p", "meta": 3}
    async with Server([odd, untyped, "odd", doc("a")]) as server, client_for(server) as client:
        (page,) = await walk(source_for(client))
    assert [n for n in page.notes if isinstance(n, Unreadable)] == [
        Unreadable("", Reason.MALFORMED, "DocumentReference without a usable id", "4"),
        Unreadable("", Reason.MALFORMED, "a match that does not say its type"),
        Unreadable("", Reason.MALFORMED, "an entry without a resource"),
    ]
    assert ids([page])[2] == "a"


async def test_two_versions_of_one_note_are_two_and_the_same_version_is_one():
    async with (
        Server([doc("a", 1), doc("a", 1)], [doc("a", 2, version="2")]) as server,
        client_for(server) as client,
    ):
        pages = await walk(source_for(client))
    assert [n.version_id for p in pages for n in p.notes] == ["1", "2"]
    # The order of the search changed while it was read, so it is read again; nothing new came.
    assert [p.repeated for p in pages] == [1, 0, 2, 1]


async def test_without_last_updated_the_date_is_used_and_says_so():
    def before(request):
        if "_lastUpdated" in dict(request.params):
            return Answer(400)
        return None

    old, new = doc("old", -3600 * 24 * 30), doc("new", 60)
    bare = {"resourceType": "DocumentReference", "id": "bare", "status": "current", "date": "2024-05-01"}
    async with (
        Server([old, new, bare], params=("date",), before=before) as server,
        client_for(server) as client,
    ):
        source = source_for(client)
        strategy = await source.strategy("DocumentReference")
        (page,) = await walk(source, at(0))
    assert "late edits" in strategy.fallback
    assert strategy.misses_late_edits
    assert server.searches()[0] == {"date": "ge2024-04-24", "_sort": "date", "_count": "100"}
    assert ids([page]) == ["new", "bare"]
    assert (page.repeated, page.newest) == (1, at(60))


async def test_without_any_date_search_everything_is_read():
    def before(request):
        return Answer(400) if "_lastUpdated" in dict(request.params) else None

    page = [doc("old", -3600), doc("new", 60), {"resourceType": "DocumentReference", "id": "bare"}]
    async with Server(page, params=(), before=before) as server, client_for(server) as client:
        source = source_for(client)
        strategy = await source.strategy("DocumentReference")
        (found,) = await walk(source, at(0))
    assert (strategy.parameter, strategy.misses_late_edits) == (None, False)
    assert "every pass" in strategy.fallback.replace("\n", " ")
    assert ids([found]) == ["new", "bare"]
    assert found.newest == at(60)


@pytest.mark.parametrize(("ignores", "expected"), [(True, "date"), (False, "_lastUpdated")])
async def test_an_undeclared_last_updated_is_tried(ignores, expected):
    def before(request):
        asked = dict(request.params).get("_lastUpdated", "")
        return bundle() if asked.startswith("ge2999") and not ignores else None

    async with Server([doc("a")], params=("date",), before=before) as server, client_for(server) as client:
        assert (await source_for(client).strategy("DocumentReference")).parameter == expected


async def test_an_empty_server_is_tried_again_next_time():
    content = []

    def before(request):
        future = dict(request.params).get("_lastUpdated", "").startswith("ge2999")
        return bundle() if future or not content else None

    async with Server([doc("a")], params=("date",), before=before) as server, client_for(server) as client:
        source = source_for(client)
        assert (await source.strategy("DocumentReference")).parameter == "date"
        content.append(1)
        assert (await source.strategy("DocumentReference")).parameter == "_lastUpdated"


async def test_a_refusal_is_not_taken_for_a_missing_search():
    def before(request):
        return Answer(403) if "_lastUpdated" in dict(request.params) else None

    async with Server([], params=(), before=before) as server, client_for(server) as client:
        with pytest.raises(RefusedError):
            await source_for(client).strategy("DocumentReference")


@pytest.mark.parametrize("options", [{"page_size": 0}, {"overlap": timedelta(seconds=-1)}])
async def test_bad_options_are_refused(options):
    async with Server([]) as server, client_for(server) as client:
        with pytest.raises(ValueError, match=r"must be|cannot be"):
            source_for(client, **options)


async def test_a_server_that_stamps_nothing_is_said_to():
    bare = {"resourceType": "DocumentReference", "id": "a", "status": "current"}
    async with Server([bare]) as server, client_for(server) as client:
        pages = await walk(source_for(client))
    assert "stamp" in pages[-1].notice
    assert ids(pages) == ["a"]


async def test_searches_ask_to_be_refused_rather_than_half_heard():
    async with Server([doc("a")]) as server, client_for(server) as client:
        await walk(source_for(client))
    (first, *_) = [r for r in server.requests if "_sort" in dict(r.params)]
    assert first.headers["prefer"] == "handling=strict"


PART = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}


@pytest.mark.parametrize("status", [200, 403])
async def test_a_part_of_a_note_is_read_whole_or_said_to_be_a_part(status):
    part, whole = doc("a", meta={"tag": [PART]}), doc("a", description="all of it")

    def before(request):
        if request.path.endswith("/a"):
            return fhir(whole) if status == 200 else Answer(status)
        return None

    async with Server([part, doc("b")], before=before) as server, client_for(server) as client:
        (page,) = await walk(source_for(client))
    named = {note.reference: note for note in page.notes}
    assert set(named) == {"DocumentReference/a", "DocumentReference/b"}
    if status == 200:
        assert named["DocumentReference/a"].title == "all of it"
    else:
        assert named["DocumentReference/a"].reason is Reason.WRONG_ANSWER
