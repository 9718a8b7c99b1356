"""What the page of a note asks its reader: how the summary served them, and whether they attest it."""

from dataclasses import dataclass

from fhir_adapter.audit.verdict import Examined, Kind
from fhir_adapter.writing.review import Served
from jobs.web.guard.access import Principal, Scope

ATTEST = "attest"
_THANKS = {
    ATTEST: "You have attested this summary. It stays as it is from now on; the next one comes after it.",
    Served.USEFUL.value: "Kept on the FHIR server: useful.",
    Served.MISLEADING.value: "Kept on the FHIR server: misleading.",
    Served.MISSED.value: "Kept on the FHIR server: missed something.",
}


@dataclass(frozen=True, slots=True)
class Asking:
    """The form.

    Attributes:
        version: of the Composition that is read.
        person: the name of who is signed in; "" where one has to be typed.
        attest: it can be attested.
        thanks: what was said just now, in a sentence, or "".
    """

    version: str
    person: str
    attest: bool
    thanks: str


def attestable(examined: Examined) -> bool:
    """Whether a summary holds and counts, so that somebody can put their name to it."""
    return examined.kind is Kind.SUMMARY and examined.audit.ok and examined.audit.state.current


def asking(examined: Examined, principal: Principal | None, said: str) -> Asking | None:
    """The form for a reader; None for one who may not say anything, or where there is no version to name."""
    if principal is None or Scope.REVIEW not in principal.scopes or not examined.record.version:
        return None
    return Asking(
        version=examined.record.version,
        person=principal.person,
        attest=attestable(examined),
        thanks=_THANKS.get(said, ""),
    )
