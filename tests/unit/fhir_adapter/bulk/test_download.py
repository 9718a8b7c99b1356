"""A file of an export: connections that break, addresses that end, answers that are something else."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from fhir_adapter.bulk.download import Place, download
from fhir_adapter.errors import HttpStatusError, NotFhirError, OutsideBaseError, ServerUnreachableError
from fhir_adapter.rest.auth import BearerAuth
from fhir_adapter.rest.backoff import Backoff
from fhir_adapter.rest.client import FhirClient

DATA = b"".join(b'{"resourceType": "Patient", "id": "%d"}\n' % number for number in range(3000))
Answer = Callable[[str, dict[str, str]], tuple[int, dict[str, str], bytes]]


@asynccontextmanager
async def serving(answer: Answer) -> AsyncIterator[str]:
    """A server whose answers say their whole length and end where they end."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
        status, sent, body = answer(head[0].split()[1], headers)
        lines = [f"HTTP/1.1 {status} x", *(f"{name}: {value}" for name, value in sent.items())]
        writer.write("\r\n".join([*lines, "Connection: close", "", ""]).encode() + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/fhir"


async def no_sleep(_: float) -> None:
    """At once."""


async def nothing_new() -> str:
    raise AssertionError("the address has not ended")


async def had(base_url: str, url: str = "file", renewed=nothing_new, **options) -> bytes:
    async with FhirClient(base_url, auth=BearerAuth("secret")) as client:
        place = Place(client, options.pop("login", True), **options)
        chunks = download(place, url, renewed, backoff=Backoff(retries=3), sleep=no_sleep)
        return b"".join([chunk async for chunk in chunks])


def torn(*, ranges: bool, least: int = 20_000) -> tuple[Answer, list[dict[str, str]]]:
    asked: list[dict[str, str]] = []

    def answer(_: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        asked.append(headers)
        start = int(headers.get("range", "bytes=0-")[6:-1]) if ranges else 0
        whole = DATA[start:]
        sent = {"Content-Type": "application/fhir+ndjson", "Content-Length": str(len(whole))}
        if start:
            sent["Content-Range"] = f"bytes {start}-{len(DATA) - 1}/{len(DATA)}"
        # Without ranges it gets further each time.
        return (206 if start else 200), sent, whole[: least * (1 if ranges else len(asked))]

    return answer, asked


@pytest.mark.parametrize("ranges", [True, False])
async def test_a_broken_connection_is_gone_on_with(ranges: bool) -> None:
    answer, asked = torn(ranges=ranges)
    async with serving(answer) as base_url:
        assert await had(base_url) == DATA
    assert len(asked) > 3
    assert all(one["authorization"] == "Bearer secret" for one in asked)
    assert all("range" in one for one in asked[1:])


async def test_one_that_gets_no_further_ends() -> None:
    answer, asked = torn(ranges=True, least=0)
    async with serving(answer) as base_url:
        with pytest.raises(ServerUnreachableError, match="again and again"):
            await had(base_url)
    assert len(asked) == 4


async def test_an_address_that_ends_is_asked_for_anew_once() -> None:
    def answer(path: str, _: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        if path.endswith("old"):
            return 403, {"Content-Length": "0"}, b""
        return 200, {"Content-Type": "application/ndjson", "Content-Length": str(len(DATA))}, DATA

    async def new() -> str:
        return "new"

    async def old_again() -> str:
        return "old"

    async with serving(answer) as base_url:
        assert await had(base_url, "old", new) == DATA
        with pytest.raises(HttpStatusError):
            await had(base_url, "old", old_again)


async def test_a_page_to_log_in_is_no_file_and_other_hosts_get_no_credentials() -> None:
    seen: list[dict[str, str]] = []

    def answer(path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        seen.append(headers)
        kind = "text/html; charset=utf-8" if path.endswith("login") else "application/octet-stream"
        return 200, {"Content-Type": kind, "Content-Length": str(len(DATA))}, DATA

    async with serving(answer) as base_url, serving(answer) as elsewhere:
        with pytest.raises(NotFhirError, match="text/html"):
            await had(base_url, "login")
        with pytest.raises(OutsideBaseError):
            await had(base_url, f"{elsewhere}/file")
        seen.clear()
        host = elsewhere.split("/")[2]
        url = f"{elsewhere}/file"
        assert await had(base_url, url, login=False, allowed_hosts=[host], allow_private=True) == DATA
        assert await had(base_url, "file", login=False) == DATA
    assert not any("authorization" in one for one in seen)
