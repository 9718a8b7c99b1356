"""`/note/{id}`: a note beside its summary, both read again from the FHIR server, and how that was checked."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Literal
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from fhir_adapter.audit.verdict import Examined, Kind
from fhir_adapter.lenient import reference_of
from fhir_adapter.reading.authors import Authors
from fhir_adapter.reading.persons import Person, read_person
from fhir_adapter.rest.access_events import acting
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.writing.review import ReviewError, Reviews, Served
from jobs.audits.shown import Place
from jobs.web.answers import admit, while_wanted
from jobs.web.guard.access import Scope, requires, sees
from jobs.web.guard.sight import Sight
from jobs.web.problems import ProblemError
from jobs.web.routes.compositions import Id
from jobs.web.service import Service, TheService
from jobs.web.views.audit_page import AuditPage, audit_view
from jobs.web.views.links import note_page, on_server, patient_page
from jobs.web.views.note_page import Picked, note_view, picked_from, wanted_sentences
from jobs.web.views.pages import render
from jobs.web.views.review import ATTEST, asking, attestable
from summarizer import Budget

router = APIRouter(include_in_schema=False, dependencies=[Depends(sees)])

_ACTS = (ATTEST, *(served.value for served in Served))
_LONGEST_NAME = 100

Said = Annotated[Literal["", "attest", "useful", "misleading", "missed-something"], Query()]
Length = Annotated[Literal["", "shorter", "longer"], Query()]


@router.get("/note/{id}")
async def page(
    request: Request, id: Id, service: TheService, length: Length = "", said: Said = ""
) -> HTMLResponse:
    """Reads the Composition and its source again, and shows one beside the other."""
    if length:
        requires(Scope.SUMMARISE)(request)
        admit(service)
    return await while_wanted(request, service, _page(request, service, id, length, said))


@router.post("/note/{id}/review", dependencies=[Depends(requires(Scope.REVIEW))])
async def review(request: Request, id: Id, service: TheService) -> Response:
    """Keeps what a named reader says of a summary: how it served them, or that they attest it."""
    sent = parse_qs((await request.body()).decode("utf-8", "replace"), max_num_fields=10)
    act, version, typed = (sent.get(name, [""])[0].strip() for name in ("act", "version", "who"))
    name = request.state.principal.person or " ".join(typed.split())[:_LONGEST_NAME]
    if act not in _ACTS:
        raise ProblemError("invalid", "That is nothing that can be said of a summary.")
    if not name:
        raise ProblemError("invalid", "What is said of a summary is kept with the name of who says it.")
    sight = service.seen_by(request)
    await while_wanted(request, service, _kept(service, sight, id, act, version, name))
    return RedirectResponse(f"{note_page(f'Composition/{id}')}?said={act}#review", 303)


async def _kept(service: Service, sight: Sight, id: str, act: str, version: str, name: str) -> None:
    """Acts as `act` says, with the service's own rights; those of a person out of a record are to read.

    Raises:
        ReviewError: it is not, or no longer, what was read.
        ProblemError: there is no such summary, or it is not to be seen.
    """
    reviews, when = Reviews(service.client), datetime.now(UTC).isoformat(timespec="seconds")
    acting.set(name)  # in this task alone
    examined = await _examined(sight, id)
    if act != ATTEST:
        await reviews.tell(f"Composition/{id}", version, Served(act), name, when)
        return
    if not attestable(examined) or examined.record.version != version:
        raise ReviewError("Only a summary that holds now, as it was read, can be attested.")
    await reviews.attest(f"Composition/{id}", version, name, when)


async def _examined(sight: Sight, id: str) -> Examined:
    examined = await sight.auditor.examine(id)
    if examined is None:
        raise ProblemError("not-found", "The FHIR server has no such Composition.")
    await sight.admit_examined(examined)
    return examined


async def _page(request: Request, service: Service, id: str, length: str, said: str) -> HTMLResponse:
    sight = service.seen_by(request)
    examined = await _examined(sight, id)
    base_url = sight.client.base_url

    def source_url(place: Place) -> str:
        return on_server(base_url, place.source, place.version)

    audit = await asyncio.to_thread(audit_view, examined, base_url)
    if examined.kind is Kind.TIMELINE:
        return await asyncio.to_thread(render, request, "audit.html", page=audit, source_url=source_url)
    person = await read_patient(sight.client, examined.record.subject)
    newest = await sight.auditor.newest_text(examined)
    picked = await _picked(service, examined, audit, length)
    authors = await _authors(service.client, examined)

    def made() -> HTMLResponse:
        note = note_view(examined, audit, person, authors, newest, picked)
        asked = asking(examined, request.state.principal, said)
        return render(request, "note.html", page=audit, note=note, review=asked, source_url=source_url)

    return await asyncio.to_thread(made)


async def _authors(client: FhirClient, examined: Examined) -> tuple[str, ...]:
    """The names of who wrote the note; none where it could not be read."""
    reading = examined.sections[0].source.reading
    notes = [reading.note] if reading else []
    return tuple(name for note in await Authors(client).named(notes) for name in note.authors)


async def read_patient(client: FhirClient, reference: str) -> Person | None:
    """Who a reference names; None where it is no patient's, or nobody is there."""
    if not (reference.startswith("Patient/") and patient_page(reference)):
        return None
    resource = await client.read_if_there(reference)
    return read_person(resource) if resource and reference_of(resource) == reference else None


async def _picked(service: Service, examined: Examined, audit: AuditPage, length: str) -> Picked | None:
    """What the model picks now, in the queue with everybody's texts."""
    reading = examined.sections[0].source.reading
    if not length or reading is None or not audit.rows:
        return None
    budget = Budget(sentences=wanted_sentences(len(audit.rows), length))
    return picked_from(await service.model.summarize(reading.text.document(), budget), length)
