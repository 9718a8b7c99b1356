"""Connections of the web service: how many, of one client and in all, and how long a silent one may stay.

Where there is no room for one more, the connection goes that has waited longest for its client: one that
never asked, one between two requests, one whose request does not arrive. So whoever holds many silent
connections loses these, and a new client, such as an orchestrator's probe, finds room. A request that is
being answered is never cut.
"""

import asyncio
import resource
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from ipaddress import IPv6Address, ip_address
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from jobs.web.guard.proxy import networks, within

_SUBNET = 64  # leading bits of an IPv6 address that one client holds (RFC 6177)
_RESERVED = 256  # file descriptors for everything but connections of clients


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """What connections may take.

    Attributes:
        of_all: connections at a time.
        of_one: of one address (of one network of 64 bits, where it is IPv6); proxies have no such limit.
        silence: seconds for a request's head to arrive, and for an answer to be taken on.
        proxies: addresses and networks of the proxies in front.
    """

    of_all: int = 1024
    of_one: int = 128
    silence: float = 20.0
    proxies: tuple[str, ...] = ()

    def within_descriptors(self) -> "ConnectionLimits":
        """Raises this process's limit of open files as far as needed and allowed; else these with fewer."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = self.of_all + _RESERVED
        if soft != resource.RLIM_INFINITY and soft < wanted:
            soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        if soft == resource.RLIM_INFINITY or soft >= wanted:
            return self
        return replace(self, of_all=max(soft - _RESERVED, soft // 2))


@dataclass(slots=True)
class Room:
    """The connections that are open now.

    Attributes:
        told: called with the reason for each connection that was ended: `silent`, `stalled` or `no-room`.
    """

    limits: ConnectionLimits
    told: Callable[[str], None] = lambda _: None
    _all: dict["Connection", str] = field(default_factory=dict)  # the oldest first, with its client
    _of: dict[str, dict["Connection", None]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._all)

    def enter(self, connection: "Connection") -> None:
        """Takes a new connection in; where that is one too many, another is ended, or the new one itself."""
        host = connection.client[0] if connection.client else ""
        client = _client(host)
        self._all[connection] = client
        own = self._of.setdefault(client, {})
        own[connection] = None
        if len(own) > self.limits.of_one and not within(host, networks(self.limits.proxies)):
            self._end_one(own, connection)
        elif len(self._all) > self.limits.of_all:
            self._end_one(self._all, connection)

    def leave(self, connection: "Connection") -> None:
        """Forgets a connection that has ended."""
        client = self._all.pop(connection, None)
        if client is None:
            return
        self._of[client].pop(connection)
        if not self._of[client]:
            del self._of[client]

    def _end_one(self, some: dict["Connection", Any], new: "Connection") -> None:
        waiting = (one for one in some if one is not new and one.waits_for_client)
        gone = next(waiting, new)
        self.leave(gone)
        gone.end("no-room")


class Connection(H11Protocol):
    """One connection: uvicorn's, with a place in the room and without patience for silence."""

    def __init__(self, room: Room, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._room = room
        self._head: asyncio.TimerHandle | None = None
        self._stall: asyncio.TimerHandle | None = None

    @property
    def waits_for_client(self) -> bool:
        """Whether it is the client's turn: to ask, or to send the rest of what it asks."""
        return self.cycle is None or self.cycle.response_complete or self.cycle.more_body

    def end(self, reason: str) -> None:
        """Ends the connection at once, whatever is still to be sent."""
        self._room.told(reason)
        self.transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has come."""
        super().connection_made(transport)
        self._head = self._after(partial(self.end, "silent"))
        self._room.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """It has ended, by whichever side."""
        self._room.leave(self)
        for timer in (self._head, self._stall):
            if timer:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """A piece of a request; from its first byte on the whole head has the same time."""
        super().data_received(data)
        asked = self.cycle is not None and not self.cycle.response_complete
        if asked and self._head:
            self._head.cancel()
            self._head = None
        elif not asked and not self._head:
            self._head = self._after(partial(self.end, "silent"))

    def on_response_complete(self) -> None:
        """An answer has been given; the client takes it in time, also where it is the last."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._after(self.transport.abort)

    def timeout_keep_alive_handler(self) -> None:
        """No other request has come."""
        super().timeout_keep_alive_handler()
        self._after(self.transport.abort)

    def pause_writing(self) -> None:
        """The client does not take what it asked for."""
        super().pause_writing()
        self._stall = self._after(partial(self.end, "stalled"))

    def resume_writing(self) -> None:
        """It takes it again."""
        if self._stall:
            self._stall.cancel()
            self._stall = None
        super().resume_writing()

    def _after(self, ending: Callable[[], None]) -> asyncio.TimerHandle:
        return self.loop.call_later(self._room.limits.silence, ending)


def _client(host: str) -> str:
    """What counts as one client: an address, or the network of an IPv6 address."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None and not address.is_loopback:
        return str(int(address) >> (128 - _SUBNET))
    return str(getattr(address, "ipv4_mapped", None) or address)
