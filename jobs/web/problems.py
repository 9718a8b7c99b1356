"""Errors as `application/problem+json` (RFC 9457), or as a page where a browser asks; without note text."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response

from fhir_adapter.errors import (
    FhirAdapterError,
    GoneError,
    HttpStatusError,
    NoteError,
    NotFoundError,
    RefusedError,
    ServerTimeoutError,
    ServerUnreachableError,
)
from fhir_adapter.reasons import Reason
from fhir_adapter.writing.review import ReviewError
from jobs.ledger.rows import LedgerError
from jobs.web.views.pages import render, to_sign_in

MEDIA_TYPE = "application/problem+json"

CODES: dict[str, tuple[int, str]] = {
    "bad-request": (400, "The request is not as the documentation describes it."),
    "unauthorized": (401, "The request has no valid credentials."),
    "sign-in-failed": (403, "Signing in at the record's server did not succeed."),
    "forbidden": (403, "The credentials do not allow this."),
    "cross-site": (403, "A page of another site may not ask for this."),
    "not-behind-proxy": (403, "The service is reached through its proxy alone."),
    "unknown-host": (421, "The service does not answer under this host name."),
    "not-found": (404, "There is nothing at this address."),
    "method-not-allowed": (405, "The address does not take this method."),
    "not-acceptable": (406, "There is no answer of the kind that is asked for."),
    "slow-request": (408, "The request's body took too long to arrive."),
    "conflict": (409, "What this is about is not, or no longer, as the request takes it to be."),
    "precondition-failed": (412, "What the request presumes does not hold here."),
    "too-large": (413, "The request, or the text in it, is larger than the settings allow."),
    "unsupported-type": (415, "The body is of a kind that holds no text we can read."),
    "unreadable-note": (422, "No text could be read from the body; the reason says why."),
    "invalid": (422, "A field of the request is missing or not as described."),
    "too-many-requests": (429, "The client has used up its share of requests."),
    "internal-error": (500, "The service failed; the error's type is in its log."),
    "fhir-server-failed": (502, "The FHIR server could not be reached or answered with an error."),
    "database-failed": (502, "The ledger's database could not be used."),
    "queue-full": (503, "As many requests wait for the model as may."),
    "model-unavailable": (503, "The model could not be loaded; the service's log says why."),
    "shutting-down": (503, "The service is shutting down."),
    "timeout": (503, "The request took longer than the settings allow."),
}
"""Every problem code with its status and its words; the API's page lists them."""

RETRY_AFTER = {"queue-full": 1, "model-unavailable": 10, "shutting-down": 10, "timeout": 5}
"""Seconds after which it makes sense to ask again, where the problem itself does not say better."""

_AZURE = "/v1/azure/"


