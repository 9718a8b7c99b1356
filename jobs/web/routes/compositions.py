"""`/v1/compositions`: what was written to the FHIR server, and the proof of it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from fhir_adapter import canonical
from fhir_adapter.audit.findings import Finding
from jobs.web.answers import json_answer, problems, while_wanted
from jobs.web.guard.access import Scope, requires
from jobs.web.listing import SummaryListing, page_of
from jobs.web.problems import ProblemError
from jobs.web.schemas import AuditResult, Listed, Listing
from jobs.web.service import TheService

router = APIRouter(tags=["compositions"], dependencies=[Depends(requires(Scope.READ))])

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
) -> Response:
    """The Compositions of this product on the FHIR server, the latest first; without any text of notes."""
    page = await while_wanted(request, service, page_of(service, canonical.SUMMARY_TAG, count, cursor or ""))
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
        date=record.date or None,
        last_updated=record.last_updated or None,
    )


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
