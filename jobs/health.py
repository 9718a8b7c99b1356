"""Signs of life of `clinsum run`: a small file in Prometheus' text format that others read.

`clinsum health` reads it for orchestrators; the textfile collector of a node exporter can publish it. It
holds two moments and nothing of any note.
"""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

log = structlog.get_logger("clinsum.run")

GOOD = "clinsum_last_good_pass_timestamp_seconds"
SIGN = "clinsum_last_sign_of_life_timestamp_seconds"
_HELP = {
    GOOD: "When the last pass over the server was completed.",
    SIGN: "When a pass last ended, however it did, or a note was last handled.",
}
_OFTEN = 5.0  # seconds between two writings while notes are handled


class Heart:
    """Writes the file.

    Args:
        path: where; one that cannot be written is said once and harms nothing.
        clock: seconds since 1970, for tests.
    """

    def __init__(self, path: str, clock: Callable[[], float] = time.time) -> None:
        self._path, self._clock = Path(path), clock
        self._good = 0.0
        self._sign = self._written = 0.0
        self._told = False

    @property
    def good(self) -> float | None:
        """When a pass was last completed by this process, in seconds since 1970."""
        return self._good or None

    @property
    def sign(self) -> float:
        """When this process last did anything."""
        return self._sign

    def begun(self) -> None:
        """The process starts: what the one before it left counts no more."""
        self._good = 0.0
        self._write()

    def noted(self) -> None:
        """A note was handled."""
        self._sign = self._clock()
        if self._sign - self._written > _OFTEN:
            self._write()

    def passed(self, *, good: bool) -> None:
        """A pass ended."""
        if good:
            self._good = self._clock()
        self._write()

    def _write(self) -> None:
        self._sign = self._written = self._clock()
        lines = [
            f"# HELP {name} {_HELP[name]}\n# TYPE {name} gauge\n{name} {moment:.3f}\n"
            for name, moment in ((GOOD, self._good), (SIGN, self._written))
        ]
        beside = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            beside.write_text("".join(lines), "ascii")
            beside.replace(self._path)
        except OSError as error:
            with suppress(OSError):
                beside.unlink(missing_ok=True)
            if not self._told:
                self._told = True
                log.warning("health-file", path=str(self._path), error=type(error).__name__)


@dataclass(frozen=True, slots=True)
class Health:
    """What the file says: seconds since each moment, None where there was none."""

    since_good: float | None
    since_sign: float | None

    def well(self, most: float, *, alive: bool = False) -> bool:
        """Whether the last good pass, or the last sign of life, is no longer ago than `most` seconds."""
        since = self.since_sign if alive else self.since_good
        return since is not None and since <= most


def read_health(path: str, clock: Callable[[], float] = time.time) -> Health:
    """The health that a file tells; one that is not there or cannot be read tells of none."""
    found: dict[str, float] = {}
    with suppress(OSError, ValueError):
        for line in Path(path).read_text("ascii").splitlines():
            name, _, value = line.partition(" ")
            if name in _HELP:
                found[name] = float(value)
    now = clock()
    ages = [now - found[name] if found.get(name) else None for name in (GOOD, SIGN)]
    # A moment to come was written before the clock was set back: it says nothing.
    return Health(*(None if age is None or age < -1 else max(age, 0.0) for age in ages))
