"""Files that are there whole or not at all."""

import stat
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TextIO

import pytest

from summarizer.files import filled, placed, replaced


class BreakOffError(Exception):
    """In the middle of writing."""


def break_off(half: Path | TextIO) -> None:
    """Writes the beginning of something."""
    if isinstance(half, Path):
        half.write_text("half")
    else:
        half.write("half")
    raise BreakOffError


@pytest.mark.parametrize("way", [replaced, placed])
def test_what_breaks_off_leaves_all_as_it_was(
    tmp_path: Path, way: Callable[..., AbstractContextManager[Any]]
) -> None:
    path = tmp_path / "report.csv"
    path.write_text("before")
    with pytest.raises(BreakOffError), way(path) as half:
        break_off(half)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_done_takes_its_place_also_behind_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "folder" / "target", tmp_path / "link"
    target.parent.mkdir()
    link.symlink_to(target)
    with replaced(link) as file:
        file.write("whole\r\n")
    assert target.read_bytes() == b"whole\r\n"
    assert link.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_a_new_file_never_takes_the_place_of_another(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    with placed(path, private=True, anew=True) as beside:
        beside.write_text("first")
    with pytest.raises(FileExistsError), placed(path, private=True, anew=True) as beside:
        beside.write_text("second")
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_gets_all_files_or_none(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("kept")
    (tmp_path / "weights").write_text("before")
    with pytest.raises(BreakOffError), filled(tmp_path) as beside:
        break_off(beside / "weights")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "kept": "kept",
        "weights": "before",
    }
    with filled(tmp_path) as beside:
        (beside / "weights").write_text("after")
        (beside / "more").write_text("more")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "kept": "kept",
        "more": "more",
        "weights": "after",
    }


def test_a_pipe_is_written_as_it_is() -> None:
    with replaced(Path("/dev/null")) as file:
        file.write("gone")
