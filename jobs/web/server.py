"""Runs the application on a socket: who may reach it, TLS, and an end that lets requests finish."""

import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGINT, SIGTERM

import uvicorn

from jobs.exits import UsageError
from jobs.settings import Settings, SettingsError
from jobs.web.app import create_app
from jobs.web.guard.access import access_from, check_exposure, is_loopback
from jobs.web.service import Options

_GRACE = 30  # seconds that requests in hand may take once the end was asked for
_KEEP_ALIVE = 75  # seconds; longer than proxies keep a connection, so that none sends into one just closed
_SWITCH = 0.001  # seconds after which the model's thread lets the event loop have the interpreter
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
    app = create_app(settings, options, access)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,  # it would show addresses with their queries
        server_header=False,
        proxy_headers=False,  # the application looks at them itself
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=_GRACE,
        ssl_certfile=settings.serve_certificate or None,
        ssl_keyfile=settings.serve_key or None,
    )
    sys.setswitchinterval(_SWITCH)
    with _listener(host, port) as listener:
        scheme = "https" if settings.serve_certificate else "http"
        shown = f"[{host}]" if ":" in host else host
        ready(f"{scheme}://{shown}:{listener.getsockname()[1]}")
        _Server(config).run(sockets=[listener])


class _Server(uvicorn.Server):
    """Ends with exit code 0 where a signal asked it to, instead of dying of that signal in the end."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Takes the signals while it serves; a second one does not wait for requests."""
        before = {number: signal.signal(number, self.handle_exit) for number in (SIGINT, SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio turns Nagle's delay off on every connection.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise UsageError(f"Port {port} on {host} cannot be used: {error.strerror}.") from None
    return listener
