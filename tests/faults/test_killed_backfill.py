"""A backfill that is killed or stopped at any moment goes on where it was: nothing lost, nothing twice."""

import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest

from fhir_adapter.sandbox.running import running_embedded
from jobs.bench.passes import generated_notes
from tests.faults.processes import environment, killed_after
from tests.faults.processes import start as start_command
from tests.faults.test_killed_pass import resources
from tests.places import ROOT

NOTES = 120
KILLS = 2
SOURCES = {f"DocumentReference/bench-{number}" for number in range(NOTES)}

start = partial(start_command, page_size=10)


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


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The notes in several files, one of them in two."""
    notes = [json.dumps(note) for note in generated_notes(NOTES)]
    for number in range(4):
        part = notes[number * 30 : (number + 1) * 30] + notes[:5]
        (tmp_path / f"{number}.ndjson").write_text("\n".join(part))
    return tmp_path


def test_kill_9_and_sigterm_at_any_moment(server: str, folder: Path) -> None:
    database = folder / "ledger.sqlite"
    arguments = ("backfill", "--local", "--from", str(folder))
    chance = random.Random(11)
    for _ in range(KILLS):
        process = start(server, database, *arguments)
        killed_after(process, chance.randint(0, 20), chance.random() / 20)
    process = start(server, database, *arguments)
    process.output.readline()
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert process.returncode == 0

    last = start(server, database, *arguments)
    answer = last.communicate()

    assert last.returncode == 0
    ended = Counter(json.loads(line)["status"] for line in answer.splitlines()[:-1])
    assert ended.keys() <= {"written", "unchanged"}
    each_once(server)


def test_kill_9_of_a_backfill_on_ray(server: str, folder: Path) -> None:
    """The same command goes on with other processes, those that are left of the first one beside them."""
    if find_spec("ray") is None:  # not imported here: it puts packages of its own on the path
        pytest.skip("Ray is not installed")
    database = folder / "ledger.sqlite"
    arguments = ("backfill", "--workers", "1", "--from", str(folder))
    first = alone(server, database, *arguments)
    assert first.stdout
    told = sum(1 for _, _ in zip(range(10), first.stdout, strict=False))
    first.kill()
    told += len(first.communicate()[0].splitlines())
    assert 0 < told < NOTES

    last = alone(server, database, *arguments)
    answer, _ = last.communicate(timeout=600)

    assert last.returncode == 0
    assert json.loads(answer.splitlines()[-1])["summary"]["failed"] == 0
    each_once(server)


def alone(base_url: str, database: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """A command that Ray can start its processes from: not forked, with short leases."""
    code = "from tests.faults import pollers; pollers.shorten_leases(); pollers.main()"
    # Each process of Ray imports jsonschema, which builds a parser with this where it is, for two seconds.
    absent = database.parent / "absent"
    absent.mkdir(exist_ok=True)
    (absent / "rfc3987_syntax.py").write_text("raise ImportError")
    settings = environment(base_url, database, page_size=10)
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments, "--json"],
        env=settings | {"PYTHONPATH": f"{absent}{os.pathsep}{ROOT}"},
        stdout=subprocess.PIPE,
    )


def each_once(server: str) -> None:
    compositions = resources(server, "Composition?_count=200")
    assert Counter(c["section"][0]["entry"][0]["reference"] for c in compositions) == dict.fromkeys(
        SOURCES, 1
    )
    assert {c["meta"]["versionId"] for c in compositions} == {"1"}
    assert len(resources(server, "Provenance?_count=200")) == NOTES
