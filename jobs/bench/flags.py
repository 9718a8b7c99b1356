"""Measures assertion flags on the marked passages, beside medspaCy's ConText.

A sentence has a flag or has it not; precision, recall and F1 are over sentences, for each flag. medspaCy
needs an older spaCy than this project, hence an environment of its own:

    python -m venv peers && peers/bin/pip install medspacy==1.3.1
    clinsum bench flags --peers-python peers/bin/python
"""

import json
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.table import Table

from jobs.bench import flag_peers
from summarizer.assertion.flags import sentence_flags, with_flags
from summarizer.segmentation.segment import segment
from summarizer.types import ContextKind, ContextSpan, Flag

DEFAULT_GOLD = Path(__file__).parents[2] / "tests" / "gold" / "flags"
GIVEN, FOUND = "this project", "this project, text alone"
_KINDS = {"H": ContextKind.HEADING, "L": ContextKind.LEAD_IN}
_LETTERS = {flag.value[0]: flag for flag in Flag}


@dataclass(frozen=True, slots=True)
class FlagPassage:
    """A marked passage: one sentence of a note with its context.

    Attributes:
        start, end: the sentence in `text`.
        facts: spans within the sentence, which the peer is given.
    """

    id: str
    note: str
    text: str
    start: int
    end: int
    context: tuple[ContextSpan, ...]
    facts: tuple[tuple[int, int], ...]
    flags: frozenset[Flag]


@dataclass(frozen=True, slots=True)
class FlagRow:
    """Figures of one system for one flag over one part of the passages; `support` passages have the flag."""

    system: str
    part: str
    flag: str
    support: int
    precision: float
    recall: float
    f1: float


def read_passages(folder: Path = DEFAULT_GOLD) -> dict[str, list[FlagPassage]]:
    """The passages by part: `development` and `heldout`.

    Raises:
        OSError: a file cannot be read.
        ValueError: a line is not as `tests/gold/flags/README.md` says.
    """
    parts = {}
    for part in ("development", "heldout"):
        lines = (folder / f"{part}.txt").read_text(encoding="utf-8").splitlines()
        parts[part] = [read_line(f"{part[0]}{number:03d}", line) for number, line in enumerate(lines, 1)]
    return parts


def read_line(name: str, line: str) -> FlagPassage:
    """One passage.

    Raises:
        ValueError: the line is not as `tests/gold/flags/README.md` says.
    """
    head, _, letters = line.rpartition(" | ")
    note, above, marked = head.split(" | ", 2)
    text, context = "", []
    for piece in above.split(" / ") if above != "-" else ():
        kind, _, words = piece.partition(":")
        same_line = words.endswith("=")
        words = words.removesuffix("=") + (":" if kind == "H" else "")
        context.append(ContextSpan(len(text), len(text) + len(words), _KINDS[kind]))
        text += words + (" " if same_line else "\n")
    start, facts = len(text), []
    for piece in re.split(r"(\{[^}]*\})", marked):
        bare = piece.strip("{}")
        if bare != piece:
            facts.append((len(text), len(text) + len(bare)))
        text += bare
    flags = frozenset(_LETTERS[letter] for letter in letters if letter != "-")
    return FlagPassage(name, note, text, start, len(text), tuple(context), tuple(facts), flags)


def given(passage: FlagPassage) -> frozenset[Flag]:
    """Our flags of the sentence as it is marked."""
    return frozenset(sentence_flags(passage.text, passage.start, passage.end, passage.context))


def found(passage: FlagPassage) -> frozenset[Flag]:
    """Our flags where the text alone is given and we find the sentence and its context."""
    parts = with_flags(passage.text, segment(passage.text))
    return frozenset(
        flag for s in parts.sentences if s.end > passage.start and s.start < passage.end for flag in s.flags
    )


def run(folder: Path = DEFAULT_GOLD, peers_python: Path | None = None) -> list[FlagRow]:
    """Figures for every system, part and flag, and over all flags.

    Args:
        folder: where the marked passages are.
        peers_python: an interpreter that has medspaCy; without one only ours is measured.

    Raises:
        OSError: a file cannot be read.
        ValueError: a file is no such file, or the interpreter cannot run medspaCy.
    """
    parts = read_passages(folder)
    passages = [passage for part in parts.values() for passage in part]
    systems = {
        GIVEN: {passage.id: given(passage) for passage in passages},
        FOUND: {passage.id: found(passage) for passage in passages},
    }
    if peers_python:
        systems |= _peers(peers_python, passages)
    groups = {"all": passages, **parts}
    return [
        row
        for system, flags in systems.items()
        for part in groups
        for row in _rows(system, part, groups[part], flags)
    ]


def _rows(
    system: str, part: str, passages: Sequence[FlagPassage], got: dict[str, frozenset[Flag]]
) -> Iterator[FlagRow]:
    totals = [0, 0, 0]
    for flag in Flag:
        hits = sum(flag in p.flags and flag in got[p.id] for p in passages)
        wanted = sum(flag in p.flags for p in passages)
        given_count = sum(flag in got[p.id] for p in passages)
        totals = [a + b for a, b in zip(totals, (hits, wanted, given_count), strict=True)]
        yield _row(system, part, flag.value, hits, wanted, given_count)
    yield _row(system, part, "all flags", *totals)


def _row(system: str, part: str, flag: str, hits: int, wanted: int, given_count: int) -> FlagRow:
    precision = hits / given_count if given_count else 0.0
    recall = hits / wanted if wanted else 0.0
    return FlagRow(
        system, part, flag, wanted, precision, recall, 2 * hits / (wanted + given_count) if hits else 0.0
    )


def _peers(python: Path, passages: Sequence[FlagPassage]) -> dict[str, dict[str, frozenset[Flag]]]:
    job = {"passages": [_job(passage) for passage in passages]}
    try:
        done = subprocess.run(  # noqa: S603
            [str(python), "-W", "ignore", str(Path(flag_peers.__file__))],
            input=json.dumps(job),
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise ValueError(f"{python} cannot run medspaCy") from error
    results = json.loads(done.stdout)
    return {
        f"{system} {result['version']}": {
            passage.id: frozenset(map(Flag, flags))
            for passage, flags in zip(passages, result["flags"], strict=True)
        }
        for system, result in results.items()
    }


def _job(passage: FlagPassage) -> dict[str, object]:
    """A passage for the peer: a lead-in is of one sentence with what it leads to, as the peer needs it."""
    starts = [piece.start for piece in passage.context]
    if not passage.context or passage.context[-1].kind is not ContextKind.LEAD_IN:
        starts.append(passage.start)
    spans = [[start, passage.end] for start in starts]
    return {"text": passage.text, "sentences": spans, "facts": [list(fact) for fact in passage.facts]}


def table(rows: Sequence[FlagRow]) -> Table:
    """The rows as a table for the terminal."""
    shown = Table(title="Assertion flags on the marked passages")
    for name in ("system", "passages", "flag", "n", "P", "R", "F1"):
        shown.add_column(name, justify="left" if name in ("system", "passages", "flag") else "right")
    for row in rows:
        figures = (f"{value:.3f}" for value in (row.precision, row.recall, row.f1))
        shown.add_row(row.system, row.part, row.flag, str(row.support), *figures)
    return shown


def to_json(rows: Sequence[FlagRow]) -> list[dict[str, object]]:
    """The rows, ready for `json.dumps`."""
    return [asdict(row) for row in rows]
