"""The bodies of requests: how large, how slow, and how much of them may be in memory."""

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jobs.web.guard.refusal import refuse
from jobs.web.problems import ProblemError


class BodyLimit:
    """Ends a request whose body is too large or does not arrive in time, and bounds what all of them hold.

    Args:
        max_bytes: of one body.
        all_bytes: of the bodies of all requests in hand; beyond these, 503.
        seconds: within which a body has to be there.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, all_bytes: int, seconds: float) -> None:
        self._app, self._max, self._all, self._seconds = app, max_bytes, all_bytes, seconds
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "0")
        if not length.isdecimal() or int(length) > self._max:
            await refuse(self._too_large(), scope, receive, send)
            return
        body = _Body(self, receive, asyncio.get_running_loop().time() + self._seconds)
        try:
            await self._app(scope, body.receive, send)
        finally:
            self._held -= body.arrived

    def take(self, size: int, arrived: int) -> None:
        """Counts what arrived of a body."""
        self._held += size
        if arrived > self._max:
            raise self._too_large()
        if self._held > self._all:
            raise ProblemError("queue-full", "The bodies of the requests in hand are as large as may be.")

    def _too_large(self) -> ProblemError:
        return ProblemError("too-large", f"At most {self._max} bytes.")


class _Body:
    """The body of one request as it arrives."""

    def __init__(self, limit: BodyLimit, receive: Receive, deadline: float) -> None:
        self._limit, self._receive, self._deadline = limit, receive, deadline
        self._complete = False
        self.arrived = 0

    async def receive(self) -> Message:
        """The next message; once the body is there, that the client left."""
        if self._complete:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            raise ProblemError("slow-request") from None
        size = len(message.get("body", b""))
        self.arrived += size
        self._limit.take(size, self.arrived)
        self._complete = not message.get("more_body", False)
        return message
