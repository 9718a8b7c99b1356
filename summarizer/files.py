"""Files that are there whole or not at all: written beside their place, and renamed."""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

_PRIVATE = 0o600
_USUAL = 0o666  # less what the process's umask takes


@contextmanager
def replaced(path: Path, *, private: bool = True) -> Iterator[TextIO]:
    """A file of text to write, which takes the place of `path` once the block is done; else all is as before.

    What is no plain file (a pipe, `/dev/stdout`) is written directly.

    Args:
        path: where it will be.
        private: its owner alone may read it, since it may hold parts of notes.

    Raises:
        OSError: it cannot be written; before the block is entered where that is known by then.
    """
    with placed(path, private=private) as beside, open(beside, "w", encoding="utf-8", newline="") as file:
        yield file


@contextmanager
def placed(path: Path, *, private: bool = False, anew: bool = False) -> Iterator[Path]:
    """An empty file beside `path` to write by its name, which takes its place once the block is done.

    Args:
        path: as of `replaced`.
        private: as of `replaced`.
        anew: never in the place of a file that is there.

    Raises:
        OSError: as `replaced`; FileExistsError where there is one, and `anew`.
    """
    if _special(path):
        yield path
        return
    target = path.resolve()  # a link keeps leading there
    beside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE if private else _USUAL))
        yield beside
        _settled(beside)
        if anew:
            os.link(beside, target)
            beside.unlink()
        else:
            beside.replace(target)
    except BaseException:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise


@contextmanager
def filled(folder: Path) -> Iterator[Path]:
    """An empty folder beside `folder`; its files go there once the block is done, each whole.

    What else is in `folder` stays; it is made if it is not there.

    Raises:
        OSError: it cannot be written; nothing in it is changed then.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".part-", dir=folder) as name:
        beside = Path(name)
        yield beside
        made = sorted(beside.iterdir())
        for file in made:
            _settled(file)
        for file in made:
            file.replace(folder / file.name)


def _settled(path: Path) -> None:
    """On the disk before it is renamed: a full one is then told in time."""
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def _special(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)
