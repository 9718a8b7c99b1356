"""Which notes are to be summarised, by their status."""

from dataclasses import dataclass

from fhir_adapter.note import SourceNote
from fhir_adapter.reasons import Reason

_IN_ERROR = "entered-in-error"
_SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class Policy:
    """Statuses that count as finished.

    Attributes:
        document_statuses: of `DocumentReference.status`. `superseded` is among them because real servers
            file the notes of closed encounters so; a document that another one replaces is left out anyway.
        doc_statuses: of `DocumentReference.docStatus`, where there is one.
        report_statuses: of `DiagnosticReport.status`.
    """

    document_statuses: frozenset[str] = frozenset({"current", _SUPERSEDED})
    doc_statuses: frozenset[str] = frozenset({"final", "amended", "corrected", "appended"})
    report_statuses: frozenset[str] = frozenset({"final", "amended", "corrected", "appended"})


def ineligible(note: SourceNote, policy: Policy) -> Reason | None:
    """Why a note is not to be summarised by its status, or None where it is."""
    if _IN_ERROR in (note.status, note.doc_status):
        return Reason.ENTERED_IN_ERROR
    if "cancelled" in (note.status, note.doc_status):
        return Reason.CANCELLED
    if note.left_out:
        return Reason.NOT_SELECTED
    if note.modified:
        return Reason.UNKNOWN_MODIFIER
    if note.resource_type == "DiagnosticReport":
        return None if note.status in policy.report_statuses else Reason.NOT_FINAL
    if note.replaced_by or (note.status == _SUPERSEDED and _SUPERSEDED not in policy.document_statuses):
        return Reason.SUPERSEDED
    if note.status not in policy.document_statuses:
        return Reason.NOT_FINAL
    if note.doc_status is not None and note.doc_status not in policy.doc_statuses:
        return Reason.NOT_FINAL
    return None
