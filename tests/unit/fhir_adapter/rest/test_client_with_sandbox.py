"""The client, the source walk and the attachments against the embedded sandbox: real HTTP, real paging."""

import asyncio
import base64
import hashlib
from datetime import timedelta

import pytest

from fhir_adapter.errors import ConflictError, GoneError, HttpStatusError, NotFhirError, NotFoundError
from fhir_adapter.reading.attachment import FetchLimits, candidates, fetch
from fhir_adapter.reading.source import Source
from fhir_adapter.reasons import Reason
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.sandbox.running import running_embedded
from fhir_adapter.sandbox.settings import SandboxSettings

TAG = ("urn:test:tag", "derived")


@pytest.fixture(scope="module")
def sandbox_url():
    with running_embedded() as url:
        yield url


@pytest.fixture
async def client(sandbox_url):
    async with FhirClient(sandbox_url, retries=1) as client:
        yield client


def doc(ident, text="A note.", **more):
    data = base64.b64encode(text.encode()).decode()
    attachment = more.pop("attachment", {"contentType": "text/plain", "data": data})
    return {
        "resourceType": "DocumentReference",
        "id": ident,
        "status": "current",
        "content": [{"attachment": attachment}],
        **more,
    }


async def put(client, *resources):
    entries = [
        {"resource": r, "request": {"method": "PUT", "url": f"{r['resourceType']}/{r['id']}"}}
        for r in resources
    ]
    return await client.transaction({"resourceType": "Bundle", "type": "transaction", "entry": entries})


async def pass_over(source, watermark=None, kind="DocumentReference"):
    notes, newest = [], watermark
    async for page in source.changed_since(kind, watermark):
        notes += page.notes
        newest = page.newest or newest
    return notes, newest


async def test_passes_see_what_is_new_amended_and_replaced():
    with running_embedded() as url:
        async with FhirClient(url) as client:
            source = Source(client, derived_tag=TAG, page_size=3, overlap=timedelta(seconds=0))
            await put(client, *(doc(f"d{i}") for i in range(10)), doc("ours", meta={"tag": [tag_of()]}))
            first, watermark = await pass_over(source)
            await asyncio.sleep(0.01)
            replacing = [{"code": "replaces", "target": {"reference": "DocumentReference/d1"}}]
            await put(
                client, doc("d0", "Amended."), doc("d1", status="superseded"), doc("new", relatesTo=replacing)
            )
            second, newest = await pass_over(source, watermark)
            unchanged, _ = await pass_over(source, newest)
    assert sorted(n.id for n in first) == [f"d{i}" for i in range(10)]
    changed = {n.id: n for n in second if n.last_updated > watermark}
    assert {i: n.version_id for i, n in changed.items()} == {"d0": "2", "d1": "2", "new": "1"}
    assert source.ineligible(changed["d1"]) is Reason.SUPERSEDED
    assert source.ineligible(changed["d0"]) is None
    assert {n.id for n in unchanged} == {"d0", "d1", "new"}


def tag_of():
    return {"system": TAG[0], "code": TAG[1]}


async def test_a_walk_beside_writers_loses_nothing():
    with running_embedded() as url:
        async with FhirClient(url) as client:
            source = Source(client, derived_tag=TAG, page_size=7)

            async def write(writer):
                for i in range(15):
                    await put(client, *(doc(f"w{writer}-{i}-{k}") for k in range(4)))

            writers = asyncio.gather(*(write(w) for w in range(4)))
            seen, watermark, ended = set(), None, False
            while not ended:
                ended = writers.done()  # one more pass after the last write
                notes, watermark = await pass_over(source, watermark)
                seen.update(n.id for n in notes)
            await writers
    assert len(seen) == 240


async def test_pages_that_expire_under_the_walk_do_not_lose_notes():
    with running_embedded(SandboxSettings(page_ttl=2)) as url:
        async with FhirClient(url) as client:
            await put(client, *(doc(f"d{i}") for i in range(9)))
            source = Source(client, derived_tag=TAG, page_size=4)
            ids, repeated, slept = [], 0, False
            async for page in source.changed_since("DocumentReference", None):
                ids += [n.id for n in page.notes]
                repeated += page.repeated
                if not slept:
                    slept = True
                    await asyncio.sleep(2.2)
    assert sorted(ids) == [f"d{i}" for i in range(9)]
    assert repeated >= 4


async def test_a_server_without_last_updated_is_read_by_date():
    with running_embedded(SandboxSettings(last_updated_search=False)) as url:
        async with FhirClient(url) as client:
            await put(client, doc("d1", date="2024-05-01T10:00:00Z"), doc("d2", date="2024-05-02T10:00:00Z"))
            source = Source(client, derived_tag=TAG)
            strategy = await source.strategy("DocumentReference")
            notes, newest = await pass_over(source)
    assert (strategy.parameter, strategy.misses_late_edits) == ("date", True)
    assert [n.id for n in notes] == ["d1", "d2"]
    assert newest == max(n.last_updated for n in notes)


async def test_bytes_by_every_way(client):
    note = "Größe unverändert.".encode("cp1252")
    packed = base64.b64encode(note).decode()
    await put(
        client,
        {
            "resourceType": "Binary",
            "id": "b1",
            "contentType": "text/plain; charset=windows-1252",
            "data": packed,
        },
        doc("inline", attachment={"contentType": "text/plain; charset=windows-1252", "data": packed}),
        doc("relative", attachment={"contentType": "text/plain", "url": "Binary/b1"}),
        doc("absolute", attachment={"url": f"{client.base_url}/Binary/b1", "size": len(note)}),
        doc(
            "versioned",
            attachment={
                "contentType": "text/plain;charset=x",
                "url": "Binary/b1/_history/1",
                "hash": base64.b64encode(hashlib.sha1(note).digest()).decode(),
            },
        ),
    )
    charsets = {}
    for ident in ("inline", "relative", "absolute", "versioned"):
        resource = await Source(client, derived_tag=TAG).read(f"DocumentReference/{ident}")
        (attachment,) = candidates(resource)
        content = await fetch(attachment, client, FetchLimits())
        assert (content.data, content.media_type) == (note, "text/plain")
        charsets[ident] = content.charset
    assert charsets == {
        "inline": "windows-1252",
        "relative": "windows-1252",
        "absolute": "windows-1252",
        "versioned": "x",
    }


async def test_capability_versions_and_errors(client):
    capability = await client.capability()
    assert capability.fhir_version == "4.0.1"
    assert capability.transaction
    assert capability.update_create("Composition")
    assert {"_lastUpdated", "relatesto"} <= capability.search_params("DocumentReference")
    await client.update(doc("v", "One."))
    await client.update(doc("v", "Two."))
    assert (await client.read("DocumentReference/v"))["meta"]["versionId"] == "2"
    assert (await client.read("DocumentReference/v", version="1"))["meta"]["versionId"] == "1"
    with pytest.raises(ConflictError):
        await client.update(doc("v", "Three."), if_match="1")
    with pytest.raises(NotFoundError):
        await client.read("DocumentReference/never")
    await client.delete("DocumentReference/v")
    with pytest.raises(GoneError):
        await client.read("DocumentReference/v")
    with pytest.raises(HttpStatusError) as caught:
        [page async for page in client.search("DocumentReference", [("no-such-parameter", "1")])]
    assert caught.value.status == 400


async def test_another_place_on_the_server_is_not_fhir(sandbox_url):
    async with FhirClient(sandbox_url + "/elsewhere", retries=0) as client:
        with pytest.raises((NotFhirError, HttpStatusError)):
            await client.capability()
