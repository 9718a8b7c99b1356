"""`/cds-services`: CDS Hooks 2.0, by which a record shows what is new in the notes of a patient."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import Response

from fhir_adapter.lenient import as_dict, dicts
from fhir_adapter.reading.persons import last_visit, latest_begin
from fhir_adapter.rest.auth import BearerAuth
from fhir_adapter.timeline.timeline import TimelineError
from jobs.audits.parts import make_auditor
from jobs.ledger.cards import ended, shown
from jobs.ledger.rows import LedgerError
from jobs.runtime import OnBehalf, make_client
from jobs.timelines import timeline_reader
from jobs.web.answers import json_answer, parsed, problems, while_wanted
from jobs.web.cds.cards import begin_of, card_of, chosen
from jobs.web.cds.schemas import CdsCard, CdsCards, CdsFeedback, CdsRequest, CdsServiceEntry, CdsServices
from jobs.web.guard.access import Scope, known
from jobs.web.guard.sight import Sight
from jobs.web.problems import ProblemError
from jobs.web.service import Service, TheService

SERVICE = "clinsum-patient-view"
VISITS = "visits"
router = APIRouter(tags=["cds-hooks"])

_ENTRY = CdsServiceEntry(
    hook="patient-view",
    title="What is new in the notes",
    description="At most three sentences of the notes since the last visit, word for word and verified, each "
    "with the way to its note.",
    id=SERVICE,
    prefetch={VISITS: "Encounter?patient={{context.patientId}}&_sort=-date&_count=20"},
)
Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9-]{1,64}$", examples=[SERVICE])]


def _body(name: str) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{name}"}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


async def caller(request: Request, service: TheService) -> str:
    """A dependency: who calls. The EHR by its signed statement, where EHRs are named; else who may read."""
    clients = service.cds_clients
    if not clients.asked_for:
        principal = known(request)
        if Scope.READ not in principal.scopes:
            raise ProblemError("forbidden", f"The scope {Scope.READ.value} is missing.")
        return principal.name
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    called = str(request.url.replace(query=""))
    audience = (called, called.removesuffix("/feedback"))
    issuer = await clients.issuer(token.strip(), audience) if scheme.lower() == "bearer" else None
    if issuer is None:
        raise ProblemError("unauthorized", headers={"WWW-Authenticate": "Bearer"})
    return issuer


@router.get("/cds-services", summary="CDS Hooks: what is served", responses=problems())
async def discovery() -> CdsServices:
    """One service, for the hook `patient-view`; anybody may ask."""
    return CdsServices(services=[_ENTRY])


@router.post(
    "/cds-services/{id}",
    response_model=CdsCards,
    responses=problems(404, 412, 422, 502, 503),
    openapi_extra=_body("CdsRequest"),
    summary="CDS Hooks: the card of a patient",
    dependencies=[Depends(caller)],
)
async def call(request: Request, id: Id, service: TheService) -> Response:
    """A card with at most three sentences since the last visit, or none where nothing is new.

    Only sentences that hold when they are read again from the FHIR server are shown. With `fhirAuthorization`
    the EHR's own token is used for that, so that a user sees what the user may see.
    """
    _ours(id)
    asked = await parsed(CdsRequest, await request.body())
    authorization = asked.fhirAuthorization
    if authorization and authorization.patient not in (None, asked.context.patientId):
        raise ProblemError("forbidden", "The token is for another patient than the context.")
    behalf = _behalf(service, asked)
    work = _card(service, behalf, asked, str(request.base_url).rstrip("/"))
    card = await while_wanted(request, service, work)
    cards = CdsCards(cards=[card] if card else [])
    return await json_answer(cards.model_dump(mode="json", exclude_none=True))


def _ours(id: str) -> None:
    if id != SERVICE:
        raise ProblemError("not-found", "There is no such service.")


def _behalf(service: Service, asked: CdsRequest) -> OnBehalf | None:
    """The EHR's token in the place of ours, for the server that it is for; None where it gave none.

    Raises:
        ProblemError: the EHR's FHIR server is none of those that are read here.
    """
    if asked.fhirServer is None:
        return None
    settings, named = service.settings, asked.fhirServer.rstrip("/")
    if named not in (settings.write_base_url, settings.fhir_base_url):
        raise ProblemError("precondition-failed", "The service reads another FHIR server than the EHR names.")
    if asked.fhirAuthorization is None:
        return None
    return OnBehalf(named, BearerAuth(asked.fhirAuthorization.access_token), service.client)


def _visits(asked: CdsRequest) -> list[dict[str, Any]] | None:
    """The Encounters that the EHR has fetched before; None where it has not, and we ask for them."""
    bundle = as_dict((asked.prefetch or {}).get(VISITS))
    if bundle.get("resourceType") != "Bundle":
        return None
    found = [as_dict(entry.get("resource")) for entry in dicts(bundle.get("entry"))]
    about = f"Patient/{asked.context.patientId}"
    visits = [one for one in found if one.get("resourceType") == "Encounter"]
    return [one for one in visits if str(as_dict(one.get("subject")).get("reference", "")).endswith(about)]


@asynccontextmanager
async def _reading(service: Service, behalf: OnBehalf | None) -> AsyncIterator[Sight]:
    """What the service may see, or what the EHR's token may, for this call alone."""
    if behalf is None:
        yield service.sight
        return
    async with make_client(service.settings, 1, behalf) as client:
        yield Sight(client, make_auditor(service.settings, client, service.extractor))


async def _card(service: Service, behalf: OnBehalf | None, asked: CdsRequest, base: str) -> CdsCard | None:
    patient = f"Patient/{asked.context.patientId}"
    today = datetime.now(UTC).date()
    async with _reading(service, behalf) as sight:
        given = _visits(asked)
        if given is None:
            visit = await last_visit(sight.client, (patient,), today.isoformat())
        else:
            visit = latest_begin(given, today.isoformat())
        since = begin_of(visit, today)
        reader = timeline_reader(service.settings, sight.client, sight.auditor, service.ledger, sight.proofs)
        try:
            found = await reader.read(patient)  # all of it: what is new is known by what was there before
        except TimelineError:
            return None
    some = chosen(found, since)
    if not some:
        return None
    card = await asyncio.to_thread(card_of, some, visit, since, base, asked.hookInstance)
    try:
        names = list(dict.fromkeys(one.composition for one in some))
        await asyncio.to_thread(shown, await service.ledger(), card.uuid, names)
    except LedgerError:
        pass  # the card is worth more than the count of it
    return card


@router.post(
    "/cds-services/{id}/feedback",
    response_class=Response,
    responses=problems(404, 422, 502) | {200: {"description": "Kept.", "headers": {}}},
    openapi_extra=_body("CdsFeedback"),
    summary="CDS Hooks: what became of a card",
    dependencies=[Depends(caller)],
)
async def feedback(request: Request, id: Id, service: TheService) -> Response:
    """Keeps outcome and reason of cards that were given out here; no comment, which may name a patient."""
    _ours(id)
    told = await parsed(CdsFeedback, await request.body())
    ledger = await service.ledger()
    for one in told.feedback:
        reason = str((one.overrideReason.reason or {}).get("code", "")) if one.overrideReason else ""
        await asyncio.to_thread(ended, ledger, one.card, one.outcome, reason, one.outcomeTimestamp)
    return Response(status_code=200)
