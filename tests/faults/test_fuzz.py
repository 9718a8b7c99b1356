"""Some seconds of fuzzing, guided by coverage; `make fuzz SECONDS=3600` takes as long as one likes."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS
from tests.places import ROOT

SECONDS = 2


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is for Linux with x86_64")
@pytest.mark.parametrize("target", TARGETS)
def test_a_target_holds(target: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.fuzz.run", target, f"--seconds={SECONDS}", "--seed=1"]
    done = subprocess.run(
        [*command, f"--folder={tmp_path}"], cwd=ROOT, capture_output=True, text=True, timeout=600, check=False
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-4000:]
    assert not [path for path in tmp_path.iterdir() if path.is_file()]  # what it failed on
    runs = re.search(r"number_of_executed_units: (\d+)", said)
    assert runs
    assert int(runs[1]) > 1


def test_make_fuzzes_every_target() -> None:
    (line,) = re.findall(r"for target in (.*); do", (ROOT / "Makefile").read_text())
    assert set(line.split()) == set(TARGETS)
