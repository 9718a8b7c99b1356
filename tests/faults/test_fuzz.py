"""Some seconds of fuzzing, guided by coverage; `make fuzz SECONDS=3600` takes as long as one likes."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS
from tests.places import ROOT

SECONDS = 2


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, int]]:
    """A folder with what became of each target, and its exit code."""
    folder = tmp_path_factory.mktemp("fuzz")
    command = [sys.executable, "-m", "tests.fuzz.run", "all", f"--seconds={SECONDS}", "--seed=1"]
    done = subprocess.run(
        [*command, f"--folder={folder}"], cwd=ROOT, capture_output=True, text=True, timeout=3600, check=False
    )
    assert done.stdout, done.stderr[-4000:]
    return folder, json.loads(done.stdout)


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is for Linux with x86_64")
@pytest.mark.parametrize("target", TARGETS)
def test_a_target_holds(target: str, fuzzed: tuple[Path, dict[str, int]]) -> None:
    folder, codes = fuzzed
    said = (folder / f"{target}.log").read_text("utf-8", "replace")
    assert codes[target] == 0, said[-4000:]
    assert not list(folder.glob(f"{target}-*"))  # what it failed on
    runs = re.search(r"number_of_executed_units: (\d+)", said)
    assert runs
    assert int(runs[1]) > 1


def test_make_fuzzes_every_target() -> None:
    (line,) = re.findall(r"for target in (.*); do", (ROOT / "Makefile").read_text())
    assert set(line.split()) == set(TARGETS)
