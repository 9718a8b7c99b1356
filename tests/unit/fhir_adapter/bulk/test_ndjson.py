"""Lines of resources out of bytes in pieces of any size."""

import gzip
import json
from collections.abc import AsyncIterator

import pytest

from fhir_adapter.bulk.ndjson import DamagedDataError, Line, read_lines

RESOURCES = [{"resourceType": "Patient", "id": f"p{number}", "text": "é" * number} for number in range(9)]
DATA = b"\n".join(json.dumps(one).encode() for one in RESOURCES)


async def pieces(data: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def read(data: bytes, size: int = 7, **options: int) -> list[Line]:
    return [line async for line in read_lines(pieces(data, size), **options)]


@pytest.mark.parametrize("size", [1, 7, 50, 10_000])
@pytest.mark.parametrize(
    "data",
    [DATA, DATA + b"\n", DATA.replace(b"\n", b"\r\n"), gzip.compress(DATA), gzip.compress(DATA + b"\n") * 1],
)
async def test_every_resource_is_read_once(data: bytes, size: int) -> None:
    assert [line.resource for line in await read(data, size)] == RESOURCES


async def test_members_of_gzip_follow_each_other() -> None:
    data = b"".join(gzip.compress(json.dumps(one).encode() + b"\n") for one in RESOURCES)
    assert [line.resource for line in await read(data)] == RESOURCES


async def test_it_goes_on_after_lines_that_were_had() -> None:
    lines = await read(DATA, after=6)
    assert [(line.number, line.resource) for line in lines] == [
        (number + 1, RESOURCES[number]) for number in range(6, 9)
    ]


async def test_what_is_no_resource_or_too_long_is_told_of_and_passed_over() -> None:
    long = json.dumps({"resourceType": "Binary", "data": "x" * 500}).encode()
    data = b"\n".join([b"{", b"[]", b"", long, DATA.split(b"\n")[0]])
    lines = await read(data, 16, longest=200)
    assert [(line.number, line.resource is None, line.too_long) for line in lines] == [
        (1, True, False),
        (2, True, False),
        (4, True, True),
        (5, False, False),
    ]


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-12], lambda data: data[:20] + b"\0\0\0\0" + data[24:]]
)
async def test_damaged_gzip_is_said(damage) -> None:
    with pytest.raises(DamagedDataError):
        await read(damage(gzip.compress(DATA * 50)))
