"""Files that are there whole or not at all."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO


@contextmanager
def replaced(path: Path) -> Iterator[TextIO]:
    """A file to write, which takes the place of `path` once the block is done; else all is as before.

    Its owner alone may read it, since it may hold parts of notes. What is no plain file (a pipe,
    `/dev/stdout`) is written directly.

    Raises:
        OSError: it cannot be written; before the block is entered where that is known by then.
    """
    if _special(path):
        with open(path, "w", encoding="utf-8", newline="") as file:
            yield file
        return
    target = path.resolve()  # a link keeps leading there
    beside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with open(beside, "w", encoding="utf-8", newline="", opener=_private) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(target)
    except BaseException:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _special(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)
