"""The one exception tree of this package. No message holds note text or identifiers of a patient."""

from fhir_adapter.reasons import Reason


class FhirAdapterError(Exception):
    """Base of all errors raised here."""


class NoteError(FhirAdapterError):
    """One note cannot be used; data for the ledger, never a reason to stop a pass.

    Attributes:
        reason: the machine-readable code.
        detail: a short technical hint without any note text (a media type, a byte count).
    """

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason.value}: {detail}" if detail else reason.value)
        self.reason = reason
        self.detail = detail

    def __reduce__(self) -> tuple[type["NoteError"], tuple[Reason, str]]:
        """Survives the way back from a child process."""
        return (NoteError, (self.reason, self.detail))


class ServerUnreachableError(FhirAdapterError):
    """No answer from the server after all retries (refused, reset, timed out, name unknown)."""


class ServerTimeoutError(ServerUnreachableError):
    """The server took longer than the settings allow, in every attempt."""


class NotFhirError(FhirAdapterError):
    """Something answered, but not as a FHIR R4 server does."""


class OutsideBaseError(NotFhirError):
    """A link or a redirect leads away from the configured base address.

    Attributes:
        url: where it leads; not part of the message, since its query may hold a token.
    """

    def __init__(self, message: str, url: str) -> None:
        super().__init__(message)
        self.url = url


class ResponseTooLargeError(FhirAdapterError):
    """An answer, decoded, is larger than the limit; reading stopped there.

    Attributes:
        limit: the bytes allowed.
    """

    def __init__(self, what: str, limit: int) -> None:
        super().__init__(f"{what}: the answer is larger than {limit} bytes")
        self.limit = limit


class HttpStatusError(FhirAdapterError):
    """The server answered with an error status.

    Attributes:
        status: the HTTP status.
        codes: OperationOutcome.issue codes and message ids such as HAPI-0989; never diagnostics text.
        words: the server's own, which may hold patient data: not part of the message, and to be shown only
            where what was sent concerns no patient.
    """

    def __init__(self, status: int, what: str, codes: tuple[str, ...] = (), words: str = "") -> None:
        hint = f" ({', '.join(codes)})" if codes else ""
        super().__init__(f"{what}: HTTP {status}{hint}")
        self.status = status
        self.what = what
        self.codes = codes
        self.words = words


class NotFoundError(HttpStatusError):
    """404: never there."""


class GoneError(HttpStatusError):
    """410: deleted, or a search page that expired."""


class ConflictError(HttpStatusError):
    """409 or 412: somebody else wrote first."""


class RefusedError(HttpStatusError):
    """401 or 403: not allowed."""


class PolicyError(FhirAdapterError):
    """The server refuses what every summary needs; one sentence with the server's own words.

    It is raised for resources that concern no patient alone, so that these words may be shown.
    """

    def __init__(self, what: str, error: HttpStatusError) -> None:
        said = " ".join(error.words.split())
        codes = f" ({', '.join(error.codes)})" if error.codes else ""
        words = f": {said}" if said else "."
        super().__init__(f"The server refuses {what}: HTTP {error.status}{codes}{words}")
