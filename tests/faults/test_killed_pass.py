"""A pass that is killed at any moment loses no note and writes none twice."""

import json
import random
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from fhir_adapter.sandbox.running import running_embedded
from jobs.bench.passes import generated_notes
from tests.faults.processes import killed_after, start

NOTES = 150
KILLS = 6


@pytest.fixture
def server() -> Iterator[str]:
    with running_embedded() as base_url:
        entries = [
            {"resource": note, "request": {"method": "PUT", "url": f"DocumentReference/{note['id']}"}}
            for note in generated_notes(NOTES)
        ]
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        httpx.post(base_url, json=bundle, timeout=600, trust_env=False).raise_for_status()
        yield base_url


def resources(base_url: str, query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    url: str | None = f"{base_url}/{query}"
    while url:
        bundle = httpx.get(url, timeout=600, trust_env=False).json()
        found += [entry["resource"] for entry in bundle.get("entry", [])]
        url = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), None)
    return found


def test_kill_9_at_any_moment_loses_nothing_and_doubles_nothing(server: str, tmp_path: Path) -> None:
    database = tmp_path / "ledger.sqlite"
    chance = random.Random(7)
    for _ in range(KILLS):
        killed_after(
            start(server, database, "poll", page_size=10), chance.randint(0, 25), chance.random() / 20
        )

    last = start(server, database, "poll", page_size=10)
    answer = last.communicate()

    assert last.returncode == 0
    lines = [json.loads(line) for line in answer.splitlines()]
    assert Counter(line["status"] for line in lines[:-1]).keys() <= {"written", "unchanged"}
    assert {line["source"] for line in lines[:-1]} == {f"DocumentReference/bench-{n}" for n in range(NOTES)}
    compositions = resources(server, "Composition?_count=100")
    sources = Counter(c["section"][0]["entry"][0]["reference"] for c in compositions)
    assert sources == Counter({f"DocumentReference/bench-{n}": 1 for n in range(NOTES)})
    assert {c["meta"]["versionId"] for c in compositions} == {"1"}
    assert len(resources(server, "Provenance?_count=100")) == NOTES


def test_sigterm_ends_a_pass_after_the_notes_in_hand_and_the_next_goes_on(
    server: str, tmp_path: Path
) -> None:
    database = tmp_path / "ledger.sqlite"
    process = start(server, database, "poll", page_size=10)
    first = process.output.readline()
    process.send_signal(signal.SIGTERM)
    rest = process.communicate()

    lines = [json.loads(line) for line in [first, *rest.splitlines()]]
    assert process.returncode == 0
    assert 0 < lines[-1]["summary"]["written"] < NOTES
    assert len(resources(server, "Composition?_count=100")) == lines[-1]["summary"]["written"]

    answer = start(server, database, "poll", page_size=10).communicate()
    assert json.loads(answer.splitlines()[-1])["summary"]["seen"] == NOTES
    assert len(resources(server, "Composition?_count=100")) == NOTES
