"""What can happen to a file of a model."""

import os
import random
from pathlib import Path

CANARY = "canary-5e1f"  # stands in damaged files, and must be in no message


def missing(path: Path) -> None:
    path.unlink()


def empty(path: Path) -> None:
    path.write_bytes(b"")


def one_byte(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:1])


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def cut_at_its_end(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def longer(path: Path) -> None:
    path.write_bytes(path.read_bytes() + CANARY.encode())


def noise(path: Path) -> None:
    path.write_bytes(random.Random(1).randbytes(path.stat().st_size))


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def a_link_to_nothing(path: Path) -> None:
    path.unlink()
    path.symlink_to("nothing")


def a_link_to_itself(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def that_cannot_be_read(path: Path) -> None:
    """Reading this file of the system's is an error, also for whom every permission is given."""
    path.unlink()
    path.symlink_to("/proc/self/mem")


def text_of_the_hub(path: Path) -> None:
    """What a download without large files leaves (git-lfs)."""
    path.write_text(f"version https://git-lfs.github.com/spec/v1\noid sha256:{CANARY}\nsize 1\n")


WHOLE_FILE = (
    missing,
    empty,
    one_byte,
    half,
    cut_at_its_end,
    longer,
    noise,
    a_folder,
    a_link_to_nothing,
    a_link_to_itself,
    a_pipe,
    that_cannot_be_read,
    text_of_the_hub,
)
GONE = (missing, a_folder, a_link_to_nothing, a_link_to_itself, a_pipe)
