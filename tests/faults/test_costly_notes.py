"""Notes that would take all there is of time and memory, beside ordinary ones, which are summarised.

A pass, the schedule and the service are asked the same of.

`pytest tests/faults/test_costly_notes.py --costly=all` runs every note with the model that ships; else a few
of each kind run with the first sentences as their summary.
"""

import asyncio
import base64
import json
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from fhir_adapter.reasons import Reason
from fhir_adapter.sandbox.running import running_embedded
from jobs.bench.passes import generated_notes
from tests.browser.serving import serving
from tests.faults.costly import Note, costly
from tests.faults.processes import environment

Way = Callable[[str, Path, str], tuple[list[dict[str, Any]], int]]

COMMAND = [sys.executable, "-c", "from jobs.cli import main; main()"]
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
            httpx.put(url, json=resource_, timeout=600, trust_env=False).raise_for_status()
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


def limits(engine: str) -> Callable[[], None] | None:
    """What a process may take of addresses; runtimes of models take more of those than of memory."""
    return confined if engine == "lead" else None


def poll(base_url: str, database: Path, engine: str) -> tuple[list[dict[str, Any]], int]:
    """The lines that a pass tells, and its exit code."""
    settings = {**environment(base_url, database, page_size=50), "CLINSUM_ENGINE": engine}
    done = subprocess.run(
        [*COMMAND, "poll", "--json"],
        env=settings,
        stdout=subprocess.PIPE,
        preexec_fn=limits(engine),
        timeout=900,
        check=False,
    )
    return [json.loads(line) for line in done.stdout.splitlines()], done.returncode


def run(base_url: str, database: Path, engine: str) -> tuple[list[dict[str, Any]], int]:
    """What the ledger says after the schedule's first pass, and the schedule's exit code."""
    settings = {
        **environment(base_url, database, page_size=50),
        "CLINSUM_ENGINE": engine,
        "CLINSUM_LOG_FORMAT": "json",
    }
    process = subprocess.Popen(
        [*COMMAND, "run", "--every", "1h"], env=settings, stderr=subprocess.PIPE, preexec_fn=limits(engine)
    )
    assert process.stderr
    for line in process.stderr:
        if json.loads(line)["event"] == "pass":
            break
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=600)
    told = subprocess.run([*COMMAND, "notes", "--json"], env=settings, stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in told.stdout.splitlines()], process.returncode


async def serve(address: str, notes: Sequence[Note]) -> list[dict[str, Any]]:
    """What the service answers to all of them and to the good ones, asked at once."""
    good = [
        (note["id"], base64.b64decode(attachment["data"]), attachment["contentType"])
        for note in generated_notes(GOOD)
        for attachment in [note["content"][0]["attachment"]]
    ]
    async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=900) as client:

        async def ask(note: Note) -> dict[str, Any]:
            name, data, media_type = note
            headers = {"Content-Type": media_type or "text/xml"}
            answer = await client.post("/v1/summaries", content=data, headers=headers)
            status = "written" if answer.status_code == 200 else "failed"
            return {"source": f"body/{name}", "status": status, "reason": answer.json().get("code")}

        return await asyncio.gather(*map(ask, [*notes, *good]))


def check(ended: Mapping[str, dict[str, Any]], notes: Sequence[Note]) -> None:
    """Every good note was written, and every other too or has its reason."""
    good = {f"bench-{n}" for n in range(GOOD)}
    written = {name for name, line in ended.items() if line["status"] == "written"}
    assert good <= written
    assert set(ended) == good | {name for name, _, _ in notes}
    reasons = {name: line["reason"] for name, line in ended.items() if name not in written}
    assert set(reasons.values()) <= {reason.value for reason in EXPECTED}, reasons
    assert len(reasons) > len(notes) * 0.9


def by_name(lines: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {line["source"].partition("/")[2]: line for line in lines if "source" in line}


@pytest.mark.parametrize(("way", "code"), [(poll, 1), (run, 0)])
def test_a_pass_summarises_what_it_can_and_says_why_it_could_not_the_rest(
    server: str, notes: list[Note], every: bool, tmp_path: Path, way: Way, code: int
) -> None:
    lines, ended = way(server, tmp_path / "ledger.sqlite", "bertsum" if every else "lead")
    check(by_name(lines), notes)
    assert ended == code
    if every:
        assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 < MEMORY


async def test_the_service_answers_what_it_can_and_says_why_it_could_not_the_rest(
    notes: list[Note], every: bool, tmp_path: Path
) -> None:
    with serving(tmp_path / "serve", engine="bertsum" if every else "lead") as web:
        check(by_name(await serve(web.address, notes)), notes)
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 < MEMORY
