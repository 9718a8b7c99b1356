"""A limit on how fast notes are handled."""

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0}
_LONGEST_BATCH = 2.0  # seconds' worth of notes in one batch, so that a slow pace is an even one


@dataclass
class Pace:
    """So many notes a second, evenly.

    Attributes:
        per_second: above 0.
        clock: seconds, for tests.
    """

    per_second: float
    clock: Callable[[], float] = time.monotonic
    _due: float = field(init=False)

    def __post_init__(self) -> None:
        self._due = self.clock()

    def batch(self, most: int) -> int:
        """How many notes to take at a time: at least 1."""
        return max(1, min(most, int(self.per_second * _LONGEST_BATCH)))

    def reserve(self, notes: int) -> float:
        """Seconds until so many more notes are due. Time that was not used is not made up for later."""
        now = self.clock()
        self._due = max(self._due + notes / self.per_second, now)
        return self._due - now

    async def wait(self, notes: int, stop: asyncio.Event) -> None:
        """Waits until so many more notes are due, or `stop` is set."""
        try:
            await asyncio.wait_for(stop.wait(), self.reserve(notes))
        except TimeoutError:
            return


class Rate(Protocol):
    """A limit that several processes may share."""

    async def turn(self) -> None:
        """Waits until one more is due."""


@dataclass(frozen=True, slots=True)
class OwnRate:
    """The limit of one process; what it has in hand when it is to stop does not wait."""

    pace: Pace
    stop: asyncio.Event

    async def turn(self) -> None:
        """Waits until one more is due, or the process is to stop."""
        await self.pace.wait(1, self.stop)


def parse_pace(text: str) -> Pace:
    """Reads `60/min`, `2/s`, `500/h`.

    Raises:
        ValueError: not a rate.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*/\s*(s|min|h)", text.strip())
    if not match or float(match[1]) <= 0:
        raise ValueError(f"{text!r} is not a rate such as 60/min, 2/s or 500/h")
    return Pace(float(match[1]) / _SECONDS[match[2]])
