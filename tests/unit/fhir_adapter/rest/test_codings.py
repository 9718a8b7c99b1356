"""Content codings of answers: one at most, unpacked piece by piece."""

import gzip
import tracemalloc
import zlib

import httpx
import pytest

from fhir_adapter.errors import NotFhirError
from fhir_adapter.rest.codings import pieces
from fhir_adapter.rest.scope import Scope, parsed
from tests.unit.fhir_adapter.rest.scripted_server import Answer, ScriptedServer, client_for

BODY = b'{"resourceType": "Patient"}' * 1000


async def read(data: bytes, coding: str) -> bytes:
    async with (
        ScriptedServer([Answer(200, data, {"Content-Encoding": coding})]) as server,
        httpx.AsyncClient() as http,
        http.stream("GET", server.base_url) as response,
    ):
        return b"".join([piece async for piece in pieces(response)])


def raw(data: bytes) -> bytes:
    packing = zlib.compressobj(wbits=-15)
    return packing.compress(data) + packing.flush()


@pytest.mark.parametrize(
    ("data", "coding"),
    [
        (BODY, "identity"),
        (gzip.compress(BODY), "gzip"),
        (gzip.compress(BODY), "GZIP, identity"),
        (gzip.compress(BODY), "x-gzip"),
        (zlib.compress(BODY), "deflate"),
        (raw(BODY), "deflate"),
        (b"", "gzip"),
    ],
)
async def test_one_coding_is_undone(data: bytes, coding: str) -> None:
    assert await read(data, coding) == (BODY if data else b"")


@pytest.mark.parametrize(
    ("data", "coding"),
    [
        (gzip.compress(gzip.compress(BODY)), "gzip, gzip"),
        (BODY, "br"),
        (BODY, "zstd"),
        (BODY, "gzip"),
        (gzip.compress(BODY)[:-20], "gzip"),
    ],
)
async def test_stacked_strange_damaged_and_cut_codings_are_refused(data: bytes, coding: str) -> None:
    with pytest.raises(httpx.DecodingError):
        await read(data, coding)


async def test_a_stack_of_codings_ends_the_request_without_unpacking_it() -> None:
    bomb = gzip.compress(gzip.compress(b"x" * 500_000_000))
    answer = Answer(200, bomb, {"Content-Encoding": "gzip, gzip"})
    async with ScriptedServer([answer]) as server, client_for(server, retries=0) as client:
        with pytest.raises(NotFhirError):
            await client.read("Patient", "1")


async def test_a_bomb_takes_no_more_memory_than_its_limit_and_a_piece() -> None:
    bomb = gzip.compress(b"x" * 200_000_000)
    answer = Answer(200, bomb, {"Content-Encoding": "gzip"})
    async with (
        ScriptedServer([answer]) as server,
        httpx.AsyncClient() as http,
        http.stream("GET", server.base_url) as response,
    ):
        tracemalloc.start()
        size = 0
        async for piece in pieces(response):
            size += len(piece)
            if size > 10_000_000:
                break
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert size > 10_000_000
    assert peak < 8_000_000


@pytest.mark.parametrize(
    "path",
    [
        "/fhir/../admin",
        "/fhir/%2e%2e/admin",
        "/fhir/%252e%252e/admin",
        "/fhir/%25252e%25252e/admin",
        "/fhir/..;/admin",
        "/fhir/..;a=b/admin",
        "/fhir/%2e%2e%3b/admin",
        "/fhir/..%2fadmin",
        "/fhir/..%255cadmin",
        f"/fhir/%{'25' * 12}2e%{'25' * 12}2e/admin",
    ],
)
def test_no_way_out_of_the_base_is_inside_it(path: str) -> None:
    url = parsed(f"https://fhir.example{path}")
    assert url is not None
    assert not Scope("https://fhir.example/fhir").contains(url)


@pytest.mark.parametrize("path", ["/fhir/Patient/1", "/fhir/Binary/a%20b", "/fhir/x;a=b/1", "/fhir/100%25"])
def test_what_lies_inside_stays_inside(path: str) -> None:
    url = parsed(f"https://fhir.example{path}")
    assert url is not None
    assert Scope("https://fhir.example/fhir").contains(url)
