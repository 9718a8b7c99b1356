"""Proofs that are kept: a second reading spares them, and shows what has changed as the first one would."""

import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from copy import deepcopy
from typing import Any

import pytest

from fhir_adapter.audit.verdict import Examined, Subject
from fhir_adapter.auditing import Auditor
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.transport import RawResponse
from fhir_adapter.timeline import proofs
from fhir_adapter.timeline.proofs import Proofs
from fhir_adapter.timeline.reader import TimelineReader, taken
from fhir_adapter.timeline.timeline import Timeline
from jobs.audits.parts import auditing
from jobs.runtime import open_ledger
from jobs.schedule import one_pass
from tests.unit.jobs.web.summarised import COPIED, NOTES, Resource, Summarised, note

Change = Callable[[Summarised, Resource], None]
PATIENT = "Patient/one"


class Counting:
    """An auditor that counts what it proves."""

    def __init__(self, auditor: Auditor) -> None:
        self._auditor, self.proofs = auditor, 0
        self.subjects = auditor.subjects

    async def proven(self, subject: Subject) -> Examined:
        self.proofs += 1
        return await self._auditor.proven(subject)


class Readers:
    """A reader that keeps its proofs, and one that proves all anew."""

    def __init__(self, there: Summarised, client: Any, auditor: Auditor, most: int) -> None:
        self.auditor = Counting(auditor)
        pipeline = there.settings.pipeline
        self._keeping = TimelineReader(client, self.auditor, pipeline, proofs=Proofs(most))
        self._anew = lambda: TimelineReader(client, auditor, pipeline)

    async def kept(self, patient: str = PATIENT) -> Timeline:
        self.auditor.proofs = 0
        return await self._keeping.read(patient)

    async def anew(self) -> Timeline:
        return await self._anew().read(PATIENT)


@asynccontextmanager
async def reading(there: Summarised, most: int = 100) -> AsyncIterator[Readers]:
    async with auditing(there.settings) as (client, auditor):
        yield Readers(there, client, auditor, most)


def shown(found: Timeline) -> list[str]:
    return [place.text for entry in found.entries for place in entry.note.sentences]


async def test_what_has_not_changed_is_not_proven_again(there: Summarised) -> None:
    async with reading(there) as readers:
        first = await readers.kept()
        assert readers.auditor.proofs == len(NOTES)
        second = await readers.kept()
        assert readers.auditor.proofs == 0
    assert COPIED in shown(first)
    assert first == second


def _other_words(there: Summarised, resource: Resource) -> None:
    text = "\n".join(("Nothing of this was said before.", "No oxygen."))
    resource["content"][0]["attachment"]["data"] = base64.b64encode(text.encode()).decode()
    there.put(resource)


def _in_error(there: Summarised, resource: Resource) -> None:
    there.put({**resource, "status": "entered-in-error"})


def _somebody_elses(there: Summarised, resource: Resource) -> None:
    there.put({**resource, "subject": {"reference": "Patient/two"}})


def _other_sentence(there: Summarised, resource: Resource) -> None:
    div = resource["section"][0]["text"]["div"]
    resource["section"][0]["text"]["div"] = div.replace("oxygen", "helium")
    assert resource["section"][0]["text"]["div"] != div
    there.put(resource)


def _no_ai(there: Summarised, resource: Resource) -> None:
    there.put({**resource, "type": {"text": "a thermometer"}})


async def test_a_provenance_that_is_gone_is_missed_at_once(there: Summarised) -> None:
    target = f"Composition/{there.compositions['first']}"
    (entry,) = there.get(f"Provenance?target={target}")["entry"]
    provenance = entry["resource"]
    async with reading(there) as readers:
        before = await readers.kept()
        there.delete(f"Provenance/{provenance['id']}")
        try:
            kept, anew = await readers.kept(), await readers.anew()
        finally:
            there.put(provenance)
    assert before.remarks == ()
    assert kept == anew
    assert [remark.composition for remark in kept.remarks] == [target]


async def test_another_content_under_the_same_version_is_proven_anew(there: Summarised) -> None:
    """A server that was altered below its versions: of the version alone nothing would be seen."""
    composition = there.get(f"Composition/{there.compositions['first']}")
    source = there.get("DocumentReference/first")
    altered = deepcopy(source)
    text = base64.b64encode(b"Something else.").decode()
    altered["content"][0]["attachment"]["data"] = text
    async with auditing(there.settings) as (client, auditor):
        kept = Proofs()

        async def subject(known: Resource) -> Subject:
            (found,) = await auditor.subjects([composition], {"DocumentReference/first": known})
            return found

        first = await subject(source)
        examined = await auditor.proven(first)
        await kept.keep(first, examined, taken(composition, examined))
        assert await kept.found(client, [await subject(deepcopy(source))]) != [None]
        assert await kept.found(client, [await subject(altered)]) == [None]
        assert not (await auditor.proven(await subject(altered))).audit.ok