@dataclass
class ProblemError(Exception):
    """An answer other than success.

    Attributes:
        code: a key of `CODES`.
        detail: one plain sentence more, without anything of the note.
        reason: the reason code, where a note could not be used.
        errors: for `invalid`: where in the request, what is wrong there, and what would be right.
        request_id: names the request in the log; "" for a part of one.
    """

    code: str
    detail: str = ""
    reason: str = ""
    errors: tuple[dict[str, str], ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    request_id: str = ""

    @property
    def status(self) -> int:
        """The HTTP status."""
        return CODES[self.code][0]

    def body(self) -> dict[str, Any]:
        """The problem document."""
        body: dict[str, Any] = {
            "type": f"/docs#problem-{self.code}",
            "title": CODES[self.code][1],
            "status": self.status,
            "code": self.code,
        }
        for name in ("detail", "reason", "errors", "request_id"):
            if value := getattr(self, name):
                body[name] = value
        return body

    def all_headers(self) -> dict[str, str]:
        """The answer's headers, `Retry-After` among them where it makes sense."""
        retry = RETRY_AFTER.get(self.code)
        return ({"Retry-After": str(retry)} if retry else {}) | self.headers


_SEARCH = (
    "The FHIR server does not take this search. Where it wants a patient in every search, all summaries at "
    "once are not to be had: look at those of one patient."
)


def from_error(error: Exception) -> ProblemError:
    """What to answer to an error that may be expected; anything else is an internal error."""
    match error:
        case ProblemError():
            return error
        case NoteError():
            return _note(error)
        case NotFoundError() | GoneError():
            return ProblemError("not-found", "The FHIR server has no such resource.")
        case RefusedError():
            return ProblemError("fhir-server-failed", "The FHIR server does not let this service read that.")
        case HttpStatusError() if error.asks_otherwise and error.what.startswith("search of"):
            return ProblemError("fhir-server-failed", _SEARCH)
        case ServerTimeoutError() | ServerUnreachableError():
            return ProblemError("fhir-server-failed", "The FHIR server gave no answer.")
        case ReviewError():
            return ProblemError("conflict", str(error))
        case FhirAdapterError():
            return ProblemError("fhir-server-failed", "The FHIR server answered with an error.")
        case LedgerError():
            return ProblemError("database-failed")
        case RequestValidationError():
            return ProblemError("invalid", errors=faults(error.errors()))
        case HTTPException():
            return _http(error)
    return ProblemError("internal-error")


_NOTE_CODES = {
    Reason.UNSUPPORTED_TYPE: "unsupported-type",
    Reason.TOO_LARGE: "too-large",
    Reason.TOO_MANY_SENTENCES: "too-large",
    Reason.TOO_MANY_TOKENS: "too-large",
    Reason.INTERNAL_ERROR: "internal-error",
    Reason.TIMEOUT: "timeout",
}


def _note(error: NoteError) -> ProblemError:
    code = _NOTE_CODES.get(error.reason, "unreadable-note")
    return ProblemError(code, error.reason.words, reason=error.reason.value)


NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_BOUNDS = {
    "ge": "at least {}",
    "gt": "more than {}",
    "le": "at most {}",
    "lt": "less than {}",
    "min_length": "at least {} long",
    "max_length": "at most {} long",
    "pattern": "matching {}",
    "expected": "{}",
}


def faults(errors: Sequence[Any], known: Iterable[str] = ()) -> tuple[dict[str, str], ...]:
    """Place and kind of each of pydantic's errors, and what would be right there.

    The input is left out, since it may be a note; so is the name of an unknown field that looks like words.

    Args:
        errors: as pydantic gives them, with their contexts.
        known: names of fields, told where one is unknown.
    """
    return tuple(_fault(error, tuple(known)) for error in errors[:20])


# What would have the right kind, by how pydantic names the wrong one.
_RIGHT = {
    "int": "a whole number",
    "float": "a number",
    "string": "a string",
    "bool": "true or false",
    "list": "an array",
    "dict": "an object",
    "model": "an object",
}
_BRANCH = re.compile(r"(constrained|function|nullable)-.*|int|str")  # of a field that takes several kinds


def _fault(error: Any, known: tuple[str, ...]) -> dict[str, str]:
    unknown = error["type"] == "extra_forbidden"
    where = [str(part) for part in error["loc"]]
    if len(where) > 1 and _BRANCH.fullmatch(where[-1]):
        where.pop()
    if unknown and where and not NAME.fullmatch(where[-1]):
        where[-1] = "(not a name)"
    found = {"where": ".".join(where), "problem": str(error["type"]).replace("_", " ")}
    if unknown:
        found["problem"] = "unknown field"
        allowed = ", ".join(known) if len(where) == 1 else ""
    else:
        context = error.get("ctx") or {}
        allowed = ", ".join(words.format(context[name]) for name, words in _BOUNDS.items() if name in context)
        allowed = allowed or _RIGHT.get(str(error["type"]).partition("_")[0], "")
    return found | ({"allowed": allowed} if allowed else {})


_HTTP_CODES = {
    404: "not-found",
    405: "method-not-allowed",
    413: "too-large",
    415: "unsupported-type",
    422: "invalid",
}


def _http(error: HTTPException) -> ProblemError:
    code = _HTTP_CODES.get(error.status_code, "bad-request" if error.status_code < 500 else "internal-error")
    return ProblemError(code, headers=dict(error.headers or {}))


def wants_page(request: Request) -> bool:
    """Whether a browser asks for a page, and not a program for data."""
    path, accept = request.url.path, request.headers.get("accept", "")
    return not path.startswith("/v1/") and "text/html" in accept


def answer(request: Request, problem: ProblemError) -> Response:
    """The response to a problem; it names the request as the log does."""
    problem.request_id = getattr(request.state, "request_id", "")
    if wants_page(request):
        if problem.code == "unauthorized" and request.app.state.access.signs_in:
            return to_sign_in(request)
        return render(
            request,
            "error.html",
            status=problem.status,
            headers=problem.all_headers(),
            problem=problem.body(),
            again=request.method == "GET" and (problem.status >= 500 or problem.status == 429),
        )
    return json_answer(problem, azure=request.url.path.startswith(_AZURE))


def json_answer(problem: ProblemError, *, azure: bool = False) -> Response:
    """The response as data, whoever asks; `azure` says it in Azure's form as well, which its clients read."""
    body = problem.body()
    if azure:
        message = " ".join(filter(None, (body["title"], problem.detail)))
        body["error"] = {"code": problem.code, "message": message}
    return JSONResponse(body, problem.status, problem.all_headers(), media_type=MEDIA_TYPE)
