"""The one exception tree of this package. No message holds note text or identifiers of a patient.

    FhirAdapterError
    ├── NoteError                  one note cannot be used; data for the ledger
    ├── ServerUnreachableError     no answer after all retries
    │   ├── ServerTimeoutError     the answer took too long, each time
    │   └── LoginError             the token endpoint gives no token for these credentials
    ├── NotFhirError               an answer, but not as a FHIR R4 server gives it
    │   ├── OutsideBaseError       a link or a redirect out of the base address
    │   └── EndlessLinksError      next links that lead to the same again and again
    ├── UnconfirmedError           a write of which the answer does not say whether it was done
    ├── ResponseTooLargeError      an answer over the limit
    └── HttpStatusError            an error status
        ├── NotFoundError          404
        ├── GoneError              410
        ├── ConflictError          409, 412
        ├── DamagedError           a document that does not hold what was filed in it
        ├── UnsearchableError      a search for one patient alone, and nobody says for whom
        └── RefusedError           401, 403, 407

`RecalledError` (writing) and `TimelineError` (timeline) hang below `FhirAdapterError` too. What an error
means for the one note that was read or written stands in one table each: `read_fault`, `write_fault`.
"""

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


class LoginError(ServerUnreachableError):
    """The token endpoint gives no token for these credentials, so the server cannot be asked anything."""


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


class EndlessLinksError(NotFhirError):
    """A search whose next links never end: in a circle, or to the same resources again and again."""


class UnconfirmedError(FhirAdapterError):
    """A write was sent, and the answer does not say what became of it; what is there has to be read."""


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

    @property
    def passing(self) -> bool:
        """True where the same request may well succeed in a moment."""
        return (self.status >= 500 and self.status != 501) or self.status == 429

    @property
    def unsupported(self) -> bool:
        """True where the server does not do this request, and may do another one for the same.

        Servers refuse a search parameter or a header that they do not know with any of these.
        """
        return self.status in _UNSUPPORTED

    @property
    def says_not_there(self) -> bool:
        """Of a read: nothing is there. Servers refuse ids that none of theirs can be with 400."""
        return self.status in (400, 404, 410)

    @property
    def asks_otherwise(self) -> bool:
        """`unsupported`, and not for the reason that there is nothing of the kind at all (404)."""
        return self.unsupported and self.status != 404


class NotFoundError(HttpStatusError):
    """404: never there."""


class GoneError(HttpStatusError):
    """410: deleted, or a search page that expired."""


class ConflictError(HttpStatusError):
    """409 or 412: somebody else wrote first."""


class DamagedError(HttpStatusError):
    """422: the server does not give back what was filed in a document (`fhir_adapter.filing`)."""


class UnsearchableError(HttpStatusError):
    """The server refuses to look for this without a patient, and whose it is is not known.

    So nothing says that it is not there.
    """

    @property
    def says_not_there(self) -> bool:
        """Never."""
        return False


class RefusedError(HttpStatusError):
    """401, 403 or 407: not allowed."""


_UNSUPPORTED = frozenset({400, 403, 404, 405, 422, 501})
# Statuses that do not pass by waiting: nothing is there, or not in this form.
_NOTHING_THERE = frozenset({400, 404, 405, 406, 410, 415})
_READ_FAULTS: tuple[tuple[type[FhirAdapterError], Reason, str], ...] = (
    (RefusedError, Reason.FORBIDDEN, "HTTP {0.status}"),
    (HttpStatusError, Reason.SERVER_ERROR, "HTTP {0.status}"),
    (ResponseTooLargeError, Reason.TOO_LARGE, "more than {0.limit} bytes"),
    (NotFhirError, Reason.WRONG_ANSWER, "{0.__class__.__name__}"),
    (ServerTimeoutError, Reason.TIMEOUT, "no complete answer in time"),
    (FhirAdapterError, Reason.SERVER_ERROR, "{0.__class__.__name__}"),
)


def read_fault(error: FhirAdapterError) -> NoteError:
    """What an error means for the note whose bytes were asked for; a NoteError stays what it is."""
    if isinstance(error, NoteError):
        return error
    if isinstance(error, HttpStatusError) and error.status in _NOTHING_THERE:
        return NoteError(Reason.NOT_FOUND, f"HTTP {error.status}")
    _, reason, detail = next(row for row in _READ_FAULTS if isinstance(error, row[0]))
    return NoteError(reason, detail.format(error))


# Of 400 to 499, those that say nothing of the summary itself: a missing route, a full queue, another writer.
_PASSING = frozenset({404, 408, 409, 410, 412, 413, 421, 425, 429})


def write_fault(error: HttpStatusError) -> NoteError:
    """What an error status means for the summary that was to be written or ended."""
    if isinstance(error, RefusedError):
        reason = Reason.FORBIDDEN
    else:
        refused = 400 <= error.status < 500 and error.status not in _PASSING
        reason = Reason.REJECTED_BY_SERVER if refused else Reason.SERVER_ERROR
    return NoteError(reason, f"HTTP {error.status} {' '.join(error.codes)}".strip())


class PolicyError(FhirAdapterError):
    """The server refuses what every summary needs; one sentence with the server's own words.

    It is raised for resources that concern no patient alone, so that these words may be shown.
    """

    def __init__(self, what: str, error: HttpStatusError) -> None:
        said = " ".join(error.words.split())
        codes = f" ({', '.join(error.codes)})" if error.codes else ""
        words = f": {said}" if said else "."
        super().__init__(f"The server refuses {what}: HTTP {error.status}{codes}{words}")
