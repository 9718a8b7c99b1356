"""`clinsum label`: targets for training an extractive model."""

import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from jobs.commands.options import AsJson, console, print_json
from jobs.exits import Exit, UsageError

if TYPE_CHECKING:
    from training.labels.label_file import Totals

_EVERY = 2.0  # seconds between lines of progress


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog="Example: clinsum label articles.jsonl labels.jsonl --metric mean --max-words 200")(
        label
    )


def label(
    data: Annotated[
        str, typer.Argument(help="JSON lines or Parquet, a folder of them, or a data set of the hub.")
    ],
    out: Annotated[Path, typer.Argument(help="The file of labels; one begun before is gone on with.")],
    metric: Annotated[
        Literal["rouge1", "rouge2", "mean"], typer.Option(help="Which F1 each sentence has to raise.")
    ] = "mean",
    max_sentences: Annotated[
        int | None, typer.Option(help="Choose at most so many sentences.", min=1)
    ] = None,
    max_words: Annotated[int | None, typer.Option(help="Choose at most so many words.", min=1)] = None,
    stemmer: Annotated[bool, typer.Option(help="Compare words by their stems.")] = True,
    schema: Annotated[
        Literal[
            "auto",
            "ccdv",
            "cohan",
            "sentences",
            "sumpubmed",
            "text",
            "pmc",
            "radiology",
            "mtsamples",
            "mtsamples-description",
            "conclusions",
            "conclusions-moved",
        ],
        typer.Option(help="How a record is laid out."),
    ] = "auto",
    form: Annotated[
        Literal["as-is", "natural", "benchmark"],
        typer.Option(help="The form of text: as found, spaced as in print, or as in the PubMed benchmark."),
    ] = "benchmark",
    config: Annotated[str | None, typer.Option(help="The hub's configuration, such as section.")] = None,
    split: Annotated[str, typer.Option(help="The hub's split.")] = "train",
    revision: Annotated[str | None, typer.Option(help="The hub's branch, tag or commit.")] = None,
    streaming: Annotated[bool, typer.Option(help="Read from the hub without a copy.")] = False,
    cache: Annotated[str | None, typer.Option(help="Folder for copies from the hub.")] = None,
    held_out: Annotated[
        list[str] | None,
        typer.Option(help="Leave out what shares over 5% of 8-word sequences with these files. Repeatable."),
    ] = None,
    licence: Annotated[
        str | None,
        typer.Option(help="Take only records whose `licence` matches this regular expression."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes; as many as cores if not given.", min=1)
    ] = None,
    json: AsJson = False,
) -> None:
    """Labels the sentences of each article by greedy matching with its summary."""
    try:
        from training.corpora.records import Corpus
        from training.errors import TrainingError
        from training.labels.labelling import LabelJob, label_corpus
        from training.labels.oracle import OracleSettings
    except ModuleNotFoundError as error:
        raise UsageError(f"Labels need the package {error.name}; install the extra `train`.") from None
    job = LabelJob(
        Corpus(data, config, split, streaming, cache, revision),
        schema=schema,
        form=form,
        oracle=OracleSettings(metric, max_sentences, max_words, stemmer),
        held_out=tuple(Corpus(path) for path in held_out or ()),
        licence=_pattern(licence),
    )
    began = time.monotonic()
    with _Progress() as progress:
        try:
            totals = label_corpus(job, out, workers=workers, progress=progress)
        except TrainingError as error:
            raise UsageError(str(error)) from None
    _report(totals, time.monotonic() - began, json)
    if totals.dropped["unreadable"] or not totals.articles:
        raise typer.Exit(Exit.SOMETHING_FAILED)


def _pattern(licence: str | None) -> str | None:
    try:
        re.compile(licence or "")
    except re.error:
        raise UsageError("--licence is no regular expression.") from None
    return licence


class _Progress:
    """A line on standard error now and then; on a terminal the same line anew."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._shown = time.monotonic()
        self._wrote = False

    def __enter__(self) -> "_Progress":
        return self

    def __exit__(self, *_: object) -> None:
        if self._wrote and self._terminal:
            sys.stderr.write("\n")

    def __call__(self, totals: "Totals") -> None:
        if time.monotonic() - self._shown < _EVERY:
            return
        self._shown = time.monotonic()
        self._wrote = True
        line = f"{totals.records} records, {totals.articles} labelled"
        sys.stderr.write(f"\r{line}" if self._terminal else f"{line}\n")
        sys.stderr.flush()


def _report(totals: "Totals", seconds: float, json: bool) -> None:
    figures = totals.to_json()
    if json:
        print_json(figures | {"seconds": round(seconds, 3)})
        return
    out = console()
    out.print(f"{totals.articles} articles labelled of {totals.records} records, in {seconds:.1f} s")
    if totals.articles:
        out.print(
            f"{totals.chosen} of {totals.sentences} sentences chosen, "
            f"oracle ROUGE {totals.rouge / totals.articles:.4f}"
        )
    for reason, count in sorted(totals.dropped.items()):
        out.print(f"{count} without labels: {reason}", style="dim")
