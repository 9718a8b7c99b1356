"""The hazard log, with each control held against the tests that cover it."""

import ast
import csv
import io
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
"""Where tests lie in a checkout; an installation has none."""


@dataclass(frozen=True, slots=True)
class Control:
    """What stands against a hazard.

    Attributes:
        kind: `design`, `test`, `training` or `business process`, as DCB0129 has them.
        tests: `file::test`, or a file; empty where no test can cover it.
    """

    text: str
    kind: str
    tests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hazard:
    """One row of the log."""

    id: str
    name: str
    causes: str
    effect: str
    controls: tuple[Control, ...]
    residual: str

    @property
    def tests(self) -> tuple[str, ...]:
        """All tests of all controls, each once."""
        return tuple(dict.fromkeys(test for control in self.controls for test in control.tests))


def hazards() -> tuple[Hazard, ...]:
    """The log as it comes with this version."""
    data = tomllib.loads(files("jobs.safety").joinpath("hazards.toml").read_text("utf-8"))
    return tuple(_hazard(entry) for entry in data["hazard"])


def _hazard(entry: dict[str, Any]) -> Hazard:
    controls = tuple(Control(c["text"], c["kind"], tuple(c["tests"])) for c in entry["controls"])
    return Hazard(entry["id"], entry["name"], entry["causes"], entry["effect"], controls, entry["residual"])


def there(test: str, root: Path = ROOT) -> bool | None:
    """Whether a test is in this checkout; None where this is an installation without tests."""
    if not (root / "tests").is_dir():
        return None
    path, _, name = test.partition("::")
    found = _tests(root / path)
    return name in found if name else bool(found)


@lru_cache
def _tests(path: Path) -> frozenset[str]:
    if not path.is_file():
        return frozenset()
    tree = ast.parse(path.read_text("utf-8"))
    named = (n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(name for name in named if name.startswith("test_"))


def words_of(found: bool | None) -> str:
    """What is known of a test, for the log."""
    if found is None:
        return "of the source of this version; not in an installation"
    return "there" if found else "MISSING"


COLUMNS = (
    "hazard",
    "name",
    "possible causes",
    "potential clinical impact",
    "control",
    "kind of control",
    "evidence",
    "evidence found",
    "severity",
    "likelihood",
    "initial risk",
    "residual risk",
    "what remains",
    "owner",
    "status",
)


def as_csv(log: tuple[Hazard, ...], judged: str) -> str:
    """One row for each control, in the columns of DCB0129.

    Args:
        log: the hazards.
        judged: stands where a clinical judgement belongs that nobody has made.
    """
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(COLUMNS)
    for hazard in log:
        for control in hazard.controls:
            found = "; ".join(words_of(there(test)) for test in control.tests)
            row = (hazard.id, hazard.name, hazard.causes, hazard.effect, control.text, control.kind)
            evidence = ("; ".join(control.tests) or "none possible here", found)
            table.writerow((*row, *evidence, *[judged] * 4, hazard.residual, judged, judged))
    return out.getvalue()
