"""`clinsum run`: passes on a schedule, one at a time, ended cleanly by SIGTERM."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from fhir_adapter.sandbox.running import running_embedded
from jobs.bench.passes import generated_notes
from jobs.health import read_health
from tests.faults.processes import Process


def put(base_url: str, note: dict[str, Any]) -> None:
    httpx.put(
        f"{base_url}/DocumentReference/{note['id']}", json=note, trust_env=False, timeout=600
    ).raise_for_status()


def compositions(base_url: str) -> int:
    url = f"{base_url}/Composition?_summary=count"
    return int(httpx.get(url, trust_env=False, timeout=600).json()["total"])


def wait_for(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 600
    while not what():
        assert time.monotonic() < deadline, "did not happen"
        time.sleep(0.1)


def environment(base_url: str, tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        "CLINSUM_FHIR_BASE_URL": base_url,
        "CLINSUM_DATABASE_URL": f"sqlite:///{tmp_path / 'ledger.sqlite'}",
        "CLINSUM_ENGINE": "lead",
        "CLINSUM_LOG_FORMAT": "json",
        "CLINSUM_HEALTH_FILE": str(tmp_path / "run.prom"),
    }


def test_new_notes_are_summarised_until_sigterm_and_never_by_two_at_once(tmp_path: Path) -> None:
    first, second = generated_notes(2)
    with running_embedded() as base_url:
        settings = environment(base_url, tmp_path)
        put(base_url, first)
        process = Process(("run", "--every", "1s"), settings, streams=(2,))
        try:
            wait_for(lambda: compositions(base_url) == 1)
            put(base_url, second)
            wait_for(lambda: compositions(base_url) == 2)
            assert read_health(str(tmp_path / "run.prom")).well(60)
            rival = Process(("poll",), settings, streams=(2,))
            refused = rival.communicate().decode()
        finally:
            process.send_signal(signal.SIGTERM)
        said = process.communicate()

    assert process.returncode == 0
    assert rival.returncode == 2
    assert refused.startswith("clinsum: Another pass over this server is running")
    events = [json.loads(line) for line in said.splitlines()]
    assert sum(event.get("written", 0) for event in events if event["event"] == "pass") == 2
    assert events[-1]["event"] == "stopped"


def test_a_server_that_goes_away_is_logged_and_the_next_pass_goes_on(tmp_path: Path) -> None:
    database = tmp_path / "fhir.sqlite"
    (note,) = generated_notes(1)
    with running_embedded(_kept(database)) as base_url:
        port = int(base_url.rpartition(":")[2].partition("/")[0])
        settings = {**environment(base_url, tmp_path), "CLINSUM_RETRIES": "0"}
        process = Process(("run", "--every", "1s"), settings, streams=(2,))
        assert any(b'"event": "pass"' in line for line in iter(process.output.readline, b""))
    try:
        assert any(b'"event": "pass-failed"' in line for line in iter(process.output.readline, b""))
        with running_embedded(_kept(database), port=port) as base_url:
            put(base_url, note)
            wait_for(lambda: compositions(base_url) == 1)
            assert any(b'"event": "pass"' in line for line in iter(process.output.readline, b""))
            process.send_signal(signal.SIGTERM)
            process.communicate()
    finally:
        process.kill()
    assert process.returncode == 0


def _kept(database: Path) -> Any:
    from fhir_adapter.sandbox.settings import SandboxSettings

    return SandboxSettings(database=database)


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_log_line_holds_words_of_a_note(tmp_path: Path, log_format: str) -> None:
    (note,) = generated_notes(1)
    note["content"][0]["attachment"] = {"contentType": "text/plain", "data": "U21pdGgsIEpvaG4gc2Vjcm v="}
    with running_embedded() as base_url:
        put(base_url, note)
        settings = {
            **environment(base_url, tmp_path),
            "CLINSUM_LOG_FORMAT": log_format,
            "CLINSUM_LOG_LEVEL": "debug",
        }
        done = Process(("poll",), settings, streams=(1, 2))
        said = done.communicate().decode()

    assert done.returncode in (0, 1)
    for secret in ("Smith", "U21pdGgs", "bench-0/"):
        assert secret not in said
