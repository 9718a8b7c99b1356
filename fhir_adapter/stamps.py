"""FHIR instants and dates as points in time, with every digit that servers write."""

import re
from datetime import UTC, datetime, timedelta, timezone

from fhir_adapter.lenient import JsonObject, as_dict

_STAMP = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:?\d\d)?)?)?)?",
    re.IGNORECASE,
)
_R4_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
_SECOND = 1_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LAST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND

_DAY = 86_400_000_000_000


def nanoseconds(stamp: object) -> int | None:
    """Nanoseconds since 1970 of an instant, dateTime or date; None where it is none.

    A missing part counts as its lowest value and a missing offset as UTC; digits past the ninth are cut.
    """
    match = _STAMP.fullmatch(stamp.strip()) if isinstance(stamp, str) else None
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    # 24:00:00 and the leap second 23:59:60 occur; both are the next second.
    extra = timedelta(hours=int(hour or 0), minutes=int(minute or 0), seconds=int(second or 0))
    try:
        moment = datetime(int(year), int(month or 1), int(day or 1), tzinfo=_zone(offset)) + extra
        whole = moment - _EPOCH
    except (ValueError, OverflowError):
        return None
    return (whole.days * 86400 + whole.seconds) * _SECOND + int(((fraction or "") + "0" * 9)[:9])


def last_updated(resource: JsonObject) -> int | None:
    """When the server says that it stored a resource, in nanoseconds; None where it does not."""
    return nanoseconds(as_dict(resource.get("meta")).get("lastUpdated"))


def instant(nanos: int) -> str:
    """The instant in UTC, cut to milliseconds, as servers take it in a search.

    What lies outside of the years 1 to 9999 becomes their first or last instant: a server may stamp with the
    least value of its date, and a search begins before that.
    """
    moment = _EPOCH + timedelta(microseconds=min(max(nanos // 1000, _FIRST), _LAST))
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def r4_form(stamp: str) -> str:
    """A stamp as R4 writes an instant: as it is, or the same moment in UTC; "" where it is none."""
    moment = nanoseconds(stamp)
    if moment is None:
        return ""
    return stamp.strip() if _R4_INSTANT.fullmatch(stamp.strip()) else instant(moment)


def in_nanoseconds(span: timedelta) -> int:
    """A time span in nanoseconds."""
    return (span.days * 86400 + span.seconds) * _SECOND + span.microseconds * 1000


def _zone(offset: str | None) -> timezone:
    if offset is None or offset in "Zz":
        return UTC
    digits = offset[1:].replace(":", "")
    span = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-span if offset[0] == "-" else span)


def last_moment(stamp: object) -> int | None:
    """The end of a date (a year, a month, a day), or an instant itself, in nanoseconds; None for neither."""
    begin = nanoseconds(stamp)
    if begin is None or not isinstance(stamp, str) or "T" in stamp:
        return begin
    days = {4: 366, 7: 31}.get(len(stamp.strip()), 1)
    return begin + days * _DAY - 1
