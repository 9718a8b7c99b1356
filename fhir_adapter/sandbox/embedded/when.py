"""FHIR dates as ranges of milliseconds since 1970, UTC.

`2024-05` is the whole month: [2024-05-01T00:00, 2024-06-01T00:00). A time without a zone counts as UTC.
"""

import re
import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, NamedTuple

_FORM = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:\d\d)?)?)?)?",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

BEGINNING = -(1 << 62)
"""Lower end of a period that states no start."""
END = 1 << 62
"""Upper end of a period that states no end."""


class Range(NamedTuple):
    """Half-open range of milliseconds since 1970, UTC."""

    low: int
    high: int


def milliseconds(moment: datetime) -> int:
    """Whole milliseconds since 1970."""
    return (moment - _EPOCH) // _MILLISECOND


def instant_text(ms: int) -> str:
    """FHIR instant with three decimals, UTC: `2024-05-01T10:00:00.123+00:00`."""
    return (_EPOCH + ms * _MILLISECOND).isoformat(timespec="milliseconds")


def http_date(ms: int) -> str:
    """IMF-fixdate of RFC 9110, for `Last-Modified`."""
    moment = _EPOCH + ms * _MILLISECOND
    day = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[moment.weekday()]
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    return f"{day}, {moment:%d} {months[moment.month - 1]} {moment:%Y %H:%M:%S} GMT"


def range_of(text: str) -> Range | None:
    """The range that a date, dateTime or instant stands for; None where it is none of these."""
    match = _FORM.fullmatch(text)
    if match is None:
        return None
    try:
        low = _start(match)
        return Range(milliseconds(low), milliseconds(_after(low, match)))
    except (ValueError, OverflowError):
        return None


def range_of_element(value: Any) -> Range | None:
    """The range of a date string, a Period, or a Timing's events; None where nothing can be read."""
    if isinstance(value, str):
        return range_of(value)
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("event"), list):
        found = [r for r in map(range_of_element, value["event"]) if r is not None]
        return Range(min(r.low for r in found), max(r.high for r in found)) if found else None
    start, end = range_of_element(value.get("start")), range_of_element(value.get("end"))
    if start is None and end is None:
        return None
    return Range(start.low if start else BEGINNING, end.high if end else END)


def _start(match: re.Match[str]) -> datetime:
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    return datetime(
        int(year),
        int(month or 1),
        int(day or 1),
        int(hour or 0),
        int(minute or 0),
        int(second or 0),
        int((fraction or "")[:3].ljust(3, "0")) * 1000,
        _zone(zone),
    )


def _zone(text: str | None) -> timezone:
    if text is None or text == "Z":
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[4:6]))
    return timezone(-offset if text[0] == "-" else offset)


def _after(low: datetime, match: re.Match[str]) -> datetime:
    _, month, day, hour, _, second, fraction, _ = match.groups()
    if month is None:
        return low.replace(year=low.year + 1)
    if day is None:
        return (low + timedelta(days=31)).replace(day=1)
    if hour is None:
        return low + timedelta(days=1)
    if second is None:
        return low + timedelta(minutes=1)
    return low + (timedelta(seconds=1) if fraction is None else _MILLISECOND)


def now_milliseconds() -> int:
    """The wall clock, milliseconds since 1970."""
    return time.time_ns() // 1_000_000
