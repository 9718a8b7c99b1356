"""`clinsum label`: targets for training an extractive model."""

import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from jobs.commands.options import AsJson, console, print_json
from jobs.exits import Exit, UsageError

if TYPE_CHECKING:
    from training.corpora.records import Corpus
    from training.labels.label_file import Totals

_EVERY = 2.0  # seconds between lines of progress


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog="Example: clinsum label articles.jsonl labels.jsonl --metric mean --max-words 200")(
        label
    )


Data = Annotated[
    str, typer.Argument(help="JSON lines or Parquet, a folder of them, or a data set of the hub.")
]
Out = Annotated[Path, typer.Argument(help="The file of labels; one begun before is gone on with.")]
Metric = Annotated[
    Literal["rouge1", "rouge2", "mean"], typer.Option(help="Which F1 each sentence has to raise.")
]
MaxSentences = Annotated[int | None, typer.Option(help="Choose at most so many sentences.", min=1)]
MaxWords = Annotated[int | None, typer.Option(help="Choose at most so many words.", min=1)]
Stemmer = Annotated[bool, typer.Option(help="Compare words by their stems.")]
Schema = Annotated[
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
        "mustknow",
    ],
    typer.Option(help="How a record is laid out."),
]
FormOfText = Annotated[
    Literal["as-is", "natural", "benchmark"],
    typer.Option(help="The form of text: as found, spaced as in print, or as in the PubMed benchmark."),
]
Config = Annotated[str | None, typer.Option(help="The hub's configuration, such as section.")]
Split = Annotated[str, typer.Option(help="The hub's split.")]
Revision = Annotated[str | None, typer.Option(help="The hub's branch, tag or commit.")]
Streaming = Annotated[bool, typer.Option(help="Read from the hub without a copy.")]
Cache = Annotated[str | None, typer.Option(help="Folder for copies from the hub.")]
HeldOut = Annotated[
    list[str] | None,
    typer.Option(help="Leave out what shares over 5% of 8-word sequences with these files. Repeatable."),
]
Licence = Annotated[
    str | None,
    typer.Option(help="Take only records whose `licence` matches this regular expression."),
]
Workers = Annotated[int | None, typer.Option(help="Processes; as many as cores if not given.", min=1)]
Notes = Annotated[
    str | None, typer.Option(help="For mustknow: the notes, records of `id` and `text`, that DATA marks.")
]
NotesOf = Annotated[
    list[str] | None,
    typer.Option("--part", help="For mustknow: training (if not given), choosing or held-out. Repeatable."),
]
Framed = Annotated[
    int, typer.Option(help="For mustknow: how often each comes again with an invented letterhead.", min=0)
]


def label(
    data: Data,
    out: Out,
    metric: Metric = "mean",
    max_sentences: MaxSentences = None,
    max_words: MaxWords = None,
    stemmer: Stemmer = True,
    schema: Schema = "auto",
    form: FormOfText = "benchmark",
    config: Config = None,
    split: Split = "train",
    revision: Revision = None,
    streaming: Streaming = False,
    cache: Cache = None,
    held_out: HeldOut = None,
    licence: Licence = None,
    notes: Notes = None,
    part: NotesOf = None,
    framed: Framed = 1,
    workers: Workers = None,
    json: AsJson = False,
) -> None:
    """Labels the sentences of articles by greedy matching with summaries, of notes by marked facts."""
    try:
        from training.corpora.records import Corpus
        from training.errors import TrainingError
        from training.labels.labelling import LabelJob, label_corpus
        from training.labels.oracle import OracleSettings
    except ModuleNotFoundError as error:
        raise UsageError(f"Labels need the package {error.name}; install the extra `train`.") from None
    began = time.monotonic()
    corpus = Corpus(data, config, split, streaming, cache, revision)
    with _Progress() as progress:
        try:
            if schema == "mustknow":
                totals = _label_marked(corpus, notes, part or ["training"], framed, out)
            else:
                job = LabelJob(
                    corpus,
                    schema=schema,
                    form=form,
                    oracle=OracleSettings(metric, max_sentences, max_words, stemmer),
                    held_out=tuple(Corpus(path) for path in held_out or ()),
                    licence=_pattern(licence),
                )
                totals = label_corpus(job, out, workers=workers, progress=progress)
        except TrainingError as error:
            raise UsageError(str(error)) from None
    _report(totals, time.monotonic() - began, json)
    if totals.dropped["unreadable"] or not totals.articles:
        raise typer.Exit(Exit.SOMETHING_FAILED)


def _label_marked(
    marks: "Corpus", notes: str | None, parts: Sequence[str], framed: int, out: Path
) -> "Totals":
    from training.corpora.mustknow import Part
    from training.corpora.records import Corpus
    from training.labels.mustknow import MarkedJob, label_marked

    if notes is None:
        raise UsageError("Name the notes that are marked with --notes.")
    if unknown := set(parts) - set(Part):
        raise UsageError(f"There is no part {unknown.pop()!r}; there are {', '.join(Part)}.")
    return label_marked(MarkedJob(marks, Corpus(notes), tuple(Part(p) for p in parts), framed), out)


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
