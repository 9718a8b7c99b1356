"""How many rows of tables are one sentence each: `python -m jobs.bench.table_rows FOLDER...`.

Every file that can be read is read. A row is what its format declares as one; it is shared where a sentence
holds characters outside of it too, and cut where it makes more than one sentence. With `--unmarked` the same
texts are split as if nothing were declared, so that layout alone has to find the rows.
"""

import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import typer

from fhir_adapter.errors import NoteError
from fhir_adapter.note import Content, NoteText
from fhir_adapter.text import extract
from summarizer.segmentation.segment import segment
from summarizer.types import MarkKind


@dataclass(slots=True)
class Rows:
    """What became of the rows of some files."""

    files: int = 0
    rows: int = 0
    shared: int = 0
    cut: int = 0


def read_files(folders: list[Path]) -> Iterator[NoteText]:
    """The texts of all files in the folders that can be read."""
    for folder in folders:
        for path in sorted(folder.rglob("*")) if folder.is_dir() else [folder]:
            if not path.is_file() or path.stat().st_size > 20_000_000:
                continue
            declared = mimetypes.guess_type(path.name)[0] or ""
            try:
                yield extract(Content(path=str(path), data=path.read_bytes(), media_type=declared))
            except NoteError:
                continue


def measure(notes: Iterator[NoteText], *, marked: bool = True) -> Rows:
    """Counts the rows of notes that are one sentence, share one, or are cut."""
    found = Rows()
    for note in notes:
        rows = _innermost(note)
        if not rows:
            continue
        found.files += 1
        found.rows += len(rows)
        headings = [(heading.start, heading.end, heading.code) for heading in note.headings]
        parts = segment(note.text, headings, note.marks if marked else ())
        spans = sorted(
            [(s.start, s.end) for s in parts.sentences]
            + [(s.start, s.end) for s in (*parts.headings, *parts.boilerplate)]
        )
        at = 0
        for start, end in rows:
            while at < len(spans) and spans[at][1] <= start:
                at += 1
            inside = [span for span in spans[at : at + 400] if span[0] < end]
            found.shared += any(first < start or last > end for first, last in inside)
            found.cut += len(inside) > 1
    return found


def _innermost(note: NoteText) -> list[tuple[int, int]]:
    """The rows that hold no other and no heading, without white space around them."""
    rows = [(mark.start, mark.end) for mark in note.marks if mark.kind in (MarkKind.ROW, MarkKind.COLUMNS)]
    rows = sorted(set(rows), key=lambda row: (row[0], -row[1]))
    inner = [row for row, after in pairwise([*rows, (1 << 60, 1 << 60)]) if after[0] >= row[1]]
    heads = [(heading.start, heading.end) for heading in note.headings]
    trimmed = []
    for start, end in inner:
        piece = note.text[start:end]
        if piece.strip() and not any(head[0] < end and head[1] > start for head in heads):
            begin = start + len(piece) - len(piece.lstrip())
            trimmed.append((begin, begin + len(piece.strip())))
    return trimmed


def main(
    folders: Annotated[list[Path], typer.Argument(help="Folders or files.")],
    unmarked: Annotated[bool, typer.Option(help="Split as if nothing were declared.")] = False,
) -> None:
    """Rows, and how many of them are shared or cut."""
    found = measure(read_files(folders), marked=not unmarked)
    typer.echo(
        f"{found.rows} rows in {found.files} files: {found.shared} share a sentence "
        f"({found.shared / max(1, found.rows):.2%}), "
        f"{found.cut} are cut ({found.cut / max(1, found.rows):.2%})"
    )


if __name__ == "__main__":
    typer.run(main)
