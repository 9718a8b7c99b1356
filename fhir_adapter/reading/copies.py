"""Whether two resources are copies of one note: the same text of one patient, said once and filed twice.

The same words may be said twice of a patient: no growth in a culture of Monday, and none in that of Friday.
These are two notes. So the text alone does not make a copy: nothing that the resources state may speak
against it. A patient is asked for by whoever compares (`writing.summary.text_key`).
"""

from fhir_adapter.elements import confidentiality, labels
from fhir_adapter.lenient import as_dict, coded, relative
from fhir_adapter.note import NoteText, SourceNote
from fhir_adapter.stamps import instant, nanoseconds

_DAY = 10  # characters of a date to the day


def same_note(one: SourceNote, other: SourceNote, base_url: str) -> bool:
    """Whether nothing that two resources state says that they are two notes, or protects them otherwise."""
    return same_occasion(one, other, base_url) and same_protection(one, other)


def same_occasion(one: SourceNote, other: SourceNote, base_url: str) -> bool:
    """Whether they do not name two encounters, nor two days on which they took place.

    When a resource was filed or released tells nothing against it: a copy may be filed years later. It tells
    something for it: a result is released days after its study, and filed as a document then.
    """
    encounters = {_encounter(note, base_url) for note in (one, other)} - {""}
    if len(encounters) > 1:
        return False
    days = [_days(note.service) for note in (one, other)]
    if not all(days):
        return True
    return bool((days[0] | _days(one.filed)) & (days[1] | _days(other.filed)))


def same_protection(one: SourceNote, other: SourceNote) -> bool:
    """Whether both carry the same labels: a summary is read by those who may read all its sources."""
    first, second = (coded(labels(note.security)) for note in (one, other))
    return first == second and confidentiality(one.security) == confidentiality(other.security)


def same_text(one: NoteText, other: NoteText) -> bool:
    """Whether two texts say the same: their characters, and what the formats declare of these.

    A line struck out in HTML says another thing than the same line in plain text.
    """
    return (one.sha256, one.marks, one.parts) == (other.sha256, other.marks, other.parts)


def _encounter(note: SourceNote, base_url: str) -> str:
    return relative(as_dict(note.encounter).get("reference"), base_url)


def _days(times: tuple[str, ...]) -> set[str]:
    """The days as written, and those in UTC: two zones may call one moment two days."""
    found = [time for time in times if len(time) >= _DAY and nanoseconds(time) is not None]
    return {time[:_DAY] for time in found} | {_utc_day(time) for time in found}


def _utc_day(time: str) -> str:
    return instant(nanoseconds(time) or 0)[:_DAY]
