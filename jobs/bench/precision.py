"""Whether summaries stay those of torch in fp32: the proof of a quicker runtime or precision."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from summarizer import Summarizer, Summary
from summarizer.engines.bertsum import BertSumEngine

WAYS = ("fp32", "bf16", "mixed")


@dataclass(frozen=True, slots=True)
class PrecisionFigures:
    """One way to compute, beside torch in fp32.

    Attributes:
        way: runtime and precision.
        notes: how many were summarised.
        same: of these, with exactly the same sentences chosen.
        apart: the largest difference of a score.
        seconds: processor time of all.
        ratio: how many times as little processor time as torch in fp32.
    """

    way: str
    notes: int
    same: int
    apart: float
    seconds: float
    ratio: float

    def to_json(self) -> dict[str, Any]:
        """The line that `--json` prints."""
        return asdict(self)


def measure(model: str | None, texts: Sequence[str]) -> Iterator[PrecisionFigures]:
    """Summarises all texts in each way, in one process.

    Raises:
        SummarizerError: the model cannot be used, or torch is not installed.
    """
    reference = Summarizer(BertSumEngine.from_pretrained(model, "cpu", "fp32", "torch"))
    wanted, base = _timed(reference, texts)
    yield PrecisionFigures("torch, fp32", len(texts), len(texts), 0.0, base, 1.0)
    for precision in WAYS:
        summarizer = Summarizer.from_pretrained(model, "bertsum", "cpu", precision)
        if precision == "mixed" and summarizer.precision != precision:
            continue  # this processor has no bf16, so that fp32 is what passes take
        found, seconds = _timed(summarizer, texts)
        same = sum(same_sentences(one, other) for one, other in zip(found, wanted, strict=True))
        apart = max(_apart(one, other) for one, other in zip(found, wanted, strict=True))
        name = f"openvino, {precision}"
        yield PrecisionFigures(name, len(texts), same, round(apart, 4), seconds, base / seconds)


def _timed(summarizer: Summarizer, texts: Sequence[str]) -> tuple[list[Summary], float]:
    summarizer.summarize(texts[:2])
    began = time.process_time()
    found = [summary for start in range(0, len(texts), 32) for summary in _some(summarizer, texts, start)]
    return found, time.process_time() - began


def _some(summarizer: Summarizer, texts: Sequence[str], start: int) -> list[Summary]:
    return summarizer.summarize(texts[start : start + 32])


def same_sentences(one: Summary, other: Summary) -> bool:
    """Whether two summaries of one note show the same sentences."""
    return [s.start for s in one.summary] == [s.start for s in other.summary]


def _apart(one: Summary, other: Summary) -> float:
    pairs = zip(one.sentences, other.sentences, strict=True)
    return max((abs(a.score - b.score) for a, b in pairs), default=0.0)
