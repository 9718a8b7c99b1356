"""A page of notes as a walk gives it."""

from collections.abc import Sequence
from dataclasses import dataclass

from fhir_adapter.errors import NoteError
from fhir_adapter.lenient import JsonObject, reference_of
from fhir_adapter.note import SourceNote
from fhir_adapter.reading.source_note import read_source
from fhir_adapter.reasons import Reason


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An entry of a page that gives no note.

    Attributes:
        reference: `Type/id`, or "" where not even that can be read.
        version_id: `meta.versionId` as found, or "".
    """

    reference: str
    reason: Reason
    detail: str
    version_id: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a pass.

    Attributes:
        notes: in the server's order. Eligible or not: ask `Source.ineligible`.
        newest: the newest stamp seen so far in the pass, as the server wrote it; the next watermark, once
            the last page is safely in the ledger. None where nothing has a stamp.
        is_last: the pass ends with this page.
        derived: resources left out because they carry the tag of what this software writes.
        repeated: resources left out because this pass, or by their stamp an earlier one, had them already.
        notice: a plain sentence where this page is known to be less certain than it should be.
        whole: False where the walk up to here may have missed something that is there; `newest` is then no
            watermark.
    """

    notes: tuple[SourceNote | Unreadable, ...]
    newest: str | None
    is_last: bool
    derived: int = 0
    repeated: int = 0
    notice: str = ""
    whole: bool = True


def unreadable(references: Sequence[str], detail: str) -> tuple[Unreadable, ...]:
    """Entries that cannot be read, one without a name where there is none."""
    return tuple(Unreadable(reference, Reason.SERVER_ERROR, detail) for reference in references or ("",))


def read_entry(resource: JsonObject, resource_type: str) -> SourceNote | Unreadable:
    """A match as a note of the type that was asked for, or why it is none."""
    version = resource.get("meta", {}).get("versionId") if isinstance(resource.get("meta"), dict) else None
    known = version if isinstance(version, str) else ""
    if resource.get("resourceType") != resource_type:
        return Unreadable(
            reference_of(resource), Reason.MALFORMED, "a match that does not say its type", known
        )
    try:
        return read_source(resource)
    except NoteError as error:
        return Unreadable(reference_of(resource), error.reason, error.detail, known)
