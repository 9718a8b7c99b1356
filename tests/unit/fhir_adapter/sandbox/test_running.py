"""Starting and stopping."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from fhir_adapter.sandbox.running import running_embedded, serve_embedded
from fhir_adapter.sandbox.settings import SandboxError, SandboxSettings
from tests.unit.fhir_adapter.sandbox.builders import patient

METADATA = "metadata?_elements=fhirVersion"


def test_ready_inside_the_block_and_gone_after_it() -> None:
    with running_embedded() as base_url:
        assert httpx.get(f"{base_url}/{METADATA}", timeout=600).json()["fhirVersion"] == "4.0.1"
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{base_url}/{METADATA}")


def test_in_a_process_of_its_own(tmp_path: Path) -> None:
    settings = SandboxSettings(database=tmp_path / "x.sqlite", base_path="/r4")
    for expected in (201, 200):
        with running_embedded(settings, own_process=True) as base_url:
            assert base_url.endswith("/r4")
            assert httpx.put(f"{base_url}/Patient/a", json=patient("a"), timeout=600).status_code == expected
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{base_url}/{METADATA}")


def test_a_port_in_use() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SandboxError, match=f"port {port}"), running_embedded(port=port):
            pass
        with pytest.raises(SandboxError, match=f"port {port}"):
            serve_embedded(SandboxSettings(), port=port)


@pytest.mark.parametrize("own_process", [False, True])
def test_a_bad_database_is_said_at_the_start(tmp_path: Path, own_process: bool) -> None:
    (tmp_path / "x.sqlite").write_bytes(b"no database" * 1000)
    settings = SandboxSettings(database=tmp_path / "x.sqlite")
    with (
        pytest.raises(SandboxError, match="cannot be opened"),
        running_embedded(settings, own_process=own_process),
    ):
        pass


@pytest.mark.parametrize(
    "wrong",
    [
        {"page_size": 0},
        {"page_size": 20, "max_page_size": 10},
        {"page_ttl": -1.0},
        {"search_cache": -1.0},
        {"max_body": 0},
        {"base_path": "fhir"},
        {"base_path": "/fhir/"},
    ],
)
def test_bad_settings(wrong: dict[str, object]) -> None:
    with pytest.raises(SandboxError):
        SandboxSettings(**wrong)  # type: ignore[arg-type]


SERVE = """
from fhir_adapter.sandbox.running import serve_embedded
from fhir_adapter.sandbox.settings import SandboxSettings
serve_embedded(SandboxSettings(), port={port})
"""

HOLD = """
import time
from fhir_adapter.sandbox.running import running_embedded
if __name__ == "__main__":
    with running_embedded(port={port}, own_process=True):
        time.sleep(60)
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/fhir/{METADATA}").status_code == 200
    except httpx.TransportError:
        return False


def wait_for(port: int, expected: bool) -> bool:
    deadline = time.monotonic() + 600
    while answers(port) is not expected and time.monotonic() < deadline:
        time.sleep(0.05)
    return answers(port) is expected


def start(tmp_path: Path, script: str, port: int) -> "subprocess.Popen[bytes]":
    path = tmp_path / "script.py"
    path.write_text(script.format(port=port))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen([sys.executable, str(path)], env=environment, stderr=subprocess.PIPE)


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_serving_ends_quietly_on_a_signal(tmp_path: Path, signal_number: signal.Signals) -> None:
    port = free_port()
    with start(tmp_path, SERVE, port) as process:
        assert wait_for(port, True)
        process.send_signal(signal_number)
        _, errors = process.communicate(timeout=600)
    assert errors == b""
    assert process.returncode in (0, -signal_number)


def test_a_process_of_its_own_does_not_outlive_its_parent(tmp_path: Path) -> None:
    port = free_port()
    with start(tmp_path, HOLD, port) as process:
        assert wait_for(port, True)
        process.kill()
        process.wait()
        assert wait_for(port, False)
