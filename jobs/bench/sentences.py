"""Sentence segmentation against a gold standard and against other splitters, side by side.

Ours and spaCy's sentencizer run in this process; pySBD and PyRuSH run under the interpreter that is named,
because PyRuSH needs an older spaCy:

    python -m venv peers && peers/bin/pip install pysbd==0.3.4 PyRuSH==1.0.13 click
    clinsum bench sentences --peers-python peers/bin/python
"""

import json
import random
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from jobs.bench import sentence_peers
from jobs.bench.sentence_peers import measure, speed
from summarizer.segmentation.segment import segment

OURS = "clinical_sentences"
DEFAULT_GOLD = Path(__file__).parents[2] / "tests" / "gold" / "gold.jsonl"
_NOTE_LENGTH = 4000

Spans = set[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Passage:
    """A marked passage: its text and the spans of its sentences."""

    id: str
    split: str
    text: str
    sentences: frozenset[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Scores:
    """Precision, recall and their harmonic mean, 0 to 1."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class PeerRow:
    """One splitter's figures.

    Attributes:
        tool, version: which splitter.
        split: the passages scored: `all`, or one part of the gold standard.
        exact: spans that agree at both ends.
        ends: ends of sentences that agree.
        mb_per_s: megabytes of UTF-8 a second of processor time, one thread.
    """

    tool: str
    version: str
    split: str
    exact: Scores
    ends: Scores
    mb_per_s: float


def read_gold(path: Path) -> list[Passage]:
    """The passages of a gold standard in JSON lines.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not such a file.
    """
    passages = []
    for line in path.read_text(encoding="utf-8").split("\n"):
        if line.strip():
            row = json.loads(line)
            found = frozenset((start, end) for start, end, kind in row["spans"] if kind == "sentence")
            passages.append(Passage(row["id"], row.get("split", "all"), row["text"], found))
    return passages


def generate_notes(passages: Sequence[Passage], megabytes: float, seed: int = 0) -> list[str]:
    """Notes of some four thousand characters, made of the passages in random order."""
    shuffle = random.Random(seed)
    notes: list[str] = []
    size = 0
    while size < megabytes * 1e6:
        parts: list[str] = []
        while sum(map(len, parts)) < _NOTE_LENGTH:
            parts.append(shuffle.choice(passages).text)
        notes.append("\n\n".join(parts))
        size += len(notes[-1].encode())
    return notes


def score(gold: Iterable[Spans], found: Iterable[Spans]) -> Scores:
    """Micro-averaged agreement of sets."""
    hits = wrong = missed = 0
    for want, got in zip(gold, found, strict=True):
        hits += len(want & got)
        wrong += len(got - want)
        missed += len(want - got)
    precision = hits / (hits + wrong) if hits + wrong else 0.0
    recall = hits / (hits + missed) if hits + missed else 0.0
    return Scores(precision, recall, 2 * hits / (2 * hits + wrong + missed) if hits else 0.0)


def our_spans(text: str) -> list[tuple[int, int]]:
    """The sentences of a text by our segmentation."""
    return [(s.start, s.end) for s in segment(text).sentences]


def measure_elsewhere(python: Path, job: dict[str, Any]) -> dict[str, Any]:
    """The peers' results under another interpreter.

    Raises:
        ValueError: the interpreter cannot run them.
    """
    script = str(Path(sentence_peers.__file__))
    try:
        done = subprocess.run(  # noqa: S603
            [str(python), "-W", "ignore", script],
            input=json.dumps(job),
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise ValueError(f"{python} cannot run the other splitters") from error
    results: dict[str, Any] = json.loads(done.stdout)
    return results


def run(
    gold: Path = DEFAULT_GOLD,
    *,
    peers_python: Path | None = None,
    speed_file: Path | None = None,
    megabytes: float = 4.0,
    seconds: float = 10.0,
) -> list[PeerRow]:
    """Score and time every splitter there is.

    Args:
        gold: JSON lines with `id`, `text`, `spans` and, if it has parts, `split`.
        peers_python: an interpreter that has pySBD and PyRuSH; this one if None.
        speed_file: text to time on; generated from the gold standard if None.
        megabytes: how much text to generate.
        seconds: processor time per splitter at most.

    Returns:
        For each splitter one row over all passages, then one per part of the gold standard.

    Raises:
        OSError: a file cannot be read.
        ValueError: a file is no gold standard, or the interpreter cannot run.
    """
    passages = read_gold(gold)
    texts = [passage.text for passage in passages]
    notes = (
        [speed_file.read_text(encoding="utf-8", errors="replace")]
        if speed_file
        else generate_notes(passages, megabytes)
    )
    results: dict[str, Any] = {
        OURS: {
            "version": "",
            "spans": [our_spans(text) for text in texts],
            "mb_per_s": speed(our_spans, notes, seconds),
        }
    }
    results |= measure(["sentencizer"], texts, notes, seconds)
    job = {"tools": ["pySBD", "PyRuSH"], "texts": texts, "speed": notes, "seconds": seconds}
    results |= measure_elsewhere(peers_python or Path(sys.executable), job)
    return [row for tool, result in results.items() for row in _rows(tool, result, passages)]


def _rows(tool: str, result: dict[str, Any], passages: Sequence[Passage]) -> list[PeerRow]:
    """The rows of one splitter."""
    rows = []
    parts = sorted({passage.split for passage in passages})
    for split in ["all", *(part for part in parts if part != "all")]:
        pairs = [
            (set(passage.sentences), {(start, end) for start, end in spans})
            for passage, spans in zip(passages, result["spans"], strict=True)
            if split in ("all", passage.split)
        ]
        exact = score((want for want, _ in pairs), (got for _, got in pairs))
        ends = score(
            ({(end, end) for _, end in want} for want, _ in pairs),
            ({(end, end) for _, end in got} for _, got in pairs),
        )
        rows.append(PeerRow(tool, result["version"], split, exact, ends, result["mb_per_s"]))
    return rows


def table(rows: Sequence[PeerRow]) -> Table:
    """The rows as a table for the terminal."""
    shown = Table(title="Sentences against the gold standard")
    for name in ("splitter", "passages", "P", "R", "F1", "ends P", "ends R", "ends F1", "MB/s"):
        shown.add_column(name, justify="left" if name in ("splitter", "passages") else "right")
    for row in rows:
        figures = [
            *(
                f"{value:.3f}"
                for part in (row.exact, row.ends)
                for value in (part.precision, part.recall, part.f1)
            )
        ]
        shown.add_row(f"{row.tool} {row.version}".strip(), row.split, *figures, f"{row.mb_per_s:.2f}")
    return shown


def report(rows: Sequence[PeerRow], console: Console | None = None) -> None:
    """Print the table."""
    (console or Console()).print(table(rows))
