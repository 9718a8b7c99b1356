"""All speeds in one run, each as a ratio to the machine's ceiling or to the plain way beside it."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from jobs.bench import others
from jobs.bench.figures import Figure
from jobs.bench.notes import words_of
from jobs.bench.passes import measure_pass
from jobs.settings import Settings
from summarizer import Budget, Summarizer
from summarizer.encoder.runtime import has_bf16, has_cuda, installed, processor

_SIDE = 1024  # of the square matrices
_COPIED = 64 << 20  # bytes
_SECONDS = 1.0  # of each measurement of the machine
SLOWER = 0.8  # a ratio that falls below so much of what it was counts as a regression


def measure(
    settings: Settings, texts: Sequence[str], notes: int, pythons: Sequence[Path] = ()
) -> Iterator[Figure]:
    """Measures one after the other, each on all cores that the process may use.

    Args:
        settings: model of ours.
        texts: that are summarised.
        notes: of each pass over the sandbox.
        pythons: interpreters that have what others made (`jobs.bench.others`).
    """
    yield from machine()
    yield from _summaries(settings, texts)
    yield from others.measure(settings.model or None, texts, pythons)
    bare = measure_pass(settings.model_copy(update={"engine": "lead"}), notes)
    rate = bare.notes / bare.seconds
    yield Figure("pass without a model", rate, "notes/s", 1.0, "pass without a model")
    full = measure_pass(settings.model_copy(update={"engine": "bertsum"}), notes)
    own = full.notes / full.seconds
    yield Figure("pass", own, "notes/s", own / rate, "pass without a model")
    yield Figure("memory of a pass", full.peak_mb, "MB", bare.peak_mb / full.peak_mb, "without a model")


def machine() -> Iterator[Figure]:
    """What the machine gives at most: products of matrices by precision, and copies of memory."""
    from openvino import Model
    from openvino import opset13 as op

    from summarizer.encoder import graph
    from summarizer.encoder.compiled import Compiled

    matrix = np.random.default_rng(0).standard_normal((1, _SIDE, _SIDE), np.float32)
    base = 0.0
    for precision in ("fp32", "bf16") if has_bf16() else ("fp32",):
        left = graph.single_input("left", 1, -1, _SIDE)
        product = Model([op.matmul(left, graph.value(matrix[0]), False, True)], [left])
        compiled = Compiled(product, precision)
        found = _rate(lambda run=compiled: run(matrix)) * 2 * _SIDE**3 / 1e9  # type: ignore[misc]
        base = base or found
        name = f"matrix product, {precision}, a core"
        yield Figure(name, found, "GFLOP/s", found / base, "matrix product, fp32, a core")
    source = np.ones(_COPIED, np.uint8)
    target = np.empty_like(source)
    copied = _rate(lambda: np.copyto(target, source)) * 2 * _COPIED / 1e9
    yield Figure("memory copy", copied, "GB/s", 1.0, "memory copy")


def _rate(work: Callable[[], object]) -> float:
    """Times a second."""
    work()
    began, times = time.perf_counter(), 0
    while (spent := time.perf_counter() - began) < _SECONDS:
        work()
        times += 1
    return times / spent


def _summaries(settings: Settings, texts: Sequence[str]) -> Iterator[Figure]:
    from summarizer.engines.bertsum import BertSumEngine

    model, beside = settings.model or None, "summaries, openvino, fp32"
    ways: dict[str, Callable[[], Summarizer]] = {
        f"summaries, openvino, {precision}": partial(
            Summarizer.from_pretrained, model, "bertsum", "cpu", precision
        )
        for precision in ("fp32", "mixed")
    }
    if installed("torch") and installed("transformers"):
        beside = "summaries, torch, fp32"
        ways = {
            beside: lambda: Summarizer(BertSumEngine.from_pretrained(model, "cpu", "fp32", "torch")),
            **ways,
        }
    if has_cuda():
        ways["summaries, torch, cuda, bf16"] = partial(
            Summarizer.from_pretrained, model, "bertsum", "cuda", "bf16"
        )
    ways["summaries, the first sentences"] = partial(Summarizer.from_pretrained, engine="lead")
    base = 0.0
    for name, make in ways.items():
        summarizer = make()
        summarizer.summarize(texts[:4])
        began = time.perf_counter()
        for start in range(0, len(texts), 32):
            summarizer.summarize(texts[start : start + 32], Budget())
        found = len(texts) / (time.perf_counter() - began)
        base = base or found
        yield Figure(name, found, "notes/s", found / base, beside)


def run_of(figures: Sequence[Figure], texts: Sequence[str]) -> dict[str, Any]:
    """One line of the history file: when, on what, and all figures."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": processor(),
        "words": round(words_of(texts)),
        "figures": [figure.to_json() for figure in figures],
    }


def last_run(file: Path) -> dict[str, Any]:
    """The last line of a history file.

    Raises:
        OSError, ValueError: it cannot be read, or holds something else.
    """
    lines = file.read_text(encoding="utf-8").splitlines()
    found = json.loads(lines[-1]) if lines else None
    if not isinstance(found, dict) or not isinstance(found.get("figures"), list):
        raise ValueError("no line of a run")
    return found


def regressions(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Figures whose ratio is clearly lower than it was, in words; speeds themselves depend on the machine."""
    old = {figure["name"]: figure["ratio"] or 0.0 for figure in before["figures"]}
    return [
        f"{figure['name']}: {figure['ratio']:.2f} times {figure['beside']}, before {old[figure['name']]:.2f}"
        for figure in now["figures"]
        if figure["ratio"] is not None and figure["ratio"] < SLOWER * old.get(figure["name"], 0.0)
    ]
