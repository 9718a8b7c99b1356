"""The connections of a client, against a server that counts them."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest

from fhir_adapter.rest.lanes import Lanes


@dataclass
class Counting:
    """A server that answers when it is let.

    Attributes:
        opened: connections so far.
        most: requests that were in hand at once.
        faulty: breaks the connection instead of answering.
        closing: ends the connection after an answer, as servers do with idle ones.
    """

    opened: int = 0
    most: int = 0
    faulty: bool = False
    closing: bool = False
    address: str = ""
    let: asyncio.Event = field(default_factory=asyncio.Event)
    _in_hand: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                self._in_hand += 1
                self.most = max(self.most, self._in_hand)
                await self.let.wait()
                self._in_hand -= 1
                if self.faulty:
                    break
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                await writer.drain()
                if self.closing:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def counting(count: int, pool: float = 60.0) -> AsyncIterator[tuple[Counting, httpx.AsyncClient]]:
    server = Counting()
    server.let.set()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.address = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/"
    lanes = Lanes(count, ssl.create_default_context())
    async with (
        listening,
        httpx.AsyncClient(transport=lanes, timeout=httpx.Timeout(60.0, pool=pool)) as client,
    ):
        yield server, client


async def test_one_connection_serves_request_after_request() -> None:
    async with counting(4) as (server, client):
        for _ in range(5):
            assert (await client.get(server.address)).text == "ok"
        assert server.opened == 1


async def test_no_more_requests_are_made_at_once_than_there_are_connections() -> None:
    async with counting(3) as (server, client):
        server.let.clear()
        asked = [asyncio.create_task(client.get(server.address)) for _ in range(10)]
        while server.most < 3:
            await asyncio.sleep(0.01)
        server.let.set()
        assert [answer.text for answer in await asyncio.gather(*asked)] == ["ok"] * 10
        assert (server.most, server.opened) == (3, 3)


async def test_who_waits_too_long_for_a_connection_is_told_so() -> None:
    async with counting(1, pool=0.05) as (server, client):
        server.let.clear()
        first = asyncio.create_task(client.get(server.address))
        while not server.most:
            await asyncio.sleep(0.01)
        with pytest.raises(httpx.PoolTimeout):
            await client.get(server.address)
        server.let.set()
        assert (await first).text == "ok"
        assert (await client.get(server.address)).text == "ok"


async def test_what_fails_or_is_given_up_or_left_unread_gives_its_connection_back() -> None:
    async with counting(1) as (server, client):
        server.faulty = True
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(server.address)
        server.faulty = False
        server.let.clear()
        given_up = asyncio.create_task(client.get(server.address))
        while server.opened < 2:
            await asyncio.sleep(0.01)
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)
        server.let.set()
        async with client.stream("GET", server.address):
            pass
        assert (await client.get(server.address)).text == "ok"


async def test_a_connection_that_the_server_has_closed_is_opened_anew() -> None:
    async with counting(1) as (server, client):
        server.closing = True
        for opened in (1, 2, 3):
            assert (await client.get(server.address)).text == "ok"
            assert server.opened == opened
            await asyncio.sleep(0.05)
