"""Names of the environment that look like settings and are none: most often a setting that was misspelt."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from jobs.settings import Settings

_PREFIX = "CLINSUM_"
# Read by other parts: profiles, the sandbox, the image, the benches and the tests.
_ELSEWHERE = ("CANONICAL_BASE", "CACHE", "VARIANT", "BENCH_NOTES", "REQUIRE_ALL", "KILLS", "MUTATIONS")
_TESTS = "TEST_"
_LIKE = 0.7  # how much of a name must agree to be what was meant


@dataclass(frozen=True, slots=True)
class Unknown:
    """A name that no part of this software reads.

    Attributes:
        name: as it was found, with its prefix.
        nearest: the setting that is written most like it, or "".
    """

    name: str
    nearest: str

    @property
    def words(self) -> str:
        """One sentence for people; nothing of the value."""
        meant = f" Did you mean {self.nearest}?" if self.nearest else ""
        return f"There is no setting {self.name}; it is ignored.{meant}"


def unknown_settings(
    environment: Mapping[str, str] | None = None, file: Path = Path(".env")
) -> Iterator[Unknown]:
    """Names with our prefix that no setting has, in the environment and in the file beside it.

    Args:
        environment: of the process, if not given.
        file: in the form of `.env`; one that is not there names nothing.
    """
    from dotenv import dotenv_values

    found = os.environ if environment is None else environment
    known = {f"{_PREFIX}{name.upper()}" for name in Settings.model_fields}
    known |= {f"{_PREFIX}{name}" for name in _ELSEWHERE}
    names = {*found, *(dotenv_values(file) if file.is_file() else ())}
    for name in sorted(names):
        upper = name.upper()
        if upper.startswith(_PREFIX) and upper not in known and not upper.startswith(_PREFIX + _TESTS):
            near = get_close_matches(upper, known, n=1, cutoff=_LIKE)
            yield Unknown(name, near[0] if near else "")
