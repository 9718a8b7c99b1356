"""Lines in the words of wards, emergency rooms, letters and templates, written before the rules were run."""

import tomllib
from pathlib import Path

import pytest

from summarizer.pinned.find import find_pinned
from summarizer.pinned.rules import load_rules
from summarizer.segmentation.segment import segment

LINES = Path(__file__).parent / "lines"
AGAIN = Path(__file__).parent / "lines_again"
# Of 40 that must be found and 40 that must not: how many are, in docs/training.md.
FIGURES = {
    "allergies": (38, 4),
    "code-status": (40, 3),
    "critical-results": (39, 3),
    "high-alert-medicines": (40, 0),
    "pending-results": (36, 1),
    "follow-up": (40, 2),
}

FIGURES_AGAIN = {
    "allergies": (39, 1),
    "code-status": (40, 0),
    "pending-results": (32, 0),
    "follow-up": (37, 0),
}


def found(rule: str, texts: list[str]) -> list[str]:
    """The texts of which this rule pins a line."""
    return [t for t in texts if any(line.rule == rule for line in find_pinned(t, segment(t)).lines)]


def test_every_rule_has_lines() -> None:
    assert {rule.id for rule in load_rules()} == set(FIGURES) == {path.stem for path in LINES.iterdir()}


SETS = [(LINES, rule) for rule in FIGURES] + [(AGAIN, rule) for rule in FIGURES_AGAIN]


@pytest.mark.parametrize(("folder", "rule"), SETS, ids=[f"{folder.name}-{rule}" for folder, rule in SETS])
def test_a_rule_finds_what_it_is_for_and_leaves_what_looks_like_it(folder: Path, rule: str) -> None:
    lines = tomllib.loads((folder / f"{rule}.toml").read_text(encoding="utf-8"))
    assert (len(lines["hit"]), len(lines["miss"])) == (40, 40)
    hits, falsely = (FIGURES if folder == LINES else FIGURES_AGAIN)[rule]
    assert len(found(rule, lines["hit"])) >= hits
    assert len(found(rule, lines["miss"])) <= falsely
