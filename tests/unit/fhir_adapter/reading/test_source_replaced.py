"""What a newer document replaced, as servers say it or cannot."""

import pytest

from fhir_adapter.errors import HttpStatusError
from fhir_adapter.reading.page import Unreadable
from fhir_adapter.reasons import Reason
from tests.unit.fhir_adapter.reading.walking import Server, doc, source_for, walk
from tests.unit.fhir_adapter.rest.scripted_server import (
    Answer,
    bundle,
    client_for,
    fhir,
)


async def test_superseded_documents_are_asked_for_in_one_search():
    replacing = doc(
        "new", 9, relatesTo=[{"code": "replaces", "target": {"reference": "DocumentReference/old"}}]
    )
    wrong = doc(
        "bad",
        9,
        status="entered-in-error",
        relatesTo=[{"code": "replaces", "target": {"reference": "DocumentReference/kept"}}],
    )
    asked = []

    def before(request):
        related = dict(request.params).get("relatesto")
        if related is None:
            return None
        asked.append(related)
        absolute = {"reference": f"{server.base_url}/DocumentReference/older/_history/1"}
        third = doc("third", 9, relatesTo=[{"code": "replaces", "target": absolute}, {"code": "appends"}])
        return bundle(replacing, wrong, third)

    page = [doc(i, 1, status="superseded") for i in ("old", "older", "kept")]
    async with Server(page, before=before) as server, client_for(server) as client:
        source = source_for(client)
        (found,) = await walk(source)
        reasons = {n.id: source.ineligible(n) for n in found.notes}
    assert {n.id: n.replaced_by for n in found.notes} == {
        "old": "DocumentReference/new",
        "older": "DocumentReference/third",
        "kept": None,
    }
    assert reasons == {"old": Reason.SUPERSEDED, "older": Reason.SUPERSEDED, "kept": None}
    assert asked == ["DocumentReference/kept,DocumentReference/old,DocumentReference/older"]
    assert found.notice == ""


async def test_one_note_is_read_as_a_pass_would_see_it():
    replacing = doc(
        "new", 9, relatesTo=[{"code": "replaces", "target": {"reference": "DocumentReference/old"}}]
    )

    def before(request):
        if request.path.endswith("/DocumentReference/old"):
            return fhir(doc("old", status="superseded"))
        return bundle(replacing) if "relatesto" in dict(request.params) else None

    async with Server([], before=before) as server, client_for(server) as client:
        source = source_for(client)
        note = await source.read("DocumentReference/old")
        assert source.ineligible(note) is Reason.SUPERSEDED


@pytest.mark.parametrize(
    ("params", "status"), [(("_lastUpdated",), None), (("_lastUpdated", "relatesto"), 400)]
)
async def test_a_server_that_cannot_say_what_was_replaced_gives_a_notice(params, status):
    def before(request):
        return Answer(status) if status and "relatesto" in dict(request.params) else None

    async with (
        Server([doc("a", status="superseded")], params=params, before=before) as server,
        client_for(server) as client,
    ):
        (page,) = await walk(source_for(client))
    assert page.notes[0].replaced_by is None
    assert "replaced" in page.notice


async def test_a_failing_server_is_not_taken_for_one_that_cannot():
    def before(request):
        return Answer(503) if "relatesto" in dict(request.params) else None

    async with Server([doc("a", status="superseded")], before=before) as server, client_for(server) as client:
        with pytest.raises(HttpStatusError):
            await walk(source_for(client))


@pytest.mark.parametrize("total", [1, 2])
async def test_links_without_end_end_the_search_for_replacing_documents_alone(total):
    relation = [{"code": "replaces", "target": {"reference": "DocumentReference/old"}}]
    replacing = doc("new", 9, relatesTo=relation)
    asked = []

    def before(request):
        if "relatesto" not in dict(request.params):
            return None
        asked.append(request)
        more = f"{server.base_url}/DocumentReference?relatesto=x&page={len(asked)}"
        entry = [{"resource": replacing, "search": {"mode": "match"}}]
        link = [{"relation": "next", "url": more}]
        return fhir({"resourceType": "Bundle", "total": total, "link": link, "entry": entry})

    page = [doc(i, 1, status="superseded") for i in ("old", "kept")]
    async with Server(page, before=before) as server, client_for(server) as client:
        (found,) = await walk(source_for(client))
    assert {n.id: n.replaced_by for n in found.notes} == {"old": "DocumentReference/new", "kept": None}
    assert ("never end" in found.notice) is (total > 1)
    assert found.whole
    assert len(asked) == 2


