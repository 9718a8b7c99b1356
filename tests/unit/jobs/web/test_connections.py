"""Connections over real sockets: how many, and how long the silent ones stay."""

import resource
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import httpx
import pytest

from jobs.web.app import create_app
from jobs.web.connections import ConnectionLimits
from jobs.web.server import Server, listener
from tests.unit.jobs.web.test_server import NOTE, send, until
from tests.unit.jobs.web.web_parts import Held, MakeSettings

SILENT = 300
HEAD = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n"
BODY = b"POST /v1/summaries HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\na"


@contextmanager
def serving(make_settings: MakeSettings, host: str = "127.0.0.1", **given: object) -> Iterator[Server]:
    """Our own server, as `clinsum serve` has it, in a thread; its port is the attribute `port`."""
    server = Server(create_app(make_settings(**given)), make_settings(**given))
    with listener(host, 0) as listening:
        server.port = listening.getsockname()[1]  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            until(lambda: server.started or not thread.is_alive())
            assert thread.is_alive()
            yield server
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def connect() -> Iterator[Callable[..., socket.socket]]:
    """Opens connections, says something on them and keeps them open."""
    with ExitStack() as opened:

        def one(server: Server, said: bytes = b"") -> socket.socket:
            made = opened.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=600))  # type: ignore[attr-defined]
            made.sendall(said)
            return made

        yield one


def live(server: Server) -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{server.port}/health/live", trust_env=False, timeout=600)  # type: ignore[attr-defined]


def ended(server: Server) -> dict[str, float]:
    """How many connections were ended, by reason."""
    samples = {}
    for family in server.config.app.state.metrics.registry.collect():  # type: ignore[union-attr]
        for sample in family.samples:
            if sample.name == "clinsum_connections_ended_total":
                samples[sample.labels["reason"]] = sample.value
    return samples


def gone(connection: socket.socket) -> bool:
    """Waits until the service says something or ends the connection; whether it ended it."""
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True


def drip(connection: socket.socket, said: bytes, pause: float) -> None:
    """Says it again and again."""
    for _ in range(100_000):
        connection.sendall(said)
        threading.Event().wait(pause)


@pytest.mark.parametrize("said", [b"", b"GET", HEAD, BODY, HEAD + b"\r\n"])
@pytest.mark.parametrize("limits", [{"serve_connections": 64}, {"serve_client_connections": 32}])
def test_it_answers_beside_connections_that_are_silent(
    make_settings: MakeSettings, connect: Callable[..., socket.socket], said: bytes, limits: dict[str, int]
) -> None:
    with serving(make_settings, serve_silence=600, **limits) as server:
        held = []
        for _ in range(SILENT):
            held.append(connect(server, said))
            if said.startswith(b"GET") and said.endswith(b"\r\n\r\n"):
                assert held[-1].recv(12) == b"HTTP/1.1 200"
        assert live(server).status_code == 200
        most = next(iter(limits.values()))
        until(lambda: len(server.room) <= most)
        assert ended(server)["no-room"] >= SILENT - most
        for connection in held:
            connection.close()


def test_a_request_in_hand_is_not_ended_for_a_new_one(
    make_settings: MakeSettings,
    connect: Callable[..., socket.socket],
    held: Held,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("jobs.web.service.make_summarizer", lambda _: held)
    with serving(make_settings, serve_client_connections=2, serve_batch_tokens=1) as server:
        address = f"http://127.0.0.1:{server.port}"  # type: ignore[attr-defined]
        asked = [send(address, "/v1/summaries", NOTE) for _ in range(2)]
        until(held.begun.is_set)
        assert gone(connect(server, HEAD + b"\r\n"))  # the new one, since all others are being answered
        held.leave.set()
        assert [one.recv(12) for one in asked] == [b"HTTP/1.1 200"] * 2
        for one in asked:
            one.close()


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: "])
def test_who_does_not_ask_in_time_is_gone(
    make_settings: MakeSettings, connect: Callable[..., socket.socket], said: bytes
) -> None:
    with serving(make_settings, serve_silence=0.2) as server:
        assert gone(connect(server, said))
        assert ended(server) == {"silent": 1}
        assert len(server.room) == 0


def test_a_head_that_comes_byte_by_byte_has_no_more_time(
    make_settings: MakeSettings, connect: Callable[..., socket.socket]
) -> None:
    with serving(make_settings, serve_silence=0.5) as server:
        slow = connect(server, HEAD + b"\r\n")
        assert slow.recv(12) == b"HTTP/1.1 200"
        with pytest.raises(ConnectionError):  # the second request of the connection
            drip(slow, b"G", 0.01)
        assert ended(server) == {"silent": 1}


def test_who_does_not_take_the_answer_is_gone(
    make_settings: MakeSettings, connect: Callable[..., socket.socket]
) -> None:
    with serving(make_settings, serve_silence=0.2) as server:
        greedy = connect(server)
        with pytest.raises(ConnectionError):
            drip(greedy, b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 20, 0)
        until(lambda: len(server.room) == 0)
        assert ended(server) == {"stalled": 1}


def test_the_proxy_has_no_limit_of_its_own(
    make_settings: MakeSettings, connect: Callable[..., socket.socket]
) -> None:
    with serving(make_settings, serve_client_connections=2, serve_proxy="127.0.0.1") as server:
        for _ in range(8):
            connect(server)
        assert live(server).status_code == 200
        assert ended(server) == {}


def test_one_client_does_not_take_the_room_of_another(make_settings: MakeSettings) -> None:
    with serving(make_settings, host="::", serve_client_connections=2) as server, ExitStack() as opened:
        try:
            other = socket.create_connection(("::1", server.port), timeout=600)  # type: ignore[attr-defined]
        except OSError:
            pytest.fail("these tests need IPv6 on the loopback")
        opened.enter_context(other)
        until(lambda: len(server.room) == 1)
        for _ in range(4):
            opened.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=600))  # type: ignore[attr-defined]
        until(lambda: ended(server) == {"no-room": 2.0})
        other.sendall(HEAD + b"\r\n")
        assert other.recv(12) == b"HTTP/1.1 200"


def test_no_more_connections_than_files_may_be_open(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(resource, "setrlimit", lambda _, wanted: asked.append(wanted))
    for allowed, most in [((64, 64), 32), ((1024, 1024), 768), ((1024, 4096), 1024), ((-1, -1), 1024)]:
        monkeypatch.setattr(resource, "getrlimit", lambda _, allowed=allowed: allowed)
        assert ConnectionLimits(of_all=1024).within_descriptors().of_all == most
    assert asked == [(64, 64), (1024, 1024), (1280, 4096)]
