from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_adapter.sandbox.embedded.when import (
    BEGINNING,
    END,
    Range,
    http_date,
    instant_text,
    milliseconds,
    range_of,
    range_of_element,
)


def at(*parts: int) -> int:
    return milliseconds(datetime(*parts, tzinfo=UTC))  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("2024", at(2024, 1, 1), at(2025, 1, 1)),
        ("2024-12", at(2024, 12, 1), at(2025, 1, 1)),
        ("2024-02", at(2024, 2, 1), at(2024, 3, 1)),
        ("2024-02-29", at(2024, 2, 29), at(2024, 3, 1)),
        ("2024-05-01T10:30", at(2024, 5, 1, 10, 30), at(2024, 5, 1, 10, 31)),
        ("2024-05-01T10:30:05Z", at(2024, 5, 1, 10, 30, 5), at(2024, 5, 1, 10, 30, 6)),
        ("2024-05-01T10:30:05+02:00", at(2024, 5, 1, 8, 30, 5), at(2024, 5, 1, 8, 30, 6)),
        ("2024-05-01T10:30:05-05:30", at(2024, 5, 1, 16, 0, 5), at(2024, 5, 1, 16, 0, 6)),
        ("2024-05-01T10:30:05.5Z", at(2024, 5, 1, 10, 30, 5) + 500, at(2024, 5, 1, 10, 30, 5) + 501),
        ("2024-05-01T10:30:05.123999Z", at(2024, 5, 1, 10, 30, 5) + 123, at(2024, 5, 1, 10, 30, 5) + 124),
        ("1899-12-31", at(1899, 12, 31), at(1900, 1, 1)),
    ],
)
def test_a_date_is_the_range_of_its_precision(text: str, low: int, high: int) -> None:
    assert range_of(text) == Range(low, high)


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2024-13", "2024-02-30", "24-01-01", "2024-05-01T25:00:00Z", "0000", "9999-12-31",
     "2024-05-01T10:30:05 02:00", "2024-1-1", "2024-05-01T10:30:60Z", "٢٠٢٤"],
)  # fmt: skip
def test_what_is_no_date_has_no_range(text: str) -> None:
    assert range_of(text) is None


def test_periods_may_be_open() -> None:
    day = Range(at(2024, 5, 1), at(2024, 5, 2))
    assert range_of_element({"start": "2024-05-01", "end": "2024-05-01"}) == day
    assert range_of_element({"start": "2024-05-01"}) == Range(day.low, END)
    assert range_of_element({"end": "2024-05-01"}) == Range(BEGINNING, day.high)
    assert range_of_element({"start": "soon"}) is None
    assert range_of_element({}) is None
    assert range_of_element(7) is None


def test_a_timing_spans_its_events() -> None:
    timing = {"event": ["2024-05-02", "2024-05-01", "rubbish"]}
    assert range_of_element(timing) == Range(at(2024, 5, 1), at(2024, 5, 3))
    assert range_of_element({"event": ["rubbish"]}) is None


@given(st.datetimes(datetime(1800, 1, 1), datetime(2200, 1, 1)))
def test_an_instant_is_read_as_it_was_written(moment: datetime) -> None:
    ms = milliseconds(moment.replace(tzinfo=UTC))
    text = instant_text(ms)
    assert range_of(text) == Range(ms, ms + 1)
    assert datetime.fromisoformat(text) - moment.replace(tzinfo=UTC) <= timedelta(0)


def test_http_dates() -> None:
    assert http_date(at(1994, 11, 6, 8, 49, 37)) == "Sun, 06 Nov 1994 08:49:37 GMT"
