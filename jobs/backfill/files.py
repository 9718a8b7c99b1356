"""Files of resources as pieces: NDJSON, plain or gzip."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from fhir_adapter.bulk.ndjson import DamagedDataError, read_lines
from jobs.backfill.lines import NamedNotes, batches_of_lines
from jobs.backfill.pieces import PieceError, Place, Wanted, digest
from jobs.exits import UsageError
from jobs.passes.changes import Changes
from jobs.passes.parts import Parts
from jobs.passes.work import Batch

_NAMES = (".ndjson", ".jsonl", ".ndjson.gz", ".jsonl.gz")
_CHUNK = 1 << 16
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class FilePiece:
    """One file, as it was when the backfill began."""

    path: Path
    size: int
    changed: int
    wanted: Wanted

    @property
    def name(self) -> str:
        """Of another content, or at another place, it is another piece."""
        return digest(str(self.path), str(self.size), str(self.changed))

    @property
    def weight(self) -> int:
        """Bytes."""
        return max(self.size, 1)

    async def batches(self, parts: Parts, changes: Changes, after: int) -> AsyncIterator[Batch | Place]:
        """As `Piece.batches`."""
        try:
            with self.path.open("rb") as file:
                lines = read_lines(_chunks(file), after=after)
                size = parts.settings.page_size
                async for found in batches_of_lines(lines, self.wanted, changes, file.tell, size):
                    yield found
        except OSError as error:
            raise PieceError(f"{self.path.name} cannot be read: {error.strerror}") from None
        except DamagedDataError as error:
            raise PieceError(f"{self.path.name}: {error}") from None

    async def stated(self) -> AsyncIterator[dict[str, str]]:
        """The notes that it names, some at a time, with their versions.

        Raises:
            OSError, DamagedDataError: it cannot be read to its end.
        """
        with self.path.open("rb") as file:
            named = NamedNotes(self.wanted)
            async for line in read_lines(_chunks(file)):
                named.take(line)
                if named.notes >= _AT_ONCE:
                    yield {k: v for one in named.stated.values() for k, v in one.items()}
                    named = NamedNotes(self.wanted)
            yield {k: v for one in named.stated.values() for k, v in one.items()}


async def _chunks(file: IO[bytes]) -> AsyncIterator[bytes]:
    while chunk := await asyncio.to_thread(file.read, _CHUNK):
        yield chunk


def find_files(paths: Iterable[Path], wanted: Wanted) -> list[FilePiece]:
    """The files that are named, and those in the folders that are named, in the order of their names.

    Raises:
        UsageError: a path is not there, or a folder holds no such file.
    """
    found: dict[Path, FilePiece] = {}
    for path in paths:
        files = [path]
        if path.is_dir():
            inside = (one for one in path.rglob("*") if one.name.endswith(_NAMES) and one.is_file())
            files = sorted(inside)
            if not files:
                raise UsageError(f"{path} holds no file whose name ends in {', '.join(_NAMES)}.")
        for file in files:
            try:
                state = file.stat()
            except OSError as error:
                raise UsageError(f"{file} cannot be read: {error.strerror}.") from None
            resolved = file.resolve()
            found.setdefault(resolved, FilePiece(resolved, state.st_size, state.st_mtime_ns, wanted))
    return list(found.values())
