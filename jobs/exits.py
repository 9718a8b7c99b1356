"""Exit codes, and the errors that each stands for."""

import sys
from enum import IntEnum

from fhir_adapter.errors import (
    FhirAdapterError,
    HttpStatusError,
    LoginError,
    NotFhirError,
    PolicyError,
    ServerUnreachableError,
)
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.sandbox.hapi_build import HapiError
from fhir_adapter.sandbox.settings import SandboxError
from jobs.ledger.rows import LedgerAddressError, LedgerError, PassRunningError
from jobs.settings import SettingsError
from summarizer.errors import SummarizerError


class Exit(IntEnum):
    """What the process answers."""

    DONE = 0
    SOMETHING_FAILED = 1
    WRONG_USE = 2
    UNREACHABLE = 3


class UsageError(Exception):
    """Wrong use of a command; the message is one sentence that says what to change."""


EXPECTED = (
    UsageError,
    SettingsError,
    SummarizerError,
    FhirAdapterError,
    LedgerError,
    PassRunningError,
)


_OF_PATIENTS = tuple(f"search of {kind}" for kind in FhirClient.of_patients)
_NO_PATIENT = "HAPI-1326"  # what is refused belongs to no patient, as software and model cards do not


def exit_code(error: BaseException) -> Exit:
    """The exit code of an expected error."""
    if isinstance(error, HapiError | SandboxError | LedgerAddressError | LoginError):
        return Exit.WRONG_USE
    unreachable = (ServerUnreachableError, NotFhirError, HttpStatusError, LedgerError)
    return Exit.UNREACHABLE if isinstance(error, unreachable) else Exit.WRONG_USE


def say(error: BaseException) -> str:
    """One plain sentence for standard error."""
    if isinstance(error, PassRunningError):
        return "Another pass over this server is running; wait for it to end, or stop `clinsum run`."
    if isinstance(error, PolicyError) and _NO_PATIENT in str(error):
        return f"{error} Set CLINSUM_WRITE_BASE_URL to a server that takes what belongs to no patient."
    if isinstance(error, HttpStatusError) and error.asks_otherwise and error.what.startswith(_OF_PATIENTS):
        return f"{error}. If it wants a patient in every search: CLINSUM_PATIENTS says for whom."
    return str(error)


def complain(error: BaseException) -> Exit:
    """Prints the sentence and returns the code."""
    sys.stderr.write(f"clinsum: {say(error)}\n")
    return exit_code(error)
