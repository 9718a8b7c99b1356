"""Copies of one text, while a pass is killed at each of its requests: none lost, none twice."""

from collections.abc import Callable

import httpx
import pytest

from fhir_adapter.rest.tls import tls_context
from tests.contract.contract_fhir import Fhir
from tests.contract.copied import OTHER, WORDS, Json, report, whole
from tests.contract.lives import beginning_now, revised
from tests.contract.passes import Site, reference
from tests.unit.jobs.passes.faulty import Fault, Faulty

pytestmark = pytest.mark.slow

Use = Callable[[Fault], list[Faulty]]


class KilledError(BaseException):
    """The process is gone: nothing handles it."""


@pytest.fixture
def site(site: Site) -> Site:
    """Its walks leave out the rounds before: each kills a pass at one request more."""
    return beginning_now(site)


@pytest.fixture
def whose(fhir: Fhir) -> Json:
    return {"subject": {"reference": reference(fhir.put({"resourceType": "Patient", "id": "p"}))}}


@pytest.fixture
def fhir(site: Site) -> Fhir:
    return site.fhir


def killed_at(number: int, *, done: bool) -> Fault:
    """Ends the process at a request of that number that has to do with summaries, from 1."""
    count = 0

    def fault(request: httpx.Request) -> httpx.Response | None:
        nonlocal count
        kind = request.url.path.rpartition("/fhir")[2].strip("/").partition("/")[0]
        writes = request.method != "GET"
        if kind in ("Composition", "Provenance", "") and writes >= done:
            count += 1
            if count == number:
                if done:
                    with httpx.Client(trust_env=False, timeout=600, verify=tls_context()) as client:
                        client.send(
                            client.build_request(
                                request.method, request.url, content=request.content, headers=request.headers
                            )
                        )
                raise KilledError
        return None

    return fault


def survived(site: Site, faulty: Use, prepare: Callable[[], object], number: int, *, done: bool) -> bool:
    """Kills a pass at a request; whether it was at work for long enough to be killed."""
    prepare()
    faulty(killed_at(number, done=done))
    try:
        site.poll()
    except KilledError:
        faulty(lambda _: None)
        site.poll()
        return True
    return False


@pytest.mark.parametrize("done", [False, True])
def test_killed_while_copies_are_first_summarised(site: Site, faulty: Use, whose: Json, done: bool) -> None:
    notes: list[Json] = []

    number = 0

    def prepare() -> None:
        words = f"{WORDS}Round {number}.\n"
        made = [site.document(words, **whose) for _ in range(2)]
        notes[:] = [*made, report(site, words, **whose)]

    while survived(site, faulty, prepare, number := number + 1, done=done):
        whole(site, *notes)
    assert number > 3


@pytest.mark.parametrize("done", [False, True])
def test_killed_while_the_first_of_copies_changes(site: Site, faulty: Use, whose: Json, done: bool) -> None:
    rest: list[Json] = []
    count = 0

    def prepare() -> None:
        nonlocal count
        count += 1
        faulty(lambda _: None)
        notes = [site.document(f"{WORDS}Round {count}.\n", **whose) for _ in range(3)]
        site.poll()
        owner = whole(site, *notes)
        (first,) = [note for note in notes if reference(note) == owner]
        rest[:] = [note for note in notes if reference(note) != owner]
        revised(site, first, f"{OTHER}Round {count}.\n")

    number = 0
    while survived(site, faulty, prepare, number := number + 1, done=done):
        whole(site, *rest)
    assert number > 3
