"""`/v1/azure/...`: extractive summarization with the addresses and answers of Azure AI Language."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import ValidationError
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.responses import Response

from jobs.web.answers import json_answer, problems
from jobs.web.azure.running import AzureJobs, Job, TooManyJobsError
from jobs.web.azure.schemas import AzureErrorAnswer, AzureJobsInput, AzureJobState
from jobs.web.guard.access import Principal, Scope, requires
from jobs.web.problems import faults
from jobs.web.service import TheService


class _JobIdConvertor(StringConvertor):
    """A job's id has no colon, so that `id:cancel` is no id."""

    regex = "[^/:]+"


register_url_convertor("azurejob", _JobIdConvertor())
router = APIRouter(prefix="/v1/azure/language/analyze-text/jobs", tags=["azure"])

Version = Annotated[
    str,
    Query(
        alias="api-version",
        pattern=r"^\d{4}-\d\d-\d\d(-preview)?$",
        description="Any; the answers are those of 2023-04-01.",
        examples=["2023-04-01"],
    ),
]
JobId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{10,64}$", examples=["Zk1aQ3d1d2VydHl1aW9wYQ"])]
Client = Annotated[Principal, Depends(requires(Scope.SUMMARISE))]

_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/AzureJobsInput"}}},
    }
}
_PLACE = {"Operation-Location": {"description": "Where the job is looked at.", "schema": {"type": "string"}}}
_ACCEPTED: dict[int | str, dict[str, Any]] = {202: {"description": "Begun.", "headers": _PLACE}}


def _azure(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: {"model": AzureErrorAnswer, "description": "As Azure says it."} for status in statuses}


async def _error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Response:
    answer = await json_answer({"error": {"code": code, "message": message}})
    answer.status_code = status
    answer.headers.update(headers or {})
    return answer


async def _not_found() -> Response:
    return await _error(404, "NotFound", "There is no such job of yours; jobs are kept for 15 minutes.")


def jobs_of(request: Request) -> AzureJobs:
    """The jobs of this process."""
    jobs: AzureJobs = request.app.state.service.azure
    return jobs


@router.post(
    "",
    status_code=202,
    response_class=Response,
    responses=problems(408, 413, 422, 503) | _ACCEPTED | _azure(400, 429),
    openapi_extra=_BODY,
    summary="Begin an Azure job",
)
async def submit(request: Request, service: TheService, client: Client, version: Version) -> Response:
    """Begins a job of kind `ExtractiveSummarization`; `Operation-Location` says where to look for its end.

    Azure's clients work with the endpoint `https://HOST/v1/azure` and a token of the service as their key.
    """
    try:
        asked = AzureJobsInput.model_validate_json(await request.body())
    except ValidationError as error:
        found = faults(error.errors(include_input=False, include_url=False))
        words = "; ".join(f"{fault['where'] or 'the body'}: {fault['problem']}" for fault in found)
        return await _error(400, "InvalidRequest", f"Not as documented: {words}.")
    try:
        job = jobs_of(request).begin(client.name, asked)
    except TooManyJobsError:
        return await _error(429, "TooManyRequests", "Too many jobs are kept.", {"Retry-After": "30"})
    return _accepted(request, job, version)


def _accepted(request: Request, job: Job, version: str) -> Response:
    base = str(request.base_url).rstrip("/")
    place = f"{base}{router.prefix}/{job.id}?api-version={version}"
    return Response(status_code=202, headers={"Operation-Location": place})


@router.post(
    "/{job_id:azurejob}:cancel",
    status_code=202,
    response_class=Response,
    responses=problems(422) | _ACCEPTED | _azure(404),
    summary="End an Azure job",
)
async def cancel(request: Request, client: Client, job_id: JobId, version: Version) -> Response:
    """Ends it where it is not done yet."""
    job = jobs_of(request).find(client.name, job_id)
    if job is None:
        return await _not_found()
    jobs_of(request).cancel(job)
    return _accepted(request, job, version)


@router.get(
    "/{job_id:azurejob}",
    response_model=AzureJobState,
    responses=problems(422) | _azure(404),
    summary="Look at an Azure job",
)
async def look(request: Request, client: Client, job_id: JobId, version: Version) -> Response:
    """The job as it stands, with the results of what is done; kept for 15 minutes behind its end."""
    job = jobs_of(request).find(client.name, job_id)
    if job is None:
        return await _not_found()
    shown = job.state().model_dump(mode="json", exclude_none=True)
    return await json_answer(shown, large=True)
