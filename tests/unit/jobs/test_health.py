"""Signs of life of `clinsum run`, and the command that reads them."""

import json
from pathlib import Path

import pytest

from jobs.cli import run
from jobs.health import Heart, read_health


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def test_the_file_tells_of_the_last_good_pass_and_the_last_sign(tmp_path: Path) -> None:
    path, clock = str(tmp_path / "state" / "run.prom"), Clock()
    heart = Heart(path, clock)
    heart.begun()
    assert read_health(path, clock).since_good is None
    heart.passed(good=True)
    clock.now += 100
    heart.passed(good=False)
    clock.now += 10
    found = read_health(path, clock)
    assert (found.since_good, found.since_sign) == (110, 10)
    assert not found.well(60)
    assert found.well(60, alive=True)
    assert found.well(110)
    assert [p.name for p in (tmp_path / "state").iterdir()] == ["run.prom"]


def test_notes_that_are_handled_are_signs_but_not_each_is_written(tmp_path: Path) -> None:
    path, clock = str(tmp_path / "run.prom"), Clock()
    heart = Heart(path, clock)
    heart.begun()
    clock.now += 1
    heart.noted()
    assert read_health(path, clock).since_sign == 1
    clock.now += 5
    heart.noted()
    assert read_health(path, clock).since_sign == 0


@pytest.mark.parametrize("content", [b"", b"\x00\xff", b"clinsum_last_sign_of_life_timestamp_seconds x\n"])
def test_what_cannot_be_read_tells_of_no_life(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "run.prom").write_bytes(content)
    found = read_health(str(tmp_path / "run.prom"))
    assert found.since_sign is None
    assert not found.well(1e9)
    assert not found.well(1e9, alive=True)


def test_a_clock_that_was_set_back_makes_nobody_look_alive(tmp_path: Path) -> None:
    path, clock = str(tmp_path / "run.prom"), Clock()
    Heart(path, clock).passed(good=True)
    clock.now -= 3600
    assert read_health(path, clock).since_good is None


def test_a_place_that_cannot_be_written_harms_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    heart = Heart(str(tmp_path / "file" / "run.prom"))
    heart.begun()
    heart.passed(good=True)


def test_the_command_says_it_by_its_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "run.prom"
    asked = ["health", "--json", "--set", f"HEALTH_FILE={path}"]
    assert run(asked) == 1
    assert json.loads(capsys.readouterr().out)["ok"] is False
    Heart(str(path)).passed(good=False)
    assert run(asked) == 1
    assert run([*asked, "--alive"]) == 0
    capsys.readouterr()
    Heart(str(path)).passed(good=True)
    assert run(asked) == 0
    assert json.loads(capsys.readouterr().out)["seconds_since"]["good_pass"] < 60
    assert run(["health", "--max-age", "soon", "--set", f"HEALTH_FILE={path}"]) == 2
