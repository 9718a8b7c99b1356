"""The service as a process on a socket: start, signals, TLS, clients that leave."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from jobs.web.app import create_app
from tests.places import ROOT
from tests.unit.jobs.web.test_openapi import listening
from tests.unit.jobs.web.web_parts import Held, MakeSettings

NOTE = {"text": "No fever. Cough for two days. He is well."}
PATIENCE = 600  # seconds; a machine that is busy with other things starts a process in a minute or two


@contextmanager
def process(tmp_path: Path, *arguments: str, **settings: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`clinsum serve` on a free port; yields the process and its address."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CLINSUM_")}
    environment |= {f"CLINSUM_{name.upper()}": value for name, value in settings.items()}
    environment |= {
        "CLINSUM_ENGINE": settings.get("engine", "lead"),
        "CLINSUM_DATABASE_URL": f"sqlite:///{tmp_path / 'ledger.sqlite'}",
        "CLINSUM_FHIR_BASE_URL": "http://127.0.0.1:9/fhir",
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-c", "from jobs.cli import main; main()", "serve", "--port", "0", *arguments]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=tmp_path
    ) as running:
        try:
            assert running.stderr
            said = running.stderr.readline()
            yield running, said.split()[3] if said.startswith("clinsum serves on") else said
        finally:
            running.kill()


def wait_for(
    address: str, path: str = "/health/ready", status: int = 200, **options: object
) -> httpx.Response:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            answer = httpx.get(address + path, trust_env=False, timeout=PATIENCE, **options)  # type: ignore[arg-type]
        except httpx.TransportError:
            time.sleep(0.05)
            continue
        if answer.status_code == status:
            return answer
        time.sleep(0.05)
    raise AssertionError(f"{path} never answered {status}")


def test_serve_preload_and_end_by_signal(tmp_path: Path) -> None:
    with process(tmp_path, "--preload") as (running, address):
        ready = wait_for(address)
        assert {p["name"]: p["state"] for p in ready.json()["parts"]}["model"] == "ready"
        answer = httpx.post(f"{address}/v1/summaries", json=NOTE, trust_env=False, timeout=PATIENCE)
        assert answer.status_code == 200
        running.send_signal(signal.SIGTERM)
        assert running.wait(PATIENCE) == 0
        assert running.stderr
        assert "Traceback" not in running.stderr.read()


def test_a_model_that_cannot_be_loaded_is_never_ready(tmp_path: Path) -> None:
    with process(tmp_path, "--preload", "--model", str(tmp_path / "none"), engine="lexrank") as (_, address):
        answer = wait_for(address, status=503)
        while answer.json()["parts"][0]["state"] == "loading":
            answer = wait_for(address, status=503)
        assert answer.json()["parts"][0] == {
            "name": "model",
            "ready": False,
            "required": True,
            "state": "could not be loaded",
        }
        refused = httpx.post(f"{address}/v1/summaries", json=NOTE, trust_env=False, timeout=PATIENCE)
        assert (refused.status_code, refused.json()["code"]) == (503, "model-unavailable")
        assert httpx.get(f"{address}/health/live", trust_env=False, timeout=600).status_code == 200


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--host", "0.0.0.0"), "CLINSUM_SERVICE_TOKEN"),
        (("--host", "0.0.0.0", "--set", "SERVICE_TOKEN=a-token-of-enough-characters"), "CLINSUM_SERVE_PROXY"),
        (("--set", "SERVICE_TOKEN=short"), "24 characters"),
    ],
)
def test_it_does_not_start_unguarded(tmp_path: Path, arguments: tuple[str, ...], named: str) -> None:
    with process(tmp_path, *arguments) as (running, said):
        assert running.wait(PATIENCE) == 2
        assert named in said


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with process(tmp_path, "--port", str(taken.getsockname()[1])) as (running, said):
            assert running.wait(PATIENCE) == 2
            assert "cannot be used" in said


def test_tls_of_its_own(tmp_path: Path) -> None:
    certificate, key = _certificate(tmp_path)
    settings = {"serve_certificate": str(certificate), "serve_key": str(key)}
    token = "a-token-of-enough-characters"
    with process(tmp_path, "--host", "0.0.0.0", service_token=token, **settings) as (_, said):
        address = said.replace("0.0.0.0", "127.0.0.1")
        assert address.startswith("https://")
        import ssl

        trusted = ssl.create_default_context(cafile=str(certificate))
        ready = wait_for(address, verify=trusted)
        assert ready.headers["strict-transport-security"]
        headers = {"authorization": f"Bearer {token}"}
        with httpx.Client(verify=trusted, trust_env=False, timeout=PATIENCE) as client:
            assert client.post(f"{address}/v1/summaries", json=NOTE).status_code == 401
            assert client.post(f"{address}/v1/summaries", json=NOTE, headers=headers).status_code == 200


def _certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    import ipaddress

    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return folder / "cert.pem", folder / "key.pem"


# Clients that leave, over real sockets.


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def send(address: str, path: str, body: object, accept: str = "*/*") -> socket.socket:
    """Sends a request and leaves the connection open."""
    port = int(address.rpartition(":")[2])
    data = json.dumps(body).encode()
    connection = socket.create_connection(("127.0.0.1", port))
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
    connection.sendall(head.encode() + data)
    return connection


@pytest.mark.parametrize(
    ("path", "body", "accept"),
    [
        ("/v1/summaries", NOTE, "*/*"),
        ("/v1/summaries:batch", {"items": [NOTE] * 6}, "*/*"),
        ("/v1/summaries:batch", {"items": [NOTE] * 6}, "text/event-stream"),
    ],
)
def test_a_client_that_leaves_frees_its_places(
    make_settings: MakeSettings,
    held: Held,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    body: object,
    accept: str,
) -> None:
    monkeypatch.setattr("jobs.web.service.make_summarizer", lambda _: held)
    app = create_app(make_settings(serve_queue=8, serve_batch_tokens=1, serve_wait=0))
    with listening(app) as address:
        first = send(address, "/v1/summaries", NOTE)
        until(held.begun.is_set)
        leaving = send(address, path, body, accept)
        until(lambda: app.state.service.model.waiting > 0)
        leaving.close()
        until(lambda: app.state.service.model.waiting == 0)
        held.leave.set()
        assert first.recv(12) == b"HTTP/1.1 200"
        first.close()
    assert len(held.batches) == 1  # nothing was computed for nobody
    assert app.state.metrics.page().decode().count("clinsum_queue_waiting 0.0") == 1


def test_requests_in_hand_are_answered_before_the_end(
    make_settings: MakeSettings, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.web.service.make_summarizer", lambda _: held)
    app = create_app(make_settings(serve_batch_tokens=1, serve_wait=0))
    import threading

    with listening(app) as address:
        waiting = [send(address, "/v1/summaries", NOTE) for _ in range(3)]
        until(lambda: held.begun.is_set() and app.state.service.model.waiting == 2)
        threading.Timer(0.3, held.leave.set).start()  # after the end was asked for
    for connection in waiting:
        assert connection.recv(12) == b"HTTP/1.1 200"
        connection.close()
