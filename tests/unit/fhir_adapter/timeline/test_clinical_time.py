"""Which time a note has, and how fuzzy times are ordered."""

from itertools import permutations
from typing import Any

import pytest

from fhir_adapter.timeline.clinical_time import Calendar, Precision, note_times, precision, readable


def document(**elements: Any) -> dict[str, Any]:
    return {"resourceType": "DocumentReference", **elements}


def report(**elements: Any) -> dict[str, Any]:
    return {"resourceType": "DiagnosticReport", **elements}


STAY = {"start": "2025-09-03", "end": "2025-09-06"}
WRITTEN = {"content": [{"attachment": {"creation": "2025-09-04T10:00:00Z"}}]}


@pytest.mark.parametrize(
    ("resource", "value", "element"),
    [
        (document(), "", ""),
        (document(date="soon"), "", ""),
        (document(date="2025-09-05T08:00:00Z"), "2025-09-05T08:00:00Z", "DocumentReference.date"),
        (
            document(date="2025-09-05", **WRITTEN),
            "2025-09-04T10:00:00Z",
            "DocumentReference.content[0].attachment.creation",
        ),
        (
            document(context={"period": STAY}, date="2025-09-05T08:00:00Z"),
            "2025-09-05T08:00:00Z",
            "DocumentReference.date",
        ),
        (
            document(context={"period": STAY}, date="2025-09-06T23:59:00Z"),
            "2025-09-06T23:59:00Z",
            "DocumentReference.date",
        ),
        (
            document(context={"period": STAY}, date="2025-10-01"),
            "2025-09-06",
            "DocumentReference.context.period.end",
        ),
        (
            document(context={"period": STAY}, date="2025-09-01"),
            "2025-09-03",
            "DocumentReference.context.period.start",
        ),
        (document(context={"period": STAY}), "2025-09-03", "DocumentReference.context.period.start"),
        (
            document(context={"period": {"start": "2025-09-03"}}, date="2025-10-01"),
            "2025-09-03",
            "DocumentReference.context.period.start",
        ),
        (
            document(context={"period": {"start": "2025-09-06", "end": "2025-09-03"}}, date="2025-09-04"),
            "2025-09-06",
            "DocumentReference.context.period.start",
        ),
        (
            document(content=[{"attachment": {"creation": "2025"}}], date="2025-06-03T10:00:00Z"),
            "2025-06-03T10:00:00Z",
            "DocumentReference.date",
        ),
        (
            document(content=[{"attachment": {"creation": "2024"}}], date="2025-06-03T10:00:00Z"),
            "2024",
            "DocumentReference.content[0].attachment.creation",
        ),
        (
            # The wall clock of the note, in UTC, is later than the end of the stay; the instant is inside it.
            document(
                context={
                    "period": {"start": "2025-05-31T08:00:00-08:00", "end": "2025-05-31T23:00:00-08:00"}
                },
                date="2025-06-01T02:00:00Z",
            ),
            "2025-06-01T02:00:00Z",
            "DocumentReference.date",
        ),
        (
            document(
                context={
                    "period": {"start": "2025-05-31T08:00:00-08:00", "end": "2025-05-31T23:00:00-08:00"}
                },
                date="2025-05-31T15:30:00Z",
            ),
            "2025-05-31T08:00:00-08:00",
            "DocumentReference.context.period.start",
        ),
        (
            report(effectiveDateTime="2025", issued="2025-09-05T08:00:00Z"),
            "2025-09-05T08:00:00Z",
            "DiagnosticReport.issued",
        ),
        (
            report(effectiveDateTime="2025-09-05", issued="2025-09-05T08:00:00Z"),
            "2025-09-05",
            "DiagnosticReport.effectiveDateTime",
        ),
        (
            report(effectiveDateTime="2025-09-03", issued="2025-09-05T08:00:00Z"),
            "2025-09-03",
            "DiagnosticReport.effectiveDateTime",
        ),
        (
            report(effectivePeriod=STAY, issued="2025-09-05T08:00:00Z"),
            "2025-09-03",
            "DiagnosticReport.effectivePeriod.start",
        ),
        (
            report(presentedForm=[{"creation": "2025-09-04"}], issued="2025-09-05T08:00:00Z"),
            "2025-09-04",
            "DiagnosticReport.presentedForm[0].creation",
        ),
        (report(issued="2025-09-05T08:00:00Z"), "2025-09-05T08:00:00Z", "DiagnosticReport.issued"),
        (report(effectivePeriod="odd", presentedForm="odd", issued=7), "", ""),
    ],
)
def test_the_order_of_preference(resource: dict[str, Any], value: str, element: str) -> None:
    found = note_times(resource).clinical
    assert (found.value, found.element) == (value, element)


