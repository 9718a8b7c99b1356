"""What a backfill is asked to do, and where its notes come from."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jobs.backfill.files import find_files
from jobs.backfill.pieces import Piece, Wanted, digest
from jobs.passes.pace import Pace


@dataclass(frozen=True, slots=True)
class Request:
    """As the command line gives it.

    Attributes:
        wanted: which resources.
        files: files and folders to read; none for what the server has.
        group: id of a Group whose members' notes are wanted; "" for everybody's.
        pace: how fast summaries are written, where that is limited.
        anew: forget how far an earlier run came.
    """

    wanted: Wanted
    files: tuple[Path, ...] = ()
    group: str = ""
    pace: Pace | None = None
    anew: bool = False

    @property
    def walk(self) -> str:
        """Names the backfill: the same request goes on where the one before ended."""
        files = sorted(str(path.resolve()) for path in self.files)
        return digest(self.group, self.wanted.since, ",".join(sorted(self.wanted.types)), *files)


@dataclass(frozen=True, slots=True)
class Plan:
    """Where the notes come from.

    Attributes:
        way: one sentence for people.
        pieces: in the order in which they are worked on.
    """

    way: str
    pieces: Sequence[Piece]

    @property
    def weight(self) -> int:
        """Of all pieces together."""
        return sum(piece.weight for piece in self.pieces)


def plan_files(request: Request) -> Plan:
    """The pieces of the files that are named.

    Raises:
        UsageError: one is not there.
    """
    pieces = find_files(request.files, request.wanted)
    size = sum(piece.size for piece in pieces)
    files = "1 file" if len(pieces) == 1 else f"{len(pieces)} files"
    return Plan(
        f"Notes named in {files} ({size / 1e6:,.1f} MB), each read from the server as it is now.", pieces
    )
