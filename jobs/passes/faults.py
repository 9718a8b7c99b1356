"""Whose fault an error is: the note's, which then fails alone, or the server's, which ends the pass."""

from fhir_adapter.errors import (
    FhirAdapterError,
    GoneError,
    HttpStatusError,
    LoginError,
    NoteError,
    NotFhirError,
    NotFoundError,
    OutsideBaseError,
    ServerUnreachableError,
    read_fault,
)
from fhir_adapter.reasons import Reason
from fhir_adapter.rest.client import FhirClient

_PROBE = "Composition/clinsum-ready"  # nothing is there, and that is an answer
# 404 with one of these is said by what stands before the server, or for now.
_NOT_OF_THE_NOTE = frozenset({"login", "security", "forbidden", "timeout", "throttled", "transient"})


async def note_fault(client: FhirClient, error: FhirAdapterError) -> NoteError:
    """The note's own end after this error, found out by asking the server for something else.

    One resource may be refused (403), break the server's code (500), or come as something that is no FHIR,
    while all others are served; a server that is down answers nothing at all.

    Raises:
        LoginError: whoever gets no token for one note gets none for the others.
        ServerUnreachableError, NotFhirError: the server answers nothing else either.
    """
    if isinstance(error, LoginError):
        raise error
    if isinstance(error, OutsideBaseError):
        return NoteError(Reason.SERVER_ERROR, "led away from the server's base address")
    if isinstance(error, ServerUnreachableError | NotFhirError):
        await _answers(client)
        hint = "no answer" if isinstance(error, ServerUnreachableError) else "an answer that is not FHIR"
        return NoteError(Reason.SERVER_ERROR, hint)
    return read_fault(error)


def says_deleted(error: FhirAdapterError) -> bool:
    """The server itself says that the note is not there; a gateway's 404 holds no OperationOutcome."""
    if isinstance(error, NotFoundError):
        return bool(error.codes) and not _NOT_OF_THE_NOTE & set(error.codes)
    return isinstance(error, GoneError)


async def _answers(client: FhirClient) -> None:
    try:
        await client.read_if_there(_PROBE)
    except HttpStatusError:
        return  # an answer of a FHIR server all the same