def test_the_time_of_writing_is_kept_beside_the_clinical_one() -> None:
    found = note_times(report(effectiveDateTime="2025-09-03", issued="2025-09-05T08:00:00Z"))
    assert found.written.element == "DiagnosticReport.issued"


def in_order(values: list[str]) -> list[str]:
    calendar = Calendar(values)
    return sorted(values, key=calendar.key)


def test_less_exact_times_go_before_what_they_may_hold_and_unknown_ones_last() -> None:
    expected = ["2023-12-31", "2024", "2024-01", "2024-01-01", "2024-01-01T00:00:00Z", "2024-02", "2025", ""]
    for shuffled in list(permutations(expected))[::997]:
        assert in_order(list(shuffled)) == expected


def test_times_of_different_zones_are_ordered_as_instants() -> None:
    values = ["2025-09-03T08:30:00-04:00", "2025-09-03T14:00:00+02:00", "2025-09-03T12:15:00Z"]
    assert in_order(values) == [values[1], values[2], values[0]]


def test_a_day_without_a_zone_begins_at_the_midnight_of_the_times_around_it() -> None:
    evening, day, morning = "2025-09-02T23:30:00-04:00", "2025-09-03", "2025-09-03T00:30:00-04:00"
    assert in_order([morning, day, evening]) == [evening, day, morning]
    assert in_order([day, "2025-09-02T23:30:00Z"]) == ["2025-09-02T23:30:00Z", day]


def test_the_zone_is_that_of_the_nearest_time_so_summer_time_does_not_matter() -> None:
    summer, winter = "2025-07-01T10:00:00-04:00", "2025-12-01T23:30:00-05:00"
    values = [summer, "2025-12-02", winter]
    assert in_order(values) == [summer, winter, "2025-12-02"]


@pytest.mark.parametrize(
    ("value", "exact", "shown"),
    [
        ("", Precision.UNKNOWN, "time unknown"),
        ("2024", Precision.YEAR, "2024"),
        ("2024-02", Precision.MONTH, "2024-02"),
        ("2024-02-29", Precision.DAY, "2024-02-29"),
        ("2024-02-29T08:41:00.123-04:00", Precision.TIME, "2024-02-29 08:41 -04:00"),
        ("2024-02-29T08:41:00Z", Precision.TIME, "2024-02-29 08:41 UTC"),
        ("2024-02-29T08:41", Precision.TIME, "2024-02-29 08:41"),
    ],
)
def test_precision_and_how_people_read_it(value: str, exact: Precision, shown: str) -> None:
    assert precision(value) is exact
    assert readable(value) == shown


def test_what_a_stated_time_covers() -> None:
    day = 86_400 * 10**9
    calendar = Calendar([])
    lengths = {}
    for value in ("2023", "2024", "2024-02", "2024-12", "2024-02-29"):
        span = calendar.span(value)
        assert span
        lengths[value] = (span[1] - span[0]) / day
    assert lengths == {"2023": 365, "2024": 366, "2024-02": 29, "2024-12": 31, "2024-02-29": 1}
    assert calendar.span("") is None
