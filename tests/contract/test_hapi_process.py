"""HAPI as a process: it ends with its parent, however that dies. Needs Linux's /proc."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fhir_adapter.sandbox.hapi import HapiSettings
from fhir_adapter.sandbox.hapi_build import StartError
from tests.contract.contract_fhir import hapi_or_skip

PARENT = """
import sys
from fhir_adapter.sandbox.hapi import HapiSettings, running_hapi
with running_hapi(HapiSettings(way=sys.argv[1])):
    pass
"""


def stat_fields(pid: str) -> list[str]:
    """State, parent, … of a process; empty once it is gone."""
    try:
        return Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def alive(pid: str) -> bool:
    return stat_fields(pid)[:1] not in ([], ["Z"])  # a zombie runs nothing any more


def child_of(parent: subprocess.Popen[bytes], argument: str, seconds: float = 600) -> str:
    """Id of the child that has this argument, once there is one."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and parent.poll() is None:
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and stat_fields(entry.name)[1:2] == [str(parent.pid)]:
                arguments = (entry / "cmdline").read_bytes().split(b"\0")
                if argument.encode() in arguments:
                    return entry.name
        time.sleep(0.05)
    raise AssertionError(f"no child with {argument}")


def ends(pid: str, seconds: float = 600) -> bool:
    deadline = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not alive(pid)


@pytest.mark.hapi(server="its own")
def test_a_killed_parent_takes_the_jvm_along() -> None:
    with (
        pytest.raises(StartError, match=r"not ready after 0 seconds; its log is .*\.log"),
        hapi_or_skip(HapiSettings(start_seconds=0)),  # skips without Java, and has it built
    ):
        pass
    with subprocess.Popen([sys.executable, "-c", PARENT, "java"]) as parent:
        jvm = child_of(parent, "clinsum.sandbox.Main")
        parent.send_signal(signal.SIGKILL)
    assert ends(jvm)


STAND_IN_FOR_DOCKER = """#!/bin/sh
if [ "$1" = info ]; then exit 0; fi
echo $$ > "$0.pid"
exec sleep 1000
"""


def test_a_killed_parent_takes_the_container_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`docker run` in the foreground passes SIGTERM on to its container; here its stand-in gets it."""
    docker = tmp_path / "docker"
    docker.write_text(STAND_IN_FOR_DOCKER)
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("CLINSUM_CACHE", str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", PARENT, "docker"]) as parent:
        shell = child_of(parent, "run")
        noted = tmp_path / "docker.pid"
        while not (noted.exists() and noted.read_text().strip()):
            assert alive(shell)
            time.sleep(0.05)
        engine = noted.read_text().strip()
        parent.send_signal(signal.SIGKILL)
    assert ends(engine)
    assert ends(shell)