ELSEWHERE = "Walks with a stick."


def _behind(there: Summarised, words: str) -> None:
    data = base64.b64encode(words.encode()).decode()
    there.put({"resourceType": "Binary", "id": "beyond", "contentType": "text/plain", "data": data})


@asynccontextmanager
async def addressed(there: Summarised, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Readers, Any]]:
    """A reader of a patient with one note whose text lies behind an address; and what was fetched there."""
    _behind(there, ELSEWHERE)
    beyond = note("beyond", "2025-05-06", (), "two")
    beyond["content"] = [{"attachment": {"contentType": "text/plain", "url": "Binary/beyond"}}]
    there.put(beyond)
    with open_ledger(there.settings) as ledger:
        await one_pass(there.settings, ledger, None, lambda _: None)
    fetched: list[RawResponse] = []
    fetch = FhirClient.fetch

    async def fetching(self: FhirClient, url: str, **how: Any) -> RawResponse:
        fetched.append(await fetch(self, url, **how))
        return fetched[-1]

    monkeypatch.setattr(FhirClient, "fetch", fetching)
    async with reading(there) as readers:
        yield readers, fetched


async def test_of_a_text_behind_an_address_its_version_is_asked_for_in_a_search(
    there: Summarised, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its resource is the same whatever the bytes behind the address are."""
    async with addressed(there, monkeypatch) as (readers, fetched):
        assert ELSEWHERE in shown(await readers.kept("Patient/two"))
        before = len(fetched)
        assert ELSEWHERE in shown(await readers.kept("Patient/two"))
        assert (readers.auditor.proofs, len(fetched)) == (0, before)
        _behind(there, "Walks without help.")
        changed = await readers.kept("Patient/two")
        assert readers.auditor.proofs == 1
        assert not {ELSEWHERE, "Walks without help."} & set(shown(changed))


async def test_without_that_search_a_text_behind_an_address_is_read_where_it_is_another(
    there: Summarised, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(*_: Any) -> dict[str, Resource]:
        return {}

    monkeypatch.setattr(proofs, "find_by_id", refused)
    async with addressed(there, monkeypatch) as (readers, fetched):
        await readers.kept("Patient/two")
        assert ELSEWHERE in shown(await readers.kept("Patient/two"))
        assert readers.auditor.proofs == 0
        assert (fetched[-1].status, fetched[-1].data) == (304, b"")
        _behind(there, "Walks without help.")
        assert ELSEWHERE not in shown(await readers.kept("Patient/two"))
        assert readers.auditor.proofs == 1


async def test_where_no_version_is_told_a_text_behind_an_address_is_proven_each_time(
    there: Summarised, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fhir_adapter.reading.attachment._version", lambda _: "")
    async with addressed(there, monkeypatch) as (readers, _):
        await readers.kept("Patient/two")
        assert ELSEWHERE in shown(await readers.kept("Patient/two"))
        assert readers.auditor.proofs == 1


async def test_as_many_proofs_are_kept_as_may_be(there: Summarised) -> None:
    async with reading(there, most=1) as readers:
        await readers.kept()
        await readers.kept()
        assert readers.auditor.proofs >= len(NOTES) - 1


# The notes come last, each once: back as it was, a note has another version than was summarised.
CHANGES: list[tuple[str, Change]] = [
    ("Composition/first", _other_sentence),
    ("Composition/first", _in_error),
    ("Composition/first", _somebody_elses),
    ("Device/first", _no_ai),
    ("DocumentReference/first", _other_words),
    ("DocumentReference/second", _in_error),
    ("DocumentReference/later", _somebody_elses),
]


@pytest.mark.parametrize(("reference", "change"), CHANGES)
async def test_what_changed_on_the_server_shows_at_once(
    there: Summarised, reference: str, change: Change
) -> None:
    kind, _, name = reference.partition("/")
    composition = there.get(f"Composition/{there.compositions[name]}")
    named = {
        "DocumentReference": reference,
        "Composition": f"Composition/{composition['id']}",
        "Device": composition["author"][0]["reference"],
    }[kind]
    async with reading(there) as readers:
        before = await readers.kept()
        with there.altered(named) as resource:
            change(there, resource)
            kept, anew = await readers.kept(), await readers.anew()
        after = await readers.kept()
    assert kept == anew
    assert kept != before
    if kind != "DocumentReference":
        assert after == before
