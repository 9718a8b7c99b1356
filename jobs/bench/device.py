"""What a device gives: tokens and notes a second, how busy it is, and whether summaries stay the same.

On a GPU, and on the CPU by the very code that GPUs run: documents packed into passes, in bf16, made ready by
threads beside them.
"""

import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Any

from jobs.bench.precision import same_sentences
from jobs.bench.sizes import BASE, write_random
from summarizer import Budget, Summarizer
from summarizer.bertsum.preparing import beside, grouped
from summarizer.encoder.encoder import Encoder
from summarizer.encoder.network import TokenSequence, ahead
from summarizer.encoder.runtime import processors
from summarizer.encoder.windows import MARKS, split_evenly
from summarizer.engines.bertsum import BertSumEngine

_SECONDS = 20.0  # of each encoder
_TOGETHER = 32_768  # tokens of a pass, as on a GPU
_BATCH = 256  # notes of one call
_SMI = ("nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "-lms", "200")


@dataclass(frozen=True, slots=True)
class DeviceFigures:
    """One piece of work on the device.

    Attributes:
        way: what was done.
        notes: how many went through.
        tokens_per_second: of the encoder, tokenising included; None where they are not counted.
        notes_per_second: likewise.
        busy: share of the time in which the GPU computed, by `nvidia-smi`; None without one.
        same: of the notes, with exactly the sentences that fp32 on the CPU chooses; None without any.
    """

    way: str
    notes: int
    tokens_per_second: float | None
    notes_per_second: float
    busy: float | None
    same: int | None

    def to_json(self) -> dict[str, Any]:
        """The line that `--json` prints."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Rows:
    rows: tuple[TokenSequence, ...]


def measure(model: str | None, texts: Sequence[str], device: str) -> Iterator[DeviceFigures]:
    """Measures the encoder of the model, one of the size of BERT-base, and whole summaries.

    Raises:
        SummarizerError: the model or the device cannot be used, or torch is not installed.
    """
    with ExitStack() as stack:
        base = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        write_random(base, BASE)
        for name, folder in (("the model's encoder", model), ("a BERT-base of random weights", base)):
            encoder = Encoder.from_pretrained(folder, device, "bf16", "torch").packed(_TOGETHER)
            yield _encoded(f"{name}, bf16", encoder, texts)
    exact = Summarizer.from_pretrained(model, "bertsum", "cpu", "fp32")
    wanted = [summary for start in _starts(texts) for summary in exact.summarize(_part(texts, start))]
    for precision in ("bf16", "mixed"):
        quick = BertSumEngine.from_pretrained(model, device, "bf16", "torch").packed(_TOGETHER)
        again = partial(quick.in_precision, "fp32") if precision == "mixed" else None
        summarizer = Summarizer(quick, again)
        summarizer.summarize(texts[:8])
        with _busy(device) as busy:
            began = time.perf_counter()
            found = [
                s for start in _starts(texts) for s in summarizer.summarize(_part(texts, start), Budget())
            ]
            seconds = time.perf_counter() - began
        same = sum(same_sentences(one, other) for one, other in zip(found, wanted, strict=True))
        rate = len(texts) / seconds
        yield DeviceFigures(f"summaries, {precision}", len(texts), None, rate, busy(), same)


def _encoded(way: str, encoder: Encoder, texts: Sequence[str]) -> DeviceFigures:
    sum(1 for _ in encoder.encode(_tokenised(encoder, texts[0]).rows))
    notes = tokens = 0
    with _busy(encoder.device) as busy:
        began = time.perf_counter()
        in_time = takewhile(lambda _: time.perf_counter() - began < _SECONDS, texts)
        prepared = beside(partial(_tokenised, encoder), in_time, processors())
        groups = grouped(prepared, encoder.together)
        for group, read in ahead(((g, encoder.encode([r for d in g for r in d.rows])) for g in groups), 3):
            tokens += sum(len(vectors) for _, vectors in read)
            notes += len(group)
        seconds = time.perf_counter() - began
    return DeviceFigures(way, notes, tokens / seconds, notes / seconds, busy(), None)


def _tokenised(encoder: Encoder, text: str) -> _Rows:
    (ids,) = encoder.tokenize([text])
    spans = split_evenly(len(ids), encoder.limit - MARKS)
    return _Rows(tuple(TokenSequence((encoder.cls_id, *ids[a:b], encoder.sep_id)) for a, b in spans))


def _starts(texts: Sequence[str]) -> range:
    return range(0, len(texts), _BATCH)


def _part(texts: Sequence[str], start: int) -> Sequence[str]:
    return texts[start : start + _BATCH]


@contextmanager
def _busy(device: str) -> Iterator[Callable[[], float | None]]:
    """Watches the GPU in the block; what is given tells the mean afterwards."""
    if device != "cuda":
        yield lambda: None
        return
    with subprocess.Popen(_SMI, stdout=subprocess.PIPE, text=True) as watch:  # noqa: S603 - the driver's own
        told = ""

        def mean() -> float | None:
            shares = [int(line) for line in told.split() if line.isdecimal()]
            return sum(shares) / len(shares) / 100 if shares else None

        try:
            yield mean
        finally:
            watch.terminate()
            told, _ = watch.communicate()
