"""The figures of marked notes as JSON, and as tables for the terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from training.evaluation.bootstrap import LEVEL, RESAMPLES, Estimate
from training.evaluation.mustknow import MEASURES, SystemRow

__all__ = ["show", "to_json"]

_TITLES = {
    "by_fact": "by kind of fact",
    "by_fact_with_pinned": "by kind of fact, with pinned lines",
    "by_note": "by kind of note",
}


def to_json(rows: Sequence[SystemRow], **also: object) -> dict[str, Any]:
    """Everything that decides the figures, and the figures."""
    return {
        "task": "mustknow",
        **also,
        "intervals": {
            "method": "paired percentile bootstrap over notes",
            "level": LEVEL,
            "resamples": RESAMPLES,
        },
        "systems": [_row(row) for row in rows],
    }


def _row(row: SystemRow) -> dict[str, Any]:
    return {
        "name": row.name,
        "engine": row.model.engine,
        "model": row.model.name,
        "model_sha256": row.model.sha256,
        "sentences": round(row.sentences, 3),
        "words": round(row.words, 3),
        **_named(row.estimates),
        "above_first": _named(row.differences) if row.differences else None,
        "must_by_fact": _shares(row.by_fact),
        "must_by_note": _shares(row.by_note),
        "must_by_fact_with_pinned": _shares(row.by_fact_with_pinned),
    }


def _named(estimates: Sequence[Estimate]) -> dict[str, Any]:
    return {name.replace(" ", "_"): value.to_json() for name, value in zip(MEASURES, estimates, strict=True)}


def _shares(table: Mapping[str, tuple[int, int]]) -> dict[str, dict[str, int]]:
    return {name: {"found": found, "of": count} for name, (found, count) in table.items()}


def show(rows: Sequence[SystemRow], console: Console, title: str) -> None:
    """Prints the tables."""
    table = Table(
        title=escape(title),
        caption="of all notes together, 95% bootstrap interval; all intervals with --json",
        box=None,
    )
    table.add_column("system", overflow="fold")
    for name in (*MEASURES, "sentences", "words"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        first, *others = row.estimates
        cells = [f"{first.mean:.3f} ({first.low:.3f}–{first.high:.3f})", *(f"{e.mean:.3f}" for e in others)]
        table.add_row(escape(row.name), *cells, f"{row.sentences:.1f}", f"{row.words:.0f}")
    console.print(table)
    for row in rows:
        if row.differences:
            e = row.differences[0]
            console.print(f"{escape(row.name)} above {escape(rows[0].name)}: {_signed(e)} of must facts")
    for what in ("by_fact", "by_fact_with_pinned", "by_note"):
        console.print(_by(rows, what))


def _signed(e: Estimate) -> str:
    return f"{e.mean:+.3f} ({e.low:+.3f}, {e.high:+.3f})"


def _by(rows: Sequence[SystemRow], what: str) -> Table:
    table = Table(title=f"must facts {_TITLES[what]}", box=None)
    table.add_column("kind")
    table.add_column("facts", justify="right")
    for row in rows:
        table.add_column(escape(row.name), justify="right")
    tables = [getattr(row, what) for row in rows]
    for name, (_, count) in tables[0].items():
        table.add_row(name, str(count), *(f"{one[name][0] / count:.2f}" for one in tables))
    return table
