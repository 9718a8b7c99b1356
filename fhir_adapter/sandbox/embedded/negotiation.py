"""Formats and headers: what a request may carry, what an answer looks like."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from fhir_adapter.sandbox.embedded.binary import FHIR_JSON, media_type_of
from fhir_adapter.sandbox.embedded.jsontext import read_json, write_json
from fhir_adapter.sandbox.embedded.outcome import RequestRefusedError, operation_outcome
from fhir_adapter.sandbox.embedded.session import Version
from fhir_adapter.sandbox.embedded.when import http_date

_FHIR_CONTENT = f"{FHIR_JSON};charset=UTF-8"
_XML = ("xml", "text/xml", "application/xml", "application/fhir+xml", "application/xml+fhir")
_JSON = ("json", "application/json", FHIR_JSON, "application/json+fhir", "text/json")


def check_request_format(request: Request) -> None:
    """Raises 415 where the body is said to be something other than JSON."""
    declared = media_type_of(request.headers.get("content-type", ""))
    if declared and declared not in _JSON:
        raise RequestRefusedError(415, "not-supported", "This server takes application/fhir+json.")


def check_response_format(request: Request) -> None:
    """Raises 406 where the client accepts XML or Turtle alone, by `_format` or `Accept`."""
    format_ = request.query_params.get("_format", "").replace(" ", "+")
    if format_:
        if media_type_of(format_) not in _JSON:
            raise RequestRefusedError(406, "not-supported", "This server answers in JSON.")
        return
    accepted = [media_type_of(part) for part in request.headers.get("accept", "").split(",") if part.strip()]
    if accepted and all(name in _XML or name == "text/turtle" for name in accepted):
        raise RequestRefusedError(406, "not-supported", "This server answers in application/fhir+json.")


def fhir_response(
    request: Request, text: str, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """An answer in FHIR JSON, indented where `_pretty=true` asks for it.

    Args:
        request: what is answered.
        text: ASCII JSON.
        status: HTTP status.
        headers: besides the content type.
    """
    if request.query_params.get("_pretty") == "true":
        text = write_json(read_json(text), indent=2) + "\n"
    return Response(
        text.encode("ascii"), status_code=status, headers={**(headers or {}), "Content-Type": _FHIR_CONTENT}
    )


def outcome_response(
    request: Request, status: int, code: str, diagnostics: str, headers: Mapping[str, str] | None = None
) -> Response:
    """An answer with an OperationOutcome."""
    text = write_json(operation_outcome(code, diagnostics))
    return fhir_response(request, text, status=status, headers=headers)


def version_headers(version: Version) -> dict[str, str]:
    """ETag and Last-Modified of a version."""
    return {"ETag": version.etag, "Last-Modified": http_date(version.updated)}
