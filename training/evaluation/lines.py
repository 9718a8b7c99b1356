"""JSON lines from plain, .gz and .xz files, line by line; what is wrong with a line is data."""

import gzip
import hashlib
import json
import lzma
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import IO, Any, cast

from training.evaluation.errors import EvaluationError
from training.evaluation.types import BadLine


class UnusableLineError(ValueError):
    """A line that cannot be used; the message is the reason and holds none of its text."""


def file_sha256(path: Path) -> str:
    """SHA-256 over the bytes of a file.

    Raises:
        EvaluationError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise EvaluationError(f"{path} cannot be read: {error.strerror}.") from None


def read_objects(path: Path) -> Iterator[tuple[int, Mapping[str, Any] | BadLine]]:
    """The JSON objects of a file with their line numbers, counted from 1; blank lines are passed over.

    Raises:
        EvaluationError: the file cannot be read, or the packing of a .gz or .xz file is damaged.
    """
    try:
        with closing(_open(path)) as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, _parse(number, line)
    except (EOFError, lzma.LZMAError, gzip.BadGzipFile):
        raise EvaluationError(f"{path} is damaged: it cannot be unpacked to its end.") from None
    except OSError as error:
        raise EvaluationError(f"{path} cannot be read: {error.strerror}.") from None


def _open(path: Path) -> IO[bytes]:
    if path.suffix == ".xz":
        return lzma.open(path, "rb")
    if path.suffix == ".gz":
        return cast(IO[bytes], gzip.open(path, "rb"))
    return path.open("rb")


def _parse(number: int, line: bytes) -> Mapping[str, Any] | BadLine:
    try:
        row = json.loads(line)
    except UnicodeDecodeError:
        return BadLine(number, "not UTF-8")
    except (ValueError, RecursionError):
        return BadLine(number, "not JSON")
    return row if isinstance(row, dict) else BadLine(number, "not a JSON object")
