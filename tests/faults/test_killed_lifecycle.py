"""Killed between the server and the ledger: what comes after a person's work, and a recall, are done once."""

import json
import random
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from fhir_adapter.sandbox.running import running_embedded
from fhir_adapter.writing.lifecycle import stamp_of
from jobs.bench.passes import generated_notes
from tests.faults.processes import Process, killed_after, start

NOTES = 40
KILLS = 3
Json = dict[str, Any]

command = partial(start, page_size=5)


@pytest.fixture
def server() -> Iterator[str]:
    with running_embedded() as base_url:
        put(base_url, generated_notes(NOTES))
        yield base_url


def put(base_url: str, resources: Any) -> None:
    entries = [
        {"resource": r, "request": {"method": "PUT", "url": f"{r['resourceType']}/{r['id']}"}}
        for r in resources
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    httpx.post(base_url, json=bundle, timeout=600, trust_env=False).raise_for_status()


def compositions(base_url: str) -> list[Json]:
    bundle = httpx.get(f"{base_url}/Composition?_count=1000", timeout=600, trust_env=False).json()
    return [entry["resource"] for entry in bundle.get("entry", [])]


def finished(process: Process) -> list[Json]:
    answer = process.communicate()
    assert process.returncode == 0
    return [json.loads(line) for line in answer.splitlines()]


def test_kill_9_leaves_one_summary_after_each_persons(server: str, tmp_path: Path) -> None:
    database, chance = tmp_path / "ledger.sqlite", random.Random(11)
    finished(command(server, database, "poll"))
    first = compositions(server)
    put(server, [{**c, "status": "final", "attester": [{"mode": "professional"}]} for c in first])
    notes = list(generated_notes(NOTES))
    put(server, [{**note, "docStatus": "amended"} for note in notes])

    for _ in range(KILLS):
        killed_after(command(server, database, "poll"), chance.randint(0, 12), chance.random() / 20)
    finished(command(server, database, "poll"))

    versions = Counter((c["status"], c["meta"]["versionId"]) for c in compositions(server))
    assert versions == {("final", "2"): NOTES, ("preliminary", "1"): NOTES}
    sources = Counter(c["section"][0]["entry"][0]["reference"] for c in compositions(server))
    assert sources == {f"DocumentReference/{note['id']}": 2 for note in notes}


def test_a_recall_that_was_killed_goes_on_and_marks_each_once(server: str, tmp_path: Path) -> None:
    database, chance = tmp_path / "ledger.sqlite", random.Random(12)
    finished(command(server, database, "poll"))
    recall = ("withdraw", "--pipeline", stamp_of(compositions(server)[0]).pipeline, "--yes")

    for _ in range(KILLS):
        killed_after(command(server, database, *recall), chance.randint(0, 12), chance.random() / 20)
    lines = finished(command(server, database, *recall))

    assert lines[-1]["summary"]["seen"] == NOTES
    versions = Counter((c["status"], c["meta"]["versionId"]) for c in compositions(server))
    assert versions == {("entered-in-error", "2"): NOTES}
