"""How many sentences hard line ends cut in notes in capitals: `python -m jobs.bench.wrapped_capitals`.

Dictation systems send notes so. Each note is split as it is; then its letters are made capitals and its lines
are broken at a width, a blank for a line end, so that every character keeps its place. A sentence is cut
where a sentence, a heading, a marker or boilerplate begins inside it that did not before. Sentences that were
left on one line count too.

Reads JSON lines, plain or xz, of notes: `text`, or else `indication`, `findings` and `impression`.
"""

import json
import lzma
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from summarizer.segmentation.segment import segment
from summarizer.types import Segmentation

_PARTS = ("indication", "findings", "impression")


@dataclass(frozen=True, slots=True)
class Cuts:
    """Of one file at one width; `fused` are sentences that hold the beginning of another line of the note."""

    width: int
    sentences: int
    cut: int
    fused: int
    examples: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """Of the sentences, those that are cut."""
        return self.cut / self.sentences if self.sentences else 0.0


def read_notes(path: Path) -> Iterator[str]:
    """The texts of a file of notes, each paragraph a line."""
    data = path.read_bytes()
    if path.suffix == ".xz":
        data = lzma.decompress(data)
    for row in map(json.loads, data.decode("utf-8").splitlines()):
        text = row.get("text") or "\n".join(
            f"{part.upper()}: {row[part]}" for part in _PARTS if row.get(part)
        )
        if text.strip():
            yield text


def wrap(text: str, width: int) -> str:
    """The text with blanks turned to line ends, so that no line is longer than `width` that need not be."""
    lines = []
    for line in text.split("\n"):
        broken = list(line)
        start, last = 0, -1
        for at, char in enumerate(line):
            if at - start >= width and last > start:
                broken[last] = "\n"
                start = last + 1
            if char == " ":
                last = at
        if len(line) - start > width and last > start:
            broken[last] = "\n"
        lines.append("".join(broken))
    return "\n".join(lines)


def _starts(parts: Segmentation) -> list[int]:
    groups = (parts.sentences, parts.headings, parts.markers, parts.boilerplate)
    return sorted(span.start for group in groups for span in group)


def measure(notes: list[str], width: int, examples: int = 0) -> Cuts:
    """The sentences of notes that are cut when the notes are in capitals and broken at `width`."""
    total = cut = fused = 0
    shown: list[str] = []
    for text in notes:
        shouted = text.upper()
        if len(shouted) != len(text):
            continue
        reference = segment(text)
        whole = reference.sentences
        broken = segment(wrap(shouted, width))
        starts = _starts(broken)
        total += len(whole)
        lines = [at for at in _starts(reference) if text[max(0, at - 9) : at].rstrip(" \t").endswith("\n")]
        fused += sum(bisect_left(lines, s.end) > bisect_right(lines, s.start) for s in broken.sentences)
        for sentence in whole:
            at = bisect_right(starts, sentence.start)
            if at < len(starts) and starts[at] < sentence.end:
                cut += 1
                if len(shown) < examples:
                    shown.append(
                        f"{shouted[sentence.start : starts[at]]} | {shouted[starts[at] : sentence.end]}"
                    )
    return Cuts(width, total, cut, fused, tuple(shown))


def main(
    files: Annotated[list[Path], typer.Argument(help="Notes as JSON lines, plain or xz.")],
    width: Annotated[list[int] | None, typer.Option(help="Repeatable.")] = None,
    examples: Annotated[int, typer.Option(help="Show so many cut sentences.")] = 0,
    every: Annotated[int, typer.Option(help="Take every so many-th note alone.", min=1)] = 1,
) -> None:
    """The share of sentences cut, by file and width."""
    for path in files:
        notes = list(read_notes(path))[::every]
        for columns in width or [60, 72, 80]:
            cuts = measure(notes, columns, examples)
            typer.echo(
                f"{path.name} {columns}: {cuts.cut} of {cuts.sentences} cut ({cuts.share:.2%}), "
                f"{cuts.fused} fused"
            )
            for example in cuts.examples:
                typer.echo(f"    {example!r}")


if __name__ == "__main__":
    typer.run(main)
