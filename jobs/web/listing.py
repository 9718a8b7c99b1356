"""Pages of the Compositions on the FHIR server, for the API and for people; cursors are signed."""

import asyncio
import secrets
from dataclasses import dataclass
from typing import Any

from fhir_adapter import canonical
from fhir_adapter.audit.claims import Claims, read_claims
from fhir_adapter.audit.record import Record, read_record
from fhir_adapter.errors import HttpStatusError, RefusedError
from fhir_adapter.lenient import as_dict, has_tag, relative
from fhir_adapter.rest.searching import search_by
from fhir_adapter.timeline.auditor import sections_of
from jobs.ledger.pages import Mark, NoteFilter, page
from jobs.web.guard.signer import Signer
from jobs.web.problems import ProblemError
from jobs.web.service import Service

_SECRET = secrets.token_bytes(32)
_LEDGER = "ledger:"  # before a place in it, in a cursor; a server's link begins with none


@dataclass(frozen=True, slots=True)
class SummaryListing:
    """A Composition in the list: what it states, and how it stands.

    Attributes:
        claims: of a timeline, those of its first section.
        sentences: shown in all sections.
        title: of the Composition.
        patient: `Patient/id`, or whatever it is about.
    """

    claims: Claims
    record: Record
    sentences: int
    title: str = ""
    patient: str = ""

    def matches(self, patient: str, source: str) -> bool:
        """Whether it is about this patient and of this note; "" for any."""
        return patient in ("", self.patient) and source in ("", self.claims.source)


@dataclass(frozen=True, slots=True)
class Page:
    """Some of them, and the cursor of the next; "" on the last page.

    Attributes:
        known: those alone that the ledger knows, since the server answers no search for all.
    """

    entries: tuple[SummaryListing, ...]
    cursor: str
    known: bool = False


async def page_of(
    service: Service,
    tag: tuple[str, str],
    count: int,
    cursor: str = "",
    patient: str = "",
    source: str = "",
) -> Page:
    """The Compositions with a tag, the latest first.

    A server that wants a patient in every search gives those that the ledger knows, by their ids: of all
    notes, or of one; it knows no timelines.

    Args:
        service: of the process.
        tag: (system, code) of summaries or of timelines.
        count: at most so many.
        cursor: of an earlier page; "" for the first.
        patient: `Patient/id`: only those about this patient.
        source: `Type/id`: only those of this note.

    Raises:
        ProblemError: the cursor is none of this service.
        FhirAdapterError: as the client raises it.
    """
    start = _link(service, cursor) if cursor else ""
    if start.startswith(_LEDGER):
        return await _handled(service, tag, count, Mark.parse(start.removeprefix(_LEDGER)))
    try:
        return await _searched(service, tag, count, start, patient, source)
    except HttpStatusError as error:
        if start or patient or not error.asks_otherwise:
            raise
        found = await _handled(service, tag, count, source=source)
        if isinstance(error, RefusedError) and not found.entries:
            raise  # perhaps nothing of it may be read
        return found


async def _searched(
    service: Service, tag: tuple[str, str], count: int, start: str, patient: str, source: str
) -> Page:
    tagged, latest = ("_tag", "|".join(tag)), ("_sort", "-_lastUpdated")
    always = [("_count", str(count))]
    always += [("subject", patient)] if patient else []
    always += [("entry", source)] if source else []
    base_url = service.client.base_url
    ways = [[tagged, latest, *always], [tagged, *always], [latest, *always], always]
    pages = service.client.search("Composition", always, start) if start else None
    async for answer in pages or search_by(service.client, "Composition", ways):
        # Looked at, since a server may ignore a parameter.
        found = [r for r in answer.resources if r.get("resourceType") == "Composition" and has_tag(r, tag)]
        entries = [_entry(resource, base_url) for resource in found]
        return Page(
            tuple(entry for entry in entries if entry.matches(patient, source)),
            _cursor(service, answer.next) if answer.next else "",
        )
    raise ProblemError("fhir-server-failed")


async def _handled(
    service: Service, tag: tuple[str, str], count: int, older: Mark | None = None, source: str = ""
) -> Page:
    """The Compositions of the notes that were handled last, or of one, as they stand on the server."""
    if tag != canonical.SUMMARY_TAG:
        return Page((), "", known=True)
    ledger = await service.ledger()
    notes = await asyncio.to_thread(
        page, ledger, NoteFilter(source=source, summarised=True), count, older=older
    )
    ids = list(dict.fromkeys(row.composition for row in notes.rows))
    there = await asyncio.gather(*(service.client.read_if_there(f"Composition/{one}") for one in ids))
    entries = [_entry(one, service.client.base_url) for one in there if one and has_tag(one, tag)]
    entries = [entry for entry in entries if entry.matches("", source)]  # a copy's is another note's
    cursor = _cursor(service, f"{_LEDGER}{notes.older}") if notes.older else ""
    return Page(tuple(entries), cursor, known=True)


async def summary_of(service: Service, composition_id: str) -> SummaryListing | None:
    """One Composition of ours by its id; None where there is none of that id.

    Raises:
        FhirAdapterError: as the client raises it.
    """
    resource = await service.client.read_if_there(f"Composition/{composition_id}")
    ours = (canonical.SUMMARY_TAG, canonical.TIMELINE_TAG)
    if resource is None or not any(has_tag(resource, tag) for tag in ours):
        return None
    return _entry(resource, service.client.base_url)


def _entry(resource: dict[str, Any], base_url: str) -> SummaryListing:
    subject = as_dict(resource.get("subject")).get("reference")
    return SummaryListing(
        title=" ".join(str(resource.get("title") or "").split()),
        patient=relative(subject, base_url),
        claims=read_claims(resource, base_url),
        record=read_record(resource, base_url),
        sentences=sum(
            len({span.link for span in claims.spans}) for claims in sections_of(resource, base_url)
        ),
    )


def _signer(service: Service) -> Signer:
    """Of the service's tokens where there are any, so that a cursor holds for every replica."""
    token = service.settings.service_token.get_secret_value()
    return Signer("cursor", token.encode() or _SECRET)


def _cursor(service: Service, link: str) -> str:
    """The server's link, signed: nobody can have the service read other addresses of the FHIR server."""
    return _signer(service).sign(link)


def _link(service: Service, cursor: str) -> str:
    link = _signer(service).verified(cursor)
    if link is None:
        raise ProblemError("not-found", "The cursor is none of this service, or no longer one.")
    return link
