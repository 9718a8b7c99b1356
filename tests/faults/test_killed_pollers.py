"""Two pollers on one PostgreSQL ledger, over a server that fails now and then, killed at random moments.

Who counts in the end is neither of them: every Composition and Provenance is read from the server itself, in
all its versions. `--kills N` (or CLINSUM_KILLS) says how often one is killed: 2 unless told, 100 for a whole
torture (`--log-cli-level=info` shows how far it is).
"""

import logging
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from fhir_adapter.sandbox.running import running_embedded
from jobs.bench.passes import generated_notes
from tests.faults.processes import Process, environment

pytestmark = pytest.mark.postgres
log = logging.getLogger(__name__)

ROUND = 12  # notes that are added before each kill
POLLERS = 2


@contextmanager
def failing_now_and_then(target: str, chance: random.Random) -> Iterator[str]:
    """A gateway before a server: some requests are refused with 503, and of some the answer is lost."""
    lock = threading.Lock()
    sent_on = httpx.Client(timeout=600, trust_env=False, verify=False)  # loads no authorities

    class Gateway(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with lock:
                luck = chance.random()
            if luck < 0.03 and not self.path.endswith("/metadata"):
                self.answer(503, {}, b"")
                return
            names = ("accept", "content-type", "if-match", "if-none-exist", "prefer", "cache-control")
            sent = {name: value for name, value in self.headers.items() if name.lower() in names}
            origin = target.rsplit("/fhir", 1)[0]
            answer = sent_on.request(self.command, f"{origin}{self.path}", content=body, headers=sent)
            if luck > 0.98 and self.command in ("POST", "PUT"):
                self.close_connection = True  # done, and nobody learns of it
                self.connection.close()
                return
            own = f"http://127.0.0.1:{self.server.server_address[1]}"
            data = answer.content.replace(origin.encode(), own.encode())
            kept = ("content-type", "etag", "location", "last-modified", "date")
            self.answer(answer.status_code, {n: v for n, v in answer.headers.items() if n in kept}, data)

        def answer(self, status: int, headers: dict[str, str], data: bytes) -> None:
            self.send_response_only(status)
            for name, value in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_DELETE = handle_any

    with sent_on, ThreadingHTTPServer(("127.0.0.1", 0), Gateway) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/fhir"
        server.shutdown()


@pytest.fixture
def kills(pytestconfig: pytest.Config) -> int:
    asked = pytestconfig.getoption("--kills", default=None)
    return int(asked or os.environ.get("CLINSUM_KILLS", "2"))


@pytest.fixture
def postgres() -> Iterator[str]:
    url = os.environ.get("CLINSUM_TEST_POSTGRES_URL")
    if not url:
        if os.environ.get("CLINSUM_REQUIRE_ALL") == "1":
            pytest.fail("CLINSUM_TEST_POSTGRES_URL is not set")
        pytest.skip("CLINSUM_TEST_POSTGRES_URL is not set")
    schema, engine = f"torture_{os.getpid()}", sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text(f"CREATE SCHEMA {schema}"))
    parsed = sa.make_url(url).update_query_dict({"options": f"-csearch_path={schema}"})
    yield parsed.render_as_string(hide_password=False)
    with engine.begin() as connection:
        connection.execute(sa.text(f"DROP SCHEMA {schema} CASCADE"))
    engine.dispose()


def started(base_url: str, database_url: str) -> Process:
    """`clinsum run` with a pass a second, and leases that run out soon."""
    settings = environment(base_url, Path(), page_size=5)
    settings |= {"CLINSUM_DATABASE_URL": database_url, "CLINSUM_LOG_LEVEL": "error"}
    return Process(("run", "--every", "1s"), settings, streams=())


def put(base_url: str, notes: list[dict[str, Any]]) -> None:
    entries = [
        {"resource": note, "request": {"method": "PUT", "url": f"DocumentReference/{note['id']}"}}
        for note in notes
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    httpx.post(base_url, json=bundle, timeout=600, trust_env=False).raise_for_status()


def counted(base_url: str, resource_type: str) -> list[dict[str, Any]]:
    """All versions of a type's resources, from the server's history."""
    found: list[dict[str, Any]] = []
    url: str | None = f"{base_url}/{resource_type}/_history?_count=500"
    while url:
        bundle = httpx.get(url, timeout=600, trust_env=False).json()
        found += [entry["resource"] for entry in bundle.get("entry", []) if "resource" in entry]
        url = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), None)
    return found


def all_written(base_url: str, wanted: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        url = f"{base_url}/Composition?_summary=count"
        if httpx.get(url, timeout=600, trust_env=False).json()["total"] >= wanted:
            return
        time.sleep(0.5)


def test_killed_pollers_lose_nothing_and_do_nothing_twice(kills: int, postgres: str) -> None:
    chance = random.Random(kills)
    notes = list(generated_notes(ROUND * (kills + 1)))
    with running_embedded() as direct, failing_now_and_then(direct, chance) as base_url:
        running = [started(base_url, postgres) for _ in range(POLLERS)]
        try:
            for kill in range(kills):
                put(direct, notes[kill * ROUND : (kill + 1) * ROUND])
                # At work, however long a process takes to start here: a part of the round is written.
                all_written(direct, kill * ROUND + chance.randint(1, ROUND), 240)
                time.sleep(chance.uniform(0.0, 1.0))
                victim = chance.randrange(POLLERS)
                running[victim].send_signal(signal.SIGKILL)
                running[victim].communicate()
                assert running[victim].returncode == -signal.SIGKILL, "ended before it was killed"
                running[victim] = started(base_url, postgres)
                log.info("killed %d times", kill + 1)
            put(direct, notes[kills * ROUND :])
            all_written(direct, len(notes), 240)
        finally:
            for one in running:
                one.send_signal(signal.SIGTERM)
            for one in running:
                one.communicate()
        compositions, provenances = counted(direct, "Composition"), counted(direct, "Provenance")

    wanted = {f"DocumentReference/{note['id']}" for note in notes}
    by_source = Counter(c["section"][0]["entry"][0]["reference"] for c in compositions)
    assert wanted - by_source.keys() == set(), "lost"
    assert {source: times for source, times in by_source.items() if times > 1} == {}, "written twice"
    assert {c["meta"]["versionId"] for c in compositions} == {"1"}
    assert Counter(p["id"] for p in provenances).total() == len(notes)
