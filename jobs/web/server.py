"""Runs the application on a socket: who may reach it, TLS, and an end that lets requests finish."""

import asyncio
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from signal import SIGINT, SIGTERM

import uvicorn
from fastapi import FastAPI

from jobs.exits import UsageError
from jobs.settings import Settings, SettingsError
from jobs.web.app import create_app
from jobs.web.connections import Connection, ConnectionLimits, Room
from jobs.web.guard.access import access_from, check_exposure, is_loopback
from jobs.web.metrics import Metrics
from jobs.web.service import Options

_GRACE = 30  # seconds that requests in hand may take once the end was asked for
_KEEP_ALIVE = 75  # seconds; longer than proxies keep a connection, so that none sends into one just closed
_SWITCH = 0.001  # seconds after which the model's thread lets the event loop have the interpreter
_HANDSHAKE = 10  # seconds
_NOT_STARTED = 3  # exit code where the application's parts cannot be made, as uvicorn has it
_BACKLOG = 512  # connections that the system keeps until they are taken


def run(
    settings: Settings,
    *,
    host: str,
    port: int,
    preload: bool = False,
    demo: bool = False,
    ready: Callable[[str], None] = lambda _: None,
) -> None:
    """Serves until SIGINT or SIGTERM.

    Args:
        settings: of the process.
        host: address to listen on.
        port: 0 takes a free one.
        preload: loads the model at start.
        demo: see `Options`.
        ready: called with the address once the port is taken.

    Raises:
        SettingsError: the address may not be served with these settings, or the certificate cannot be read.
        UsageError: the port cannot be used.
    """
    access = access_from(settings, demo=demo)
    check_exposure(host, settings, access, demo=demo)
    hosts = frozenset({"localhost", "127.0.0.1", "::1", host}) if is_loopback(host) else frozenset[str]()
    options = Options(preload=preload, demo=demo, hosts=frozenset() if access.asks else hosts)
    for path in filter(None, (settings.serve_certificate, settings.serve_key)):
        if not Path(path).is_file():
            raise SettingsError(f"CLINSUM_SERVE_CERTIFICATE or CLINSUM_SERVE_KEY: there is no file {path}.")
    server = Server(create_app(settings, options, access), settings)
    sys.setswitchinterval(_SWITCH)
    with listener(host, port) as listening:
        scheme = "https" if settings.serve_certificate else "http"
        shown = f"[{host}]" if ":" in host else host
        ready(f"{scheme}://{shown}:{listening.getsockname()[1]}")
        server.run(sockets=[listening])


class Server(uvicorn.Server):
    """The application on sockets that listen already, with bounds for connections.

    It ends with exit code 0 where a signal asked it to, instead of dying of that signal in the end.
    """

    def __init__(self, app: FastAPI, settings: Settings) -> None:
        limits = ConnectionLimits(
            settings.serve_connections,
            settings.serve_client_connections,
            settings.serve_silence,
            settings.serve_proxy,
        )
        metrics: Metrics = app.state.metrics
        self.room = Room(limits.within_descriptors(), metrics.connection_ended)
        metrics.watch_connections(self.room)
        config = uvicorn.Config(
            app,
            http="h11",  # what `Connection` is of
            ws="none",
            log_config=None,
            access_log=False,  # it would show addresses with their queries
            server_header=False,
            proxy_headers=False,  # the application looks at them itself
            timeout_keep_alive=_KEEP_ALIVE,
            timeout_graceful_shutdown=_GRACE,
            ssl_certfile=settings.serve_certificate or None,
            ssl_keyfile=settings.serve_key or None,
        )
        super().__init__(config)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's, with less patience for a TLS handshake than a minute."""
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            sys.exit(_NOT_STARTED)
        make = partial(
            Connection,
            self.room,
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
        )
        secured = self.config.ssl
        patience = _HANDSHAKE if secured else None
        loop = asyncio.get_running_loop()
        self.servers = [
            await loop.create_server(
                make, sock=one, ssl=secured, backlog=_BACKLOG, ssl_handshake_timeout=patience
            )
            for one in sockets or ()
        ]
        self.started = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Takes the signals while it serves; a second one does not wait for requests."""
        if threading.current_thread() is not threading.main_thread():  # as in the tests
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (SIGINT, SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def listener(host: str, port: int) -> socket.socket:
    """A socket that listens there.

    Raises:
        UsageError: the port cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio turns Nagle's delay off on every connection.
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
        made.listen(_BACKLOG)
    except OSError as error:
        made.close()
        raise UsageError(f"Port {port} on {host} cannot be used: {error.strerror}.") from None
    return made
