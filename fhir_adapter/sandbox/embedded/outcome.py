"""Errors as FHIR states them: an HTTP status and an OperationOutcome.

Diagnostics name elements, parameters and places in a Bundle. They never repeat values that a client sent.
"""

from typing import Any

from fhir_adapter.errors import FhirAdapterError


class RequestRefusedError(FhirAdapterError):
    """A request that is answered by an OperationOutcome.

    Attributes:
        status: HTTP status.
        code: code of the issue, from http://hl7.org/fhir/issue-type.
        diagnostics: one plain sentence for the developer of the client.
    """

    def __init__(self, status: int, code: str, diagnostics: str) -> None:
        super().__init__(f"HTTP {status} {code}: {diagnostics}")
        self.status = status
        self.code = code
        self.diagnostics = diagnostics

    def within(self, place: str) -> "RequestRefusedError":
        """The same error, with the place in a Bundle at which it arose."""
        return RequestRefusedError(self.status, self.code, f"{place}: {self.diagnostics}")


def invalid(diagnostics: str) -> RequestRefusedError:
    """400: what came cannot be processed."""
    return RequestRefusedError(400, "invalid", diagnostics)


def unsupported(diagnostics: str) -> RequestRefusedError:
    """400: a parameter, modifier or value that this server does not know."""
    return RequestRefusedError(400, "not-supported", diagnostics)


def not_found(diagnostics: str) -> RequestRefusedError:
    """404: never there."""
    return RequestRefusedError(404, "not-found", diagnostics)


def gone(diagnostics: str) -> RequestRefusedError:
    """410: was there once."""
    return RequestRefusedError(410, "deleted", diagnostics)


def precondition_failed(diagnostics: str) -> RequestRefusedError:
    """412: the state of the server is not the one that the client asked for."""
    return RequestRefusedError(412, "conflict", diagnostics)


def operation_outcome(code: str, diagnostics: str, severity: str = "error") -> dict[str, Any]:
    """An OperationOutcome with one issue."""
    return {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": severity, "code": code, "diagnostics": diagnostics}],
    }
