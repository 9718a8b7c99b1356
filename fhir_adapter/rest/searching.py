"""Searches that go another way where a server does not take the first."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import TypeVar

from fhir_adapter.errors import EndlessLinksError, HttpStatusError, UnsearchableError
from fhir_adapter.lenient import reference_of
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.search_page import SearchPage

Params = Sequence[tuple[str, str]]
W = TypeVar("W")
P = TypeVar("P")
_NAMED = ("_id", "patient", "subject")


async def searched(client: FhirClient, kind: str, params: Params) -> AsyncIterator[SearchPage]:
    """As `FhirClient.search`, but that links without end end it where nothing says that there is more.

    A server may lead from a page to the same one, or to an empty one, again and again under ever new links.
    Where as much came as it says there is, or less than a page holds, that is all.
    """
    count = dict(params).get("_count", "")
    held, fullest, total = set[str](), 0, None
    try:
        async for page in client.search(kind, params):
            before = len(held)
            held.update(map(reference_of, page.resources), page.unusable)
            fullest, total = max(fullest, len(page.resources)), total if page.total is None else page.total
            yield page
            if total is not None and total <= len(held) == before:
                return
    except EndlessLinksError:
        if len(held) < total if total is not None else not count.isdecimal() or fullest >= int(count):
            raise


async def first_taken(
    ways: Iterable[W], pages: Callable[[W], AsyncIterator[P]]
) -> AsyncIterator[tuple[W, P]]:
    """The pages of the first of several ways that the server does not refuse, each with its way.

    Raises:
        HttpStatusError: it refuses all of them: the refusal of the first. Else as `pages`.
    """
    refusal: HttpStatusError | None = None
    for way in ways:
        begun = False
        try:
            async for page in pages(way):
                begun = True
                yield way, page
        except HttpStatusError as error:
            if begun or not error.asks_otherwise:
                raise
            refusal = refusal or error
        else:
            return
    if refusal:
        raise refusal


async def search_by(
    client: FhirClient, kind: str, ways: Sequence[Params], *, walk: bool = False
) -> AsyncIterator[SearchPage]:
    """The pages of the first of several searches that the server takes.

    Args:
        client: the server.
        kind: what is searched for.
        ways: each finds all that is wanted, a later one perhaps more; the caller looks at what comes.
        walk: where it takes none of them, ask for all known patients, one by one; a resource may come twice.

    Raises:
        HttpStatusError: it takes none of them: the refusal of the first. Else as `FhirClient.search`.
    """
    walk = walk and kind in client.of_patients
    patientwise = walk and kind in client.lacking.by_patient and client.patients is not None
    if patientwise and not any(name in _NAMED for way in ways for name, _ in way):
        async for page in _walked(client, kind, ways, None):
            yield page
        return
    begun = False
    try:
        async for page in _taken(client, kind, ways):
            begun = True
            yield page
        return
    except HttpStatusError as error:
        if begun or not walk or not error.asks_otherwise or client.patients is None:
            raise
        refusal = error
    async for page in _walked(client, kind, ways, refusal):
        yield page


async def _taken(client: FhirClient, kind: str, ways: Sequence[Params]) -> AsyncIterator[SearchPage]:
    """The pages of the first search that is taken; what was refused before it is not asked for again."""
    known = [way for way in ways if not any(client.lacking.has(kind, name) for name, _ in way)] or ways
    async for way, page in first_taken(known, lambda params: searched(client, kind, params)):
        if way is not known[0]:
            for name in dict(known[0]).keys() - dict(way).keys():
                client.lacking.add(kind, name)
        yield page


def ways_of(patient: str, ways: Sequence[Params]) -> list[Params]:
    """The same searches for one patient; servers were seen to take one of these two parameters alone."""
    return [[(name, patient), *way] for name in ("patient", "subject") for way in ways]


async def _walked(
    client: FhirClient, kind: str, ways: Sequence[Params], refusal: HttpStatusError | None
) -> AsyncIterator[SearchPage]:
    """The same searches for each patient who is known.

    Raises:
        HttpStatusError: none is known, or the server refuses the search for one of them: that is said once
            all others were asked for, since less than all must not look like all.
    """
    patients = await client.patients.everyone() if client.patients else ()
    faults: list[HttpStatusError] = []
    for patient in patients:
        try:
            async for page in _taken(client, kind, ways_of(patient, ways)):
                client.lacking.by_patient.add(kind)
                yield page
        except HttpStatusError as error:
            if not error.asks_otherwise:
                raise
            faults.append(error)
    if refusal and len(faults) == len(patients):
        raise refusal  # it is not the patient that it wants, or there is nobody to ask for
    if faults or not patients:
        raise faults[0] if faults else UnsearchableError(400, f"search of {kind} without a patient")
