"""Runs the embedded sandbox: in the background for tests, in the foreground for the command line."""

import asyncio
import multiprocessing
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

import httpx
import uvicorn

from fhir_adapter.sandbox.embedded.app import create_app
from fhir_adapter.sandbox.embedded.store import Store
from fhir_adapter.sandbox.settings import SandboxError, SandboxSettings

HOST = "127.0.0.1"
_START_SECONDS = 30.0
_TICK_SECONDS = 0.1
_TICKS = 864_000  # a day of them
_TURNS = 20


@contextmanager
def running_embedded(
    settings: SandboxSettings | None = None, port: int = 0, *, own_process: bool = False
) -> Iterator[str]:
    """A sandbox on loopback for as long as the block lasts; ready when the block begins.

    Args:
        settings: the defaults where None.
        port: 0 takes a free one.
        own_process: runs it in a process of its own, so that its memory and its computing are not this
            process's. Without it, it runs in a thread and starts in a few milliseconds.

    Yields:
        The base URL, such as `http://127.0.0.1:41233/fhir`.

    Raises:
        SandboxError: the port is taken, the database cannot be opened, or it does not become ready.
    """
    settings = settings or SandboxSettings()
    listener = _listener(HOST, port)
    base_url = f"http://{HOST}:{listener.getsockname()[1]}{settings.base_path}"
    background = _in_process if own_process else _in_thread
    with listener, background(settings, listener) as alive:
        _wait_until_ready(base_url, alive)
        yield base_url


def serve_embedded(settings: SandboxSettings, host: str = HOST, port: int = 8080) -> None:
    """Serves until interrupted (SIGINT or SIGTERM).

    Raises:
        SandboxError: the port is taken or the database cannot be opened.
    """
    with _listener(host, port) as listener, suppress(KeyboardInterrupt):
        _server(settings).run(sockets=[listener])


@contextmanager
def _in_thread(settings: SandboxSettings, listener: socket.socket) -> Iterator[Callable[[], bool]]:
    server = _server(settings)
    thread = threading.Thread(
        target=lambda: asyncio.run(server.serve(sockets=[listener])), name="sandbox", daemon=True
    )
    thread.start()
    try:
        yield thread.is_alive
    finally:
        server.end()
        thread.join()


@contextmanager
def _in_process(settings: SandboxSettings, listener: socket.socket) -> Iterator[Callable[[], bool]]:
    if settings.database is not None:
        # What is wrong with the file is said here, in the caller's process.
        Store(settings.database).close()
    process = multiprocessing.get_context("spawn").Process(
        target=_serve_on, args=(settings, listener), name="sandbox", daemon=True
    )
    process.start()
    try:
        yield process.is_alive
    finally:
        process.terminate()
        process.join()
        process.close()


def _serve_on(settings: SandboxSettings, listener: socket.socket) -> None:
    server = _server(settings)
    threading.Thread(target=_stop_with_parent, args=(server,), daemon=True).start()
    with suppress(KeyboardInterrupt):
        server.run(sockets=[listener])


def _stop_with_parent(server: uvicorn.Server) -> None:
    """Ends the server when the process that wanted it is gone, however it went."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        server.should_exit = True


class PromptServer(uvicorn.Server):
    """Ends the moment it is told to, where nobody is connected; uvicorn looks every tenth of a second."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._tell: Callable[[], object] | None = None

    def end(self) -> None:
        """Tells it, from any thread."""
        self.should_exit = True
        if self._tell:
            with suppress(RuntimeError):  # its loop is closed
                self._tell()

    async def main_loop(self) -> None:
        """As uvicorn's, which sleeps between two ticks whatever happens."""
        told = asyncio.Event()
        self._tell = partial(asyncio.get_running_loop().call_soon_threadsafe, told.set)
        tick = 0
        while not await self.on_tick(tick % _TICKS):
            tick += 1
            with suppress(TimeoutError):
                await asyncio.wait_for(told.wait(), _TICK_SECONDS)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's, which gives connections a tenth of a second even where there are none."""
        for _ in range(_TURNS):  # connections that their other side has closed go in the loop's next turns
            if not self.server_state.connections:
                break
            await asyncio.sleep(0)
        if self.server_state.connections or self.server_state.tasks:
            await super().shutdown(sockets)
            return
        for listening in (*self.servers, *(sockets or ())):
            listening.close()
        for server in self.servers:
            await server.wait_closed()
        await self.lifespan.shutdown()


def _server(settings: SandboxSettings) -> PromptServer:
    # No access log: the addresses of requests may name patients.
    config = uvicorn.Config(
        create_app(settings),
        log_config=None,  # the process's own; uvicorn's would end the handlers of all others in it
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )
    return PromptServer(config)


def _listener(host: str, port: int) -> socket.socket:
    # With the protocol named, asyncio turns Nagle's delay off on every connection (40 ms each otherwise).
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise SandboxError(f"port {port} on {host} cannot be used: {error.strerror}") from None
    return listener


def _wait_until_ready(base_url: str, alive: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # plain HTTP: no need to read whom to trust
    while alive() and time.monotonic() < deadline:
        try:
            url = f"{base_url}/metadata?_elements=fhirVersion"
            answer = httpx.get(url, timeout=5, trust_env=False, verify=nobody)
        except httpx.TransportError:
            time.sleep(0.02)
            continue
        if answer.status_code == 200:
            return
    raise SandboxError("the sandbox did not become ready")
