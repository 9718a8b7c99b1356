"""Summaries a second: our engine beside bert-extractive-summarizer, which needs an environment of its own.

    python -m venv bert && bert/bin/pip install bert-extractive-summarizer==0.10.1 'transformers<5' torch
    clinsum bench summaries --peers-python bert/bin/python

All get the same notes, in the same sentences, and give five of them. The peer runs twice: with the encoder
that our engines use, and with one of the size that it takes by default (`bert-large-uncased`), whose weights
are random here, since they do not change the time. What the summaries are worth `clinsum evaluate` measures.
"""

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from jobs.bench.notes import note_texts
from jobs.bench.sizes import LARGE, write_random
from jobs.runtime import make_summarizer
from jobs.settings import Settings
from summarizer import Budget, Summarizer
from training.evaluation.errors import EvaluationError
from training.evaluation.peer_systems import PeerSystem, find_peers
from training.evaluation.types import Item

PEER = "bert-extractive-summarizer"
_BUDGET = Budget(sentences=5)
_WARM = 16  # notes before the clock starts: among them one whose selection hangs by a hair


@dataclass(frozen=True, slots=True)
class SummaryFigures:
    """One system.

    Attributes:
        system: and with which encoder.
        notes: how many it summarised.
        per_second: notes a second.
        ratio: how many times as fast the first system, ours, is.
    """

    system: str
    notes: int
    per_second: float
    ratio: float

    def to_json(self) -> dict[str, Any]:
        """The line that `--json` prints."""
        return asdict(self)


def measure(settings: Settings, notes: int, few: int, peers_python: Path) -> Iterator[SummaryFigures]:
    """Measures one after the other, each on all cores, without the loading of models.

    Args:
        settings: engine and model of ours.
        notes: generated ones, of about 25 sentences.
        few: of these go through the peer with the large encoder.
        peers_python: an interpreter that has the peer.

    Raises:
        EvaluationError: it has not, or it fails.
        ModelError: a model cannot be found.
    """
    items = items_of(note_texts(None, notes))
    summarizer = make_summarizer(settings)
    ours = rate_of(summarizer, items)
    yield SummaryFigures(f"clinsum, {summarizer.model.engine}", notes, ours, 1.0)
    peer = _peer(peers_python, settings.model or None)
    found = peer_rate(peer, items)
    yield SummaryFigures(f"{PEER}, the same encoder", notes, found, ours / found)
    with tempfile.TemporaryDirectory() as folder:
        write_random(Path(folder), LARGE)
        found = peer_rate(_peer(peers_python, folder), items[:few])
    yield SummaryFigures(f"{PEER}, its default size", few, found, ours / found)


def items_of(texts: Sequence[str]) -> list[Item]:
    """The notes in our sentences, to be summarised in five of them."""
    splitter = Summarizer.from_pretrained(engine="lead")
    items = []
    for text, summary in zip(texts, splitter.summarize(texts), strict=True):
        sentences = tuple(text[s.start : s.end] for s in summary.sentences)
        items.append(Item(sentences, tuple(s.start for s in summary.sentences), _BUDGET, text))
    return items


def rate_of(summarizer: Summarizer, items: Sequence[Item]) -> float:
    """Notes a second of ours."""
    documents = [list(item.sentences) for item in items]
    summarizer.summarize_sentences(documents[:_WARM], _BUDGET)
    started = time.perf_counter()
    summarizer.summarize_sentences(documents, _BUDGET)
    return len(items) / (time.perf_counter() - started)


def _peer(python: Path, model: str | None) -> PeerSystem:
    for system in find_peers([python], model):
        if system.name == PEER:
            return system
    raise EvaluationError(f"{python} does not have {PEER} installed.")


def peer_rate(peer: PeerSystem, items: Sequence[Item]) -> float:
    """Notes a second of another, without the loading of its model."""
    return len(items) / peer.choose(items).seconds
