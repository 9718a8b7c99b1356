"""`/v1/compositions`: what was written to the FHIR server, and the proof of it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from fhir_adapter import canonical
from fhir_adapter.audit.findings import Finding
from jobs.web.answers import json_answer, problems, while_wanted
from jobs.web.guard.access import Scope, requires
from jobs.web.listing import SummaryListing, page_of, summary_of
from jobs.web.problems import ProblemError
from jobs.web.schemas import (
    SOURCE_PATTERN,
    AuditResult,
    Listed,
    Listing,
    StoredSentence,
    StoredSummary,
)
from jobs.web.service import TheService

router = APIRouter(tags=["compositions"], dependencies=[Depends(requires(Scope.READ))])

PATIENT = r"^Patient/[A-Za-z0-9.-]{1,64}$"
Id = Annotated[
    str,
    Path(pattern=r"^[A-Za-z0-9.-]{1,64}$", examples=["6f3c1c9e-1f0e-5a51-9a3c-0a3a6d2f7c11"]),
]
Cursor = Annotated[
    str | None, Query(pattern=r"^[A-Za-z0-9_-]+=*$", max_length=8192, description="`next` of a page.")
]


@router.get(
    "/v1/compositions",
    response_model=Listing,
    responses=problems(404, 422, 502, 503),
    summary="List what was written",
)
async def listing(
    request: Request,
    service: TheService,
    count: Annotated[int, Query(ge=1, le=200, description="At most so many on a page.")] = 50,
    cursor: Cursor = None,
    patient: Annotated[
        str | None,
        Query(pattern=PATIENT, description="Only those about this patient.", examples=["Patient/123"]),
    ] = None,
    source: Annotated[
        str | None,
        Query(
            pattern=SOURCE_PATTERN,
            description="Only those of this note.",
            examples=["DocumentReference/123"],
        ),
    ] = None,
) -> Response:
    """The Compositions of this product on the FHIR server, the latest first; without any text of notes."""
    work = page_of(service, canonical.SUMMARY_TAG, count, cursor or "", patient or "", source or "")
    page = await while_wanted(request, service, work)
    found = Listing(compositions=[_listed(entry) for entry in page.entries], next=page.cursor or None)
    return await json_answer(found.model_dump(exclude_none=True))


def _listed(entry: SummaryListing) -> Listed:
    claims, record = entry.claims, entry.record
    return Listed(
        composition=claims.composition,
        status=claims.status,
        current=record.current,
        ended_because=record.ended or None,
        needs_review=record.needs_review,
        source=claims.source,
        version=claims.version,
        author=claims.authors[0] if claims.authors else "",
        sentences=len(claims.spans),
        title=entry.title or None,
        patient=entry.patient or None,
        date=record.date or None,
        last_updated=record.last_updated or None,
    )


@router.get(
    "/v1/compositions/{id}",
    response_model=StoredSummary,
    response_model_exclude_none=True,
    responses=problems(404, 422, 502, 503),
    summary="Read one",
)
async def summary(request: Request, id: Id, service: TheService) -> Response:
    """What a Composition shows, as it stands on the FHIR server; `audit` proves it against its note."""
    entry = await while_wanted(request, service, summary_of(service, id))
    if entry is None:
        raise ProblemError("not-found", "The FHIR server has no such Composition of this product.")
    texts = dict(entry.claims.items)
    spans = [
        StoredSentence(
            start=span.offset, end=span.offset + span.length, text=texts.get(span.link, ""), score=span.score
        )
        for span in entry.claims.spans
    ]
    found = StoredSummary(**_listed(entry).model_dump(), shown=spans)
    return await json_answer(found.model_dump(exclude_none=True))


@router.get(
    "/v1/compositions/{id}/audit",
    response_model=AuditResult,
    responses=problems(404, 422, 502, 503),
    summary="Prove one",
)
async def audit(request: Request, id: Id, service: TheService) -> Response:
    """Reads a Composition and its source again from the FHIR server and verifies every sentence."""
    found = await while_wanted(request, service, service.auditor.audit(id))
    if any(finding is Finding.COMPOSITION_GONE for finding, _ in found.findings):
        raise ProblemError("not-found", "The FHIR server has no such Composition.")
    return await json_answer(found.to_json())
