"""Which lines begin with a time."""

import pytest

from summarizer.segmentation.times import begins_with_time, time_alone_before


@pytest.mark.parametrize(
    "line",
    ["21:13 GCS 6", "(0955) CT head", "1005 Nicardipine begun", "@2110 Fell", "9:05 am seen", "0815 - Awake"],
)
def test_a_time(line: str) -> None:
    assert begins_with_time(line)


@pytest.mark.parametrize(
    "line",
    [
        "2019 CABG",
        "1200 calorie diet",
        "1998 Appendectomy",
        "2575 steps",
        "10 mg daily",
        "1:100 dilution",
        "Seen",
    ],
)
def test_no_time(line: str) -> None:
    assert not begins_with_time(line)


@pytest.mark.parametrize(
    ("before", "alone"), [("Fell.\n0955 ", True), ("  10:48 - ", True), ("At 0955 ", False), ("", False)]
)
def test_nothing_else_stands_before(before: str, alone: bool) -> None:
    text = before + "CT head: no bleed"
    assert time_alone_before(text, len(before)) is alone
