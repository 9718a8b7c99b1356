import asyncio
import time

import pytest

from jobs.pace import Pace, parse_pace


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


async def test_no_more_are_taken_than_are_due() -> None:
    pace, began = Pace(100.0), time.monotonic()
    for _ in range(4):
        await pace.wait(5, asyncio.Event())

    assert time.monotonic() - began >= 0.2


async def test_a_wait_ends_when_it_is_told_to() -> None:
    stop = asyncio.Event()
    stop.set()

    await asyncio.wait_for(Pace(0.001).wait(1, stop), 60)