async def test_what_a_pass_has_read_says_what_was_replaced_where_the_server_cannot():
    relation = [{"code": "replaces", "target": {"reference": "DocumentReference/old"}}]
    old, new, undone = (
        doc("old"),
        doc("new", 9, relatesTo=relation),
        doc("new", 99, status="entered-in-error"),
    )

    def before(request):
        return fhir(old) if request.path.endswith("/old") else None

    async with Server([new], params=("_lastUpdated",), before=before) as server, client_for(server) as client:
        source = source_for(client)
        await walk(source)
        assert (await source.read("DocumentReference/old")).replaced_by == "DocumentReference/new"
        server.pages = ([undone],)
        await walk(source)
        assert (await source.read("DocumentReference/old")).replaced_by is None


@pytest.mark.parametrize(
    "relation",
    [
        {"code": "Replaces", "target": {"reference": "DocumentReference/old"}},
        {"code": "replaces", "target": {"reference": "./DocumentReference/old/"}},
        {"code": "replaces", "target": {"reference": "BASE/DocumentReference/old/_history/1"}},
        {"code": "replaces", "target": {"reference": "urn:oid:1.2.3"}},
    ],
)
async def test_a_replaced_document_may_be_named_in_many_ways(relation):
    master = {"system": "urn:ietf:rfc:3986", "value": "urn:oid:1.2.3"}
    old = doc("old", masterIdentifier=master)

    def before(request):
        if dict(request.params).get("identifier") == "urn:ietf:rfc:3986|urn:oid:1.2.3":
            return bundle(old)
        return fhir(old) if request.path.endswith("/old") else None

    server = Server(params=("_lastUpdated",), before=before)
    async with server, client_for(server) as client:
        target = relation["target"]["reference"].replace("BASE", server.base_url)
        server.pages = ([doc("new", 9, relatesTo=[{**relation, "target": {"reference": target}}])],)
        source = source_for(client)
        await walk(source)
        assert source.ineligible(await source.read("DocumentReference/old")) is Reason.SUPERSEDED


async def test_a_relation_with_a_modifier_that_is_not_known_replaces_nothing():
    relation = {"code": "replaces", "target": {"reference": "DocumentReference/old"}}
    new = doc("new", 9, relatesTo=[{**relation, "modifierExtension": [{"url": "urn:x"}]}])

    def before(request):
        return fhir(doc("old")) if request.path.endswith("/old") else None

    async with Server([new], before=before) as server, client_for(server) as client:
        source = source_for(client)
        (page,) = await walk(source)
        assert source.ineligible(page.notes[0]) is Reason.UNKNOWN_MODIFIER
        assert source.ineligible(await source.read("DocumentReference/old")) is None


@pytest.mark.parametrize("element", ["masterIdentifier", "identifier"])
@pytest.mark.parametrize("ignores", [False, True])
@pytest.mark.parametrize("beside", [{}, {"reference": "https://ehr.example.org/fhir/DocumentReference/7"}])
async def test_a_replaced_document_may_be_named_by_its_identifier(element, ignores, beside):
    token = {"system": "urn:s", "value": "v"}
    old = doc("old", **{element: token if element == "masterIdentifier" else [token]})
    new = doc("new", 9, relatesTo=[{"code": "replaces", "target": {"identifier": token, **beside}}])

    def before(request):
        if dict(request.params).get("identifier") == "urn:s|v":
            return bundle(old, doc("stranger")) if ignores else bundle(old)
        return fhir(old) if request.path.endswith("/old") else None

    async with Server([new], before=before) as server, client_for(server) as client:
        source = source_for(client)
        (page,) = await walk(source)
        assert page.notes[0].replaces == ("DocumentReference/old",)
        assert source.ineligible(await source.read("DocumentReference/old")) is Reason.SUPERSEDED


async def test_where_that_cannot_be_said_the_notes_fail_alone_and_the_walk_goes_on():
    def before(request):
        return Answer(500) if "relatesto" in dict(request.params) else None

    pages = [[doc("a", 1)], [doc("b", 2, version="7")]]
    async with Server(*pages, before=before) as server, client_for(server, retries=0) as client:
        found = await walk(source_for(client))
    failed = [note for page in found for note in page.notes]
    detail = "the server does not say what replaces it (HTTP 500)"
    assert failed == [
        Unreadable(f"DocumentReference/{name}", Reason.SERVER_ERROR, detail, version)
        for name, version in (("a", "1"), ("b", "7"))
    ]
    assert found[-1].is_last
