"""The figures as JSON, as one line of CSV for each document and system, and as tables for the terminal."""

import csv
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from summarizer.files import replaced
from training.evaluation.bootstrap import LEVEL, RESAMPLES, Estimate
from training.evaluation.errors import EvaluationError
from training.evaluation.run import Difference, Evaluation, SystemFigures

_LABELS = {"rouge1": "ROUGE-1", "rouge2": "ROUGE-2", "rougeLsum": "ROUGE-Lsum"}
_SHOWN_BAD = 20
_ALL_PAIRS = 4  # up to so many systems all pairs are shown


def label(measure: str) -> str:
    """How a measure is called where people read."""
    return _LABELS.get(measure, measure)


def to_json(evaluation: Evaluation, **also: object) -> dict[str, Any]:
    """Everything that decides the figures, and the figures; nothing that differs from run to run."""
    corpus = evaluation.corpus
    return {
        "task": evaluation.task,
        **also,
        "settings": dict(evaluation.settings),
        "data": {
            "name": corpus.name,
            "sha256": corpus.sha256,
            "documents": len(corpus.cases),
            "bad_lines": [{"line": bad.line, "reason": bad.reason} for bad in corpus.bad],
            "left_out": dict(sorted(corpus.left_out.items())),
        },
        "intervals": {
            "method": "paired percentile bootstrap over documents",
            "level": LEVEL,
            "resamples": RESAMPLES,
            "seed": evaluation.seed,
        },
        "systems": [_row_json(row, evaluation.measures) for row in evaluation.rows],
        "differences": [
            {"first": d.first, "second": d.second, **_estimates_json(d.estimates, evaluation.measures)}
            for d in evaluation.differences
        ],
    }


def _row_json(row: SystemFigures, measures: Sequence[str]) -> dict[str, Any]:
    return {
        "name": row.name,
        "engine": row.model.engine,
        "model": row.model.name,
        "model_sha256": row.model.sha256,
        "sentences": round(_mean(row.sentences), 3),
        "words": round(_mean(row.words), 3),
        **_estimates_json(row.estimates, measures),
    }


def _estimates_json(estimates: Sequence[Estimate], measures: Sequence[str]) -> dict[str, Any]:
    return {name: value.to_json() for name, value in zip(measures, estimates, strict=True)}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def write_csv(evaluation: Evaluation, path: Path) -> None:
    """One line for each document and system: the line of the data, the measures, the length; no text.

    Raises:
        EvaluationError: the file cannot be written.
    """
    try:
        with replaced(path) as file:
            out = csv.writer(file, lineterminator="\n")
            out.writerow(["line", "system", *evaluation.measures, "sentences", "words"])
            for i, case in enumerate(evaluation.corpus.cases):
                for row in evaluation.rows:
                    figures = [f"{value:.6f}" for value in row.values[i]]
                    out.writerow(
                        [case.line, row.name, *figures, f"{row.sentences[i]:g}", f"{row.words[i]:g}"]
                    )
    except OSError as error:
        raise EvaluationError(f"{path} cannot be written: {error.strerror}.") from None


def show(evaluation: Evaluation, console: Console, title: str) -> None:
    """Prints the tables, and what of the data could not be used."""
    corpus = evaluation.corpus
    console.print(_figures(evaluation, title))
    if evaluation.differences:
        console.print(_differences(evaluation))
    for reason, count in sorted(corpus.left_out.items()):
        console.print(f"left out: {count} ({reason})", style="dim")
    if corpus.bad:
        lines = ", ".join(f"{bad.line} ({bad.reason})" for bad in corpus.bad[:_SHOWN_BAD])
        more = len(corpus.bad) - _SHOWN_BAD
        console.print(
            f"bad lines: {len(corpus.bad)}, namely {lines}" + (f" and {more} more" if more > 0 else "")
        )


def _figures(evaluation: Evaluation, title: str) -> Table:
    table = Table(title=escape(title), caption="means over documents, with 95% bootstrap intervals", box=None)
    table.add_column("system", overflow="fold")
    for name in (*map(label, evaluation.measures), "sentences", "words"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in evaluation.rows:
        cells = [f"{e.mean:.3f} ({e.low:.3f}–{e.high:.3f})" for e in row.estimates]
        table.add_row(escape(row.name), *cells, f"{_mean(row.sentences):.1f}", f"{_mean(row.words):.0f}")
    return table


def _differences(evaluation: Evaluation) -> Table:
    shown = _shown_differences(evaluation)
    caption = "* the interval does not hold 0"
    if len(shown) < len(evaluation.differences):
        caption += "; each system against the next below it, all pairs with --json"
    table = Table(title="Differences on the same documents", caption=caption, box=None)
    table.add_column("systems", overflow="fold")
    for name in map(label, evaluation.measures):
        table.add_column(name, justify="right", no_wrap=True)
    for row in shown:
        cells = [
            f"{e.mean:+.3f} ({e.low:+.3f}, {e.high:+.3f}){' ' if e.low <= 0 <= e.high else '*'}"
            for e in row.estimates
        ]
        table.add_row(escape(f"{row.first} − {row.second}"), *cells)
    return table


def _shown_differences(evaluation: Evaluation) -> Sequence[Difference]:
    """All pairs; of many systems each with the one that follows it by the first measure."""
    if len(evaluation.rows) <= _ALL_PAIRS:
        return evaluation.differences
    ranked = [row.name for row in sorted(evaluation.rows, key=lambda row: -row.estimates[0].mean)]
    pairs = {(row.first, row.second): row for row in evaluation.differences}
    return [pairs.get(pair) or pairs[pair[::-1]].turned() for pair in pairwise(ranked)]
