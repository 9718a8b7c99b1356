"""What `clinsum run` serves beside its passes, on a real socket beside a real schedule."""

import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from fhir_adapter.sandbox.running import running_embedded
from jobs.bench.passes import generated_notes
from jobs.cli import run
from tests.places import ROOT
from tests.unit.jobs.test_cli import put
from tests.unit.jobs.web.web_parts import Served

TOKEN = "a-token-of-at-least-24-characters"


@contextmanager
def running(tmp_path: Path, base_url: str, **more: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`clinsum run` with a free port; the process, and the address that it serves."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CLINSUM_")}
    environment |= {
        "CLINSUM_FHIR_BASE_URL": base_url,
        "CLINSUM_DATABASE_URL": f"sqlite:///{tmp_path / 'ledger.sqlite'}",
        "CLINSUM_HEALTH_FILE": str(tmp_path / "run.prom"),
        "CLINSUM_ENGINE": "lead",
        "CLINSUM_LOG_FORMAT": "json",
        "CLINSUM_RUN_ADDRESS": "127.0.0.1:0",
        "PYTHONPATH": str(ROOT),
        **more,
    }
    command = [sys.executable, "-c", "from jobs.cli import main; main()", "run", "--every", "1h"]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env=environment, cwd=tmp_path
    ) as process:
        try:
            assert process.stderr
            for line in process.stderr:
                event = json.loads(line)
                if event["event"] == "serving":
                    break
            yield process, f"http://127.0.0.1:{event['port']}"
        finally:
            process.kill()


def test_metrics_and_health_beside_the_passes_until_sigterm(tmp_path: Path) -> None:
    with running_embedded() as base_url:
        (note,) = generated_notes(1)
        put(base_url, note)
        with (
            running(tmp_path, base_url, CLINSUM_SERVICE_TOKEN=TOKEN) as (process, address),
            httpx.Client(base_url=address, trust_env=False, timeout=600) as client,
        ):
            assert client.get("/health/live").json() == {"status": "live"}
            deadline = time.monotonic() + 600
            while (ready := client.get("/health/ready")).status_code != 200:
                assert ready.json()["parts"][0] == {
                    "name": "passes",
                    "ready": False,
                    "required": True,
                    "state": "none completed yet",
                }
                assert time.monotonic() < deadline
                time.sleep(0.1)
            assert "passes" not in ready.json()  # figures are for who shows a token
            assert client.get("/metrics").status_code == 401
            page = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).text
            assert 'clinsum_part_up{part="ledger"} 1.0' in page
            assert "clinsum_last_good_pass_timestamp_seconds 1" in page
            assert "clinsum_model_loaded 1.0" in page
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0


def test_an_address_for_others_needs_credentials_and_encryption() -> None:
    for sets in ([], [f"--set=SERVICE_TOKEN={TOKEN}"]):
        assert run(["run", "--set", "RUN_ADDRESS=0.0.0.0:9464", *sets]) == 2


async def test_the_service_shows_the_passes_to_who_may_read(served: Served, tmp_path: Path) -> None:
    from jobs.health import Heart

    heart = Heart(str(tmp_path / "run.prom"))
    heart.passed(good=True)
    with running_embedded() as base_url:
        given = {"fhir_base_url": base_url, "health_file": str(tmp_path / "run.prom")}
        async with served(**given) as client:
            passes = (await client.get("/health/ready")).json()["passes"]
            assert passes["notes"] == {}
            assert passes["lag_seconds"] == {"DocumentReference": 0.0, "DiagnosticReport": 0.0}
            assert passes["last_good_pass"].startswith("20")
            assert "clinsum_last_good_pass_timestamp_seconds 1" in (await client.get("/metrics")).text
        async with served(**given, service_token=TOKEN) as client:
            assert "passes" not in (await client.get("/health/ready")).json()


def test_a_hook_begins_a_pass_and_nobody_else_does(tmp_path: Path) -> None:
    """The hook as a server sends it; the next pass by the schedule is in an hour."""
    secret = hmac.new(TOKEN.encode(), b"clinsum wake", hashlib.sha256).hexdigest()
    with running_embedded() as base_url:
        wake = {"CLINSUM_WAKE_URL": "http://127.0.0.1:9", "CLINSUM_SERVICE_TOKEN": TOKEN}
        with (
            running(tmp_path, base_url, **wake) as (process, address),
            httpx.Client(base_url=address, trust_env=False, timeout=600) as client,
        ):
            deadline = time.monotonic() + 600
            while client.get("/health/ready").status_code != 200:
                assert time.monotonic() < deadline
                time.sleep(0.1)
            (note,) = generated_notes(1)
            put(base_url, note)
            assert client.post("/wake").status_code == 401
            assert client.post("/wake", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 401
            assert client.post("/wake", headers={"Authorization": f"Bearer {secret}"}).status_code == 204
            url = f"{base_url}/Composition?_summary=count"
            while httpx.get(url, trust_env=False, timeout=600).json()["total"] != 1:
                assert time.monotonic() < deadline
                time.sleep(0.1)
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0


def test_nobody_is_woken_where_nobody_listens() -> None:
    assert run(["run", "--set", "WAKE_URL=http://127.0.0.1:9464"]) == 2
