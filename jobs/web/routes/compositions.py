"""`/v1/compositions`: what was written to the FHIR server, and the proof of it."""

import base64
import binascii
import hashlib
import hmac
import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from fhir_adapter import canonical
from fhir_adapter.claims import as_dict, coded, read_claims
from fhir_adapter.findings import Finding
from fhir_adapter.search_page import SearchPage
from jobs.web.access import Scope, requires
from jobs.web.answers import json_answer, problems, while_wanted
from jobs.web.problems import ProblemError
from jobs.web.schemas import AuditResult, Listed, Listing
from jobs.web.service import Service, TheService

router = APIRouter(tags=["compositions"], dependencies=[Depends(requires(Scope.READ))])

_MARK = 16  # bytes of the signature before a cursor's link
_KEY = secrets.token_bytes(32)

Id = Annotated[
    str,
    Path(pattern=r"^[A-Za-z0-9.-]{1,64}$", examples=["6f3c1c9e-1f0e-5a51-9a3c-0a3a6d2f7c11"]),
]
Cursor = Annotated[
    str | None, Query(pattern=r"^[A-Za-z0-9_-]+=*$", max_length=8192, description="`next` of a page.")
]


@router.get(
    "/v1/compositions",
    response_model_exclude_none=True,
    responses=problems(404, 422, 502, 503),
    summary="List what was written",
)
async def listing(
    request: Request,
    service: TheService,
    count: Annotated[int, Query(ge=1, le=200, description="At most so many on a page.")] = 50,
    cursor: Cursor = None,
) -> Listing:
    """The Compositions of this product on the FHIR server, the latest first; without any text of notes."""
    start = _link(service, cursor) if cursor else ""
    page = await while_wanted(request, service, _page(service, count, start))
    following = _cursor(service, page.next) if page.next else None
    found = [_listed(r) for r in page.resources if r.get("resourceType") == "Composition"]
    return Listing(compositions=found, next=following)


async def _page(service: Service, count: int, start: str) -> SearchPage:
    system, tag = canonical.SUMMARY_TAG
    query = [("_tag", f"{system}|{tag}"), ("_sort", "-_lastUpdated"), ("_count", str(count))]
    async for page in service.client.search("Composition", query, start):
        return page
    raise ProblemError("fhir-server-failed")


def _listed(resource: dict[str, Any]) -> Listed:
    claims = read_claims(resource)
    meta = resource.get("meta")
    stamp = meta.get("lastUpdated") if isinstance(meta, dict) else None
    date = resource.get("date")
    waits = canonical.REVIEW_TAG in coded(as_dict(meta).get("tag")) and claims.status == "preliminary"
    return Listed(
        composition=claims.composition,
        status=claims.status,
        current=not claims.ended and claims.status != "entered-in-error",
        ended_because=claims.ended or None,
        needs_review=waits and not claims.ended,
        source=claims.source,
        version=claims.version,
        author=claims.authors[0] if claims.authors else "",
        sentences=len(claims.spans),
        date=date if isinstance(date, str) else None,
        last_updated=stamp if isinstance(stamp, str) else None,
    )


def _key(service: Service) -> bytes:
    """Of the service's tokens where there are any, so that a cursor holds for every replica."""
    token = service.settings.service_token.get_secret_value()
    return hashlib.sha256(b"clinsum cursor" + token.encode()).digest() if token else _KEY


def _cursor(service: Service, link: str) -> str:
    """The server's link, signed: nobody can have the service read other addresses of the FHIR server."""
    data = link.encode()
    return base64.urlsafe_b64encode(hmac.digest(_key(service), data, "sha256")[:_MARK] + data).decode()


def _link(service: Service, cursor: str) -> str:
    try:
        signed = base64.urlsafe_b64decode(cursor.encode("ascii"))
    except (binascii.Error, ValueError):
        signed = b""
    mark, data = signed[:_MARK], signed[_MARK:]
    if not hmac.compare_digest(mark, hmac.digest(_key(service), data, "sha256")[:_MARK]):
        raise ProblemError("not-found", "The cursor is none of this service, or no longer one.")
    return data.decode()


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
