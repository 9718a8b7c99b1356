"""Copies of one text, while a pass is killed at each of its requests: none lost, none twice."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from itertools import count
from pathlib import Path

import httpx
import pytest

from fhir_adapter.rest.tls import tls_context
from tests.contract.copied import OTHER, WORDS, Json, report, whole
from tests.contract.lives import revised
from tests.contract.passes import Site, new_site, reference
from tests.unit.jobs.passes.faulty import Fault, Faulty

pytestmark = pytest.mark.slow

Use = Callable[[Fault], list[Faulty]]


class KilledError(BaseException):
    """The process is gone: nothing handles it."""


def killed_at(number: int, ledger: sqlite3.Connection, *, done: bool) -> Fault:
    """Ends the process at a request of that number that has to do with summaries, from 1.

    Either when it is answered and wrote something, or before it is sent. Before it is sent it counts where
    server or ledger changed since the request before it: else the one before has left the same behind.
    """
    seen = writes = 0
    before: object = None

    def fault(request: httpx.Request) -> httpx.Response | None:
        nonlocal seen, writes, before
        kind = request.url.path.rpartition("/fhir")[2].strip("/").partition("/")[0]
        if kind not in ("Composition", "Provenance", ""):
            return None
        wrote = request.method != "GET"
        (version,) = ledger.execute("PRAGMA data_version").fetchone()
        now = (writes, version)
        if wrote if done else now != before:
            seen += 1
            if seen == number:
                if done:
                    with httpx.Client(trust_env=False, timeout=600, verify=tls_context()) as client:
                        client.send(
                            client.build_request(
                                request.method, request.url, content=request.content, headers=request.headers
                            )
                        )
                raise KilledError
        before = now
        writes += wrote
        return None

    return fault


def killed(folder: Path, faulty: Use, prepare: Callable[[Site], list[Json]], *, done: bool) -> int:
    """Kills a pass at its first request, another at its second, and so on: how many there were.

    Each is over a server and a ledger of its own, and after each the copies that `prepare` names are whole.
    """
    for number in count(1):
        with new_site(folder / str(number)) as site:
            faulty(lambda _: None)
            copies = prepare(site)
            with closing(sqlite3.connect(site.database)) as ledger:
                faulty(killed_at(number, ledger, done=done))
                try:
                    site.poll()
                except KilledError:
                    faulty(lambda _: None)
                    site.poll()
                    whole(site, *copies)
                else:
                    return number - 1
    raise AssertionError


def patient_of(site: Site) -> Json:
    return {"subject": {"reference": reference(site.fhir.put({"resourceType": "Patient", "id": "p"}))}}


@pytest.mark.parametrize("done", [False, True])
def test_killed_while_copies_are_first_summarised(faulty: Use, tmp_path: Path, done: bool) -> None:
    def prepare(site: Site) -> list[Json]:
        whose = patient_of(site)
        return [site.document(WORDS, **whose), site.document(WORDS, **whose), report(site, WORDS, **whose)]

    assert killed(tmp_path, faulty, prepare, done=done) >= 3


@pytest.mark.parametrize("done", [False, True])
def test_killed_while_the_first_of_copies_changes(faulty: Use, tmp_path: Path, done: bool) -> None:
    def prepare(site: Site) -> list[Json]:
        whose = patient_of(site)
        notes = [site.document(WORDS, **whose) for _ in range(3)]
        site.poll()
        owner = whole(site, *notes)
        (first,) = [note for note in notes if reference(note) == owner]
        revised(site, first, OTHER)
        return [note for note in notes if reference(note) != owner]

    assert killed(tmp_path, faulty, prepare, done=done) >= 3
