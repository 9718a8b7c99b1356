"""Notes that would take all there is of time and memory, beside ordinary ones, which are summarised.

`pytest tests/faults/test_costly_notes.py --costly=all` runs every note with the model that ships; else a few
of each kind run with the first sentences as their summary.
"""

import base64
import json
import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from fhir_adapter.reasons import Reason
from fhir_adapter.sandbox.running import running_embedded
from jobs.bench.passes import generated_notes
from tests.faults.costly import Note, costly
from tests.faults.processes import environment

GOOD = 10
MEMORY = 3 << 30  # bytes of each process: of address space without the model, resident with it
EXPECTED = {
    Reason.TOO_MANY_SENTENCES,
    Reason.TOO_MANY_TOKENS,
    Reason.TOO_LARGE,
    Reason.TIMEOUT,
}


@pytest.fixture
def every(pytestconfig: pytest.Config) -> bool:
    return bool(pytestconfig.getoption("--costly", default=None) == "all")


@pytest.fixture
def notes(every: bool) -> list[Note]:
    found = costly()
    return found if every else found[::4]


@pytest.fixture
def server(notes: list[Note]) -> Iterator[str]:
    with running_embedded() as base_url:
        for resource_ in [*map(reference_of, notes), *generated_notes(GOOD)]:
            url = f"{base_url}/DocumentReference/{resource_['id']}"
            httpx.put(url, json=resource_, timeout=60, trust_env=False).raise_for_status()
        yield base_url


def reference_of(note: Note) -> dict[str, Any]:
    name, data, media_type = note
    attachment = {"contentType": media_type or "text/xml", "data": base64.b64encode(data).decode()}
    return {
        "resourceType": "DocumentReference",
        "id": name,
        "status": "current",
        "content": [{"attachment": attachment}],
    }


def confined() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def poll(base_url: str, database: Path, engine: str) -> tuple[list[dict[str, Any]], int]:
    """The lines that a pass tells, and its exit code."""
    settings = {**environment(base_url, database, page_size=50), "CLINSUM_ENGINE": engine}
    code = "from jobs.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "poll", "--json"],
        env=settings,
        stdout=subprocess.PIPE,
        preexec_fn=confined if engine == "lead" else None,  # torch for CUDA takes more of addresses alone
        timeout=900,
        check=False,
    )
    return [json.loads(line) for line in done.stdout.splitlines()], done.returncode


def check(lines: Sequence[dict[str, Any]], notes: Sequence[Note]) -> None:
    """Every good note was written, and every other too or has its reason."""
    ended = {line["source"].partition("/")[2]: line for line in lines if "source" in line}
    good = {f"bench-{n}" for n in range(GOOD)}
    written = {name for name, line in ended.items() if line["status"] == "written"}
    assert good <= written
    assert set(ended) == good | {name for name, _, _ in notes}
    reasons = {name: line["reason"] for name, line in ended.items() if name not in written}
    assert set(reasons.values()) <= {reason.value for reason in EXPECTED}, reasons
    assert len(reasons) > len(notes) * 0.9


def test_a_pass_summarises_what_it_can_and_says_why_it_could_not_the_rest(
    server: str, notes: list[Note], every: bool, tmp_path: Path
) -> None:
    lines, code = poll(server, tmp_path / "ledger.sqlite", "bertsum" if every else "lead")
    check(lines, notes)
    assert code == 1
    if every:
        assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 < MEMORY
