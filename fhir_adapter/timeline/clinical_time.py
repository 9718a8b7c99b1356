"""When a note belongs in a patient's history: one time for each source, and an order over fuzzy times.

The elements are those of R4 (DocumentReference, DiagnosticReport); what is read is what the source states,
never the moment at which a server stored it.

Order of preference, first usable value first:

| resource | element | why |
|---|---|---|
| DiagnosticReport | `effectiveDateTime`, `effectiveInstant`, `effectivePeriod.start`, `.end` | the study |
| | `presentedForm.creation`, `issued` | the report was written, released |
| DocumentReference | `content.attachment.creation`, `date`, if inside `context.period` | in the service |
| | `context.period`: the end nearest to when it was written, or the one stated | the service |
| | `content.attachment.creation`, `date` (`created`, `indexed`) | where no period is stated |

A period of a stay is shared by all its notes, so the time a note was written tells more as long as it lies
inside it; a note written later still belongs to the service, and stands at its end. A value that only says
the year, month or day gives way to a later one in the table that lies inside it and is more exact, of a study
one that only says the year or month. Times with a zone are compared as instants.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from fhir_adapter.lenient import JsonObject
from fhir_adapter.stamps import in_nanoseconds, nanoseconds

_ZONE = re.compile(r"(?<=[\d.])(Z|[+-]\d\d:?\d\d)$", re.IGNORECASE)
_DAY = in_nanoseconds(timedelta(days=1))


class Precision(StrEnum):
    """How exactly a time is stated."""

    UNKNOWN = "unknown"
    YEAR = "year"
    MONTH = "month"
    DAY = "day"
    TIME = "time"


_RANKS = (Precision.YEAR, Precision.MONTH, Precision.DAY, Precision.TIME)
_LENGTHS = {4: Precision.YEAR, 7: Precision.MONTH, 10: Precision.DAY}


@dataclass(frozen=True, slots=True)
class ClinicalTime:
    """One time of a note.

    Attributes:
        value: a FHIR date, dateTime or instant as the source states it; "" where it states none.
        element: the element it stands in, such as `DiagnosticReport.effectiveDateTime`; "" with no value.
    """

    value: str = ""
    element: str = ""

    @property
    def precision(self) -> Precision:
        """How exactly it is stated."""
        return precision(self.value)


@dataclass(frozen=True, slots=True)
class NoteTimes:
    """When a note belongs, and when it was written: the second decides where the first is the same."""

    clinical: ClinicalTime = ClinicalTime()
    written: ClinicalTime = ClinicalTime()


def precision(value: str) -> Precision:
    """How exactly a date or dateTime is stated; unknown where it is neither."""
    if nanoseconds(value) is None:
        return Precision.UNKNOWN
    return _LENGTHS.get(len(value), Precision.TIME)


def note_times(resource: JsonObject) -> NoteTimes:
    """The times of a DocumentReference or DiagnosticReport, read leniently."""
    kind = resource.get("resourceType")
    if kind == "DiagnosticReport":
        written = _first(_written(resource, "presentedForm", "DiagnosticReport", ("issued",)))
        study = _first(_study(resource))
        if study.precision in (Precision.YEAR, Precision.MONTH):
            study = _first((study, written))
        return NoteTimes(study if study.value else written, written)
    written = _first(_written(resource, "content", "DocumentReference", ("date", "created", "indexed")))
    return NoteTimes(_documented(resource, written), written)


def _study(resource: JsonObject) -> Iterator[ClinicalTime]:
    for name in ("effectiveDateTime", "effectiveInstant"):
        yield _time(resource.get(name), f"DiagnosticReport.{name}")
    yield from _ends(resource.get("effectivePeriod"), "DiagnosticReport.effectivePeriod")


def _written(resource: JsonObject, place: str, kind: str, names: Iterable[str]) -> Iterator[ClinicalTime]:
    items = resource.get(place)
    for index, item in enumerate(items if isinstance(items, list) else ()):
        attachment = item.get("attachment") if place == "content" and isinstance(item, dict) else item
        if isinstance(attachment, dict):
            path = f"{kind}.{place}[{index}]" + (".attachment" if place == "content" else "")
            yield _time(attachment.get("creation"), f"{path}.creation")
    for name in names:
        yield _time(resource.get(name), f"{kind}.{name}")


def _documented(resource: JsonObject, written: ClinicalTime) -> ClinicalTime:
    context = resource.get("context")
    places = (
        (context.get("period") if isinstance(context, dict) else None, "DocumentReference.context.period"),
        (resource.get("period"), "DocumentReference.period"),  # R5
    )
    for place, element in places:
        stated = [time for time in _ends(place, element) if time.value]
        if not stated:
            continue
        start, end = stated[0], stated[-1]
        if start is end or not written.value:
            return start
        calendar = Calendar(time.value for time in (start, end, written))
        begins, ends, wrote = (calendar.covered(time.value) for time in (start, end, written))
        backwards = ends[1] <= begins[0]
        if backwards or wrote[1] <= begins[0]:
            return start
        return written if wrote[0] < ends[1] else end
    return written


def _ends(period: object, element: str) -> Iterator[ClinicalTime]:
    for end in ("start", "end"):
        yield _time(period.get(end) if isinstance(period, dict) else None, f"{element}.{end}")


def _time(value: object, element: str) -> ClinicalTime:
    text = value.strip() if isinstance(value, str) else ""
    return ClinicalTime() if precision(text) is Precision.UNKNOWN else ClinicalTime(text, element)


def _first(times: Iterable[ClinicalTime]) -> ClinicalTime:
    """The first that states anything, or of the later ones inside it the first that is more exact."""
    stated = [time for time in times if time.value]
    if not stated:
        return ClinicalTime()
    found, calendar = stated[0], Calendar(time.value for time in stated)
    for time in stated[1:]:
        (start, end), (after, until) = calendar.covered(found.value), calendar.covered(time.value)
        more = _RANKS.index(time.precision) > _RANKS.index(found.precision)
        found = time if more and start <= after and until <= end else found
    return found


def _before(value: str) -> int:
    """Where a stated time begins on the wall clock, nanoseconds; a zone is left aside."""
    return nanoseconds(_ZONE.sub("", value) if "T" in value.upper() else value) or 0


def _length(value: str) -> int:
    """Nanoseconds that a stated time stands for."""
    exact = precision(value)
    if exact is Precision.YEAR:
        year = int(value)
        leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        return (366 if leap else 365) * _DAY
    if exact is Precision.MONTH:
        first = datetime(int(value[:4]), int(value[5:7]), 1, tzinfo=UTC)
        return ((first + timedelta(days=31)).replace(day=1) - first).days * _DAY
    if exact is Precision.DAY:
        return _DAY
    return in_nanoseconds(timedelta(seconds=1))


class Calendar:
    """One order over times of any precision, with and without a time zone.

    A time stands where what it states begins; of those that begin together the less exact goes first (2024,
    2024-01, 2024-01-01, then the times of that day), and unknown ones go last. Instants of different zones
    compare as instants. What states no zone is taken in the zone of the zoned time nearest to it, since a
    day of a hospital begins at its own midnight; in UTC where no time has a zone.

    Args:
        times: all that are to be ordered together.
    """

    def __init__(self, times: Iterable[str]) -> None:
        zoned = {_before(value): _offset(value) for value in sorted(set(times)) if _zoned(value)}
        self._walls = sorted(zoned)
        self._offsets = [zoned[wall] for wall in self._walls]

    def key(self, value: str) -> tuple[bool, int, int]:
        """Sorts ascending."""
        exact = precision(value)
        if exact is Precision.UNKNOWN:
            return (True, 0, 0)
        return (False, self._start(value), _RANKS.index(exact))

    def span(self, value: str) -> tuple[int, int] | None:
        """The nanoseconds since 1970 that a stated time covers, half-open; None where it is unknown."""
        if precision(value) is Precision.UNKNOWN:
            return None
        return self.covered(value)

    def covered(self, value: str) -> tuple[int, int]:
        """As `span`, of a time that is known."""
        start = self._start(value)
        return start, start + _length(value)

    def _start(self, value: str) -> int:
        wall = _before(value)
        return wall - (_offset(value) if _zoned(value) else self._nearest(wall))

    def _nearest(self, wall: int) -> int:
        if not self._walls:
            return 0
        place = bisect_left(self._walls, wall)
        beside = range(max(0, place - 1), min(len(self._walls), place + 1))
        return self._offsets[min(beside, key=lambda i: abs(self._walls[i] - wall))]


def _zoned(value: str) -> bool:
    return precision(value) is Precision.TIME and _ZONE.search(value) is not None


def _offset(value: str) -> int:
    """Nanoseconds that the wall clock is ahead of UTC."""
    return _before(value) - (nanoseconds(value) or 0)


def readable(value: str) -> str:
    """A stated time as people read it: `2025-09-03 08:41 -04:00`; `time unknown` where there is none."""
    if precision(value) is not Precision.TIME:
        return value or "time unknown"
    zone = _ZONE.search(value)
    named = {"Z": "UTC", "z": "UTC", "+00:00": "UTC"}
    return f"{value[:10]} {value[11:16]}" + (f" {named.get(zone[0], zone[0])}" if zone else "")
