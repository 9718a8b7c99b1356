import asyncio

import pytest

from jobs.passes.pace import Pace, parse_pace


@pytest.mark.parametrize(
    ("text", "per_second"), [("60/min", 1.0), ("2/s", 2.0), ("1800/h", 0.5), (" 1.5 / s ", 1.5)]
)
def test_rates_are_read(text: str, per_second: float) -> None:
    assert parse_pace(text).per_second == per_second


@pytest.mark.parametrize("text", ["", "60", "0/min", "fast", "60/day", "-1/s"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="rate"):
        parse_pace(text)


@pytest.mark.parametrize(("per_second", "batch"), [(0.01, 1), (1.0, 2), (10.0, 20), (1000.0, 32)])
def test_a_slow_pace_takes_few_at_a_time(per_second: float, batch: int) -> None:
    assert Pace(per_second).batch(32) == batch


def test_no_more_are_taken_than_are_due() -> None:
    now = [100.0]
    pace = Pace(2.0, lambda: now[0])

    assert [pace.reserve(4), pace.reserve(4)] == [2.0, 4.0]
    now[0] += 4.0
    assert pace.reserve(1) == 0.5
    now[0] += 60.0  # time that was not used is no reason to hurry
    assert [pace.reserve(4), pace.reserve(4)] == [0.0, 2.0]


async def test_a_wait_ends_when_it_is_told_to() -> None:
    stop = asyncio.Event()
    stop.set()

    await asyncio.wait_for(Pace(0.001).wait(1, stop), 60)
