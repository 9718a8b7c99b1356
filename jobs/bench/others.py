"""What a user would pick instead, on the same notes, in whichever interpreter has it.

None of them is needed here, and some need other versions of what is:

    python -m venv bert
    bert/bin/pip install bert-extractive-summarizer==0.10.1 "transformers<5" torch sumy
    python -m venv st && st/bin/pip install 'sentence-transformers[onnx,openvino]'
    python -m venv rush && rush/bin/pip install PyRuSH pysbd
    clinsum bench --peers-python bert/bin/python --peers-python st/bin/python --peers-python rush/bin/python
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from jobs.bench import sentence_peers
from jobs.bench.figures import Figure
from jobs.bench.sentences import measure_elsewhere, our_spans
from jobs.bench.summaries import items_of, peer_rate, rate_of
from summarizer import Summarizer
from training.evaluation.errors import EvaluationError
from training.evaluation.peer_systems import PEERS, PeerSystem, find_peers

_FEW = 40  # notes for summarizers, of which some are slow
_SECONDS = 2.0  # of processor time for each splitter
CHOOSING = "five sentences, clinsum"
SPLITTING = "sentences, clinsum"


def measure(model: str | None, texts: Sequence[str], pythons: Sequence[Path]) -> Iterator[Figure]:
    """Five sentences of each note by every summarizer, then its sentences by every splitter.

    Args:
        model: of ours, whose encoder the others get too where they take one.
        texts: the notes.
        pythons: interpreters that may have some; this one is looked at too.

    Raises:
        EvaluationError, ValueError: a named interpreter cannot run them, or has none.
        ModelError: the model cannot be found.
    """
    items = items_of(texts[:_FEW])
    own = rate_of(Summarizer.from_pretrained(model, precision="mixed"), items)
    yield Figure(CHOOSING, own, "notes/s", 1.0, CHOOSING)
    systems = _summarizers(model, pythons)
    for name in PEERS:
        rate = peer_rate(systems[name], items) if name in systems else None
        yield Figure(name, rate, "notes/s", None if rate is None else rate / own, CHOOSING)
    own = sentence_peers.speed(our_spans, list(texts), _SECONDS)
    yield Figure(SPLITTING, own, "MB/s of one core", 1.0, SPLITTING)
    splitters = _splitters(texts, pythons)
    for name in sentence_peers.TOOLS:
        speed = splitters[name]["mb_per_s"] if name in splitters else None
        ratio = None if speed is None else speed / own
        yield Figure(f"sentences, {name}", speed, "MB/s of one core", ratio, SPLITTING)


def _summarizers(model: str | None, pythons: Sequence[Path]) -> dict[str, PeerSystem]:
    """By name, each from the first interpreter that has it; one that has splitters alone is none here."""
    found: dict[str, PeerSystem] = {}
    for python in _interpreters(pythons):
        try:
            systems = find_peers([python], model)
        except EvaluationError:
            continue
        for system in systems:
            found.setdefault(system.name, system)
    return found


def _splitters(texts: Sequence[str], pythons: Sequence[Path]) -> dict[str, Any]:
    job = {"texts": [], "speed": list(texts), "seconds": _SECONDS}
    found: dict[str, Any] = {}
    for python in _interpreters(pythons):
        missing = [name for name in sentence_peers.TOOLS if name not in found]
        found |= measure_elsewhere(python, {**job, "tools": missing})
    return found


def _interpreters(pythons: Sequence[Path]) -> list[Path]:
    return [*pythons, Path(sys.executable)]
