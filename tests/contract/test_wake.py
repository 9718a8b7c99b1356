"""A FHIR server that wakes `clinsum run`: on HAPI, whose Subscriptions are its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.contract.contract_fhir import Fhir, FhirServer, new_id
from tests.contract.passes import Site, reference
from tests.places import ROOT

pytestmark = pytest.mark.hapi

PATIENCE = 180  # seconds; HAPI looks at new Subscriptions by and by, and the machine may be busy


def wait_for(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.5)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def test_a_change_on_the_server_begins_a_pass_at_once(hapi_server: FhirServer, tmp_path: Path) -> None:
    code, port = new_id("kind"), free_port()
    kind = {"coding": [{"system": "urn:clinsum:test", "code": code}]}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CLINSUM_")}
    environment |= {
        "CLINSUM_FHIR_BASE_URL": hapi_server.base_url,
        "CLINSUM_DATABASE_URL": f"sqlite:///{tmp_path / 'ledger.sqlite'}",
        "CLINSUM_HEALTH_FILE": str(tmp_path / "run.prom"),
        "CLINSUM_ENGINE": "lead",
        "CLINSUM_LOG_FORMAT": "json",
        "CLINSUM_NOTE_TYPES": f"urn:clinsum:test|{code}",
        "CLINSUM_RESOURCE_TYPES": "DocumentReference",
        "CLINSUM_RECONCILE": "0",
        "CLINSUM_RUN_ADDRESS": f"127.0.0.1:{port}",
        "CLINSUM_WAKE_URL": f"http://127.0.0.1:{port}",
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-c", "from jobs.cli import main; main()", "run", "--every", "12h"]
    fhir = Fhir(hapi_server)
    log = tmp_path / "log"
    with fhir.http, log.open("w") as said, subprocess.Popen(command, stderr=said, env=environment) as process:
        site = Site(fhir, tmp_path / "unused.sqlite")

        def passes() -> int:
            events = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
            return sum(event["event"] == "pass" for event in events)

        def subscription() -> dict[str, object]:
            bundle = fhir.get("Subscription?type=rest-hook&_count=100")
            ours = [one for one in fhir.matches(bundle) if f":{port}/wake" in one["channel"]["endpoint"]]
            return ours[0] if ours else {}

        try:
            wait_for(lambda: passes() == 1)  # the next one by the schedule is in twelve hours
            wait_for(lambda: subscription().get("status") == "active")
            assert "payload" not in str(subscription())
            note = site.document(type=kind)
            wait_for(lambda: len(site.written(reference(note))) == 1)
            assert passes() >= 1
            address = f"http://127.0.0.1:{port}/wake"
            assert httpx.post(address, trust_env=False, timeout=600).status_code == 401
            wrong = {"Authorization": "Bearer somebody-else"}
            assert httpx.post(address, headers=wrong, trust_env=False, timeout=600).status_code == 401
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0
            wait_for(lambda: subscription().get("status") == "off")
        finally:
            process.kill()
