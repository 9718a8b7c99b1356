from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_adapter.stamps import in_nanoseconds, instant, nanoseconds, r4_form


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2024-05-01T12:00:00Z", "2024-05-01T14:00:00+02:00"),
        ("2024-05-01T12:00:00.000Z", "2024-05-01T06:30:00-05:30"),
        ("2024-05-01", "2024-05-01T00:00:00Z"),
        ("2024", "2024-01-01T00:00:00Z"),
        ("2024-05", "2024-05-01T00:00:00Z"),
        ("2024-05-01T24:00:00Z", "2024-05-02T00:00:00Z"),
        ("2024-12-31T23:59:60Z", "2025-01-01T00:00:00Z"),
        ("2024-05-01T12:00Z", "2024-05-01T12:00:00"),
        ("2024-05-01t12:00:00+0200", "2024-05-01T10:00:00z"),
        ("2024-05-01T12:00:00.1234567891Z", "2024-05-01T12:00:00.123456789Z"),
    ],
)
def test_one_moment_written_twice(one, other):
    assert nanoseconds(one) == nanoseconds(other) is not None


@pytest.mark.parametrize(
    "odd",
    ["", "soon", None, 3, {}, "2024-13-01", "2024-02-30T00:00:00Z", "2024-05-01T12:00:00+99:00", "0000"],
)
def test_what_is_no_stamp(odd):
    assert nanoseconds(odd) is None


def test_digits_below_the_millisecond_order():
    stamps = ["2024-05-01T12:00:00.1Z", "2024-05-01T12:00:00.1000001Z", "2024-05-01T12:00:00.10000011Z"]
    assert stamps == sorted(stamps, key=nanoseconds)
    assert len({nanoseconds(s) for s in stamps}) == 3


@given(
    st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2100, 1, 1)),
    st.integers(min_value=-14 * 60, max_value=14 * 60),
)
def test_an_instant_is_the_moment_cut_to_milliseconds(moment, minutes):
    local = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    nanos = nanoseconds(local.isoformat())
    cut = local.astimezone(UTC)
    cut = cut.replace(microsecond=cut.microsecond // 1000 * 1000)
    assert datetime.fromisoformat(instant(nanos)) == cut
    assert 0 <= nanos - nanoseconds(instant(nanos)) < in_nanoseconds(timedelta(milliseconds=1))


@pytest.mark.parametrize(
    ("stamp", "written"),
    [
        ("2024-05-01T12:00:00.5+02:00", "2024-05-01T12:00:00.5+02:00"),
        ("2024-05-01T12:00:00", "2024-05-01T12:00:00.000Z"),
        ("2024-05-01T12:00:00+0200", "2024-05-01T10:00:00.000Z"),
        ("0000-00-00T00:00:00Z", ""),
        ("x", ""),
    ],
)
def test_a_stamp_as_r4_writes_an_instant(stamp, written):
    assert r4_form(stamp) == written


def test_what_lies_outside_of_the_calendar_becomes_its_first_or_last_instant():
    day = in_nanoseconds(timedelta(days=1))
    first, last = nanoseconds("0001-01-01T00:00:00Z"), nanoseconds("9999-12-31T23:59:59.999Z")
    assert instant(first - day) == instant(first) == "0001-01-01T00:00:00.000Z"
    assert instant(last + day) == instant(last) == "9999-12-31T23:59:59.999Z"
