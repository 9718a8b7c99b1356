"""`clinsum evaluate`: how good the summaries are, several engines side by side on the same documents."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.commands.options import AsJson, Sets, console, print_json, settings_from
from jobs.exits import Exit, UsageError
from summarizer.types import Budget

if TYPE_CHECKING:
    from jobs.settings import Settings
    from training.evaluation.systems import System
    from training.evaluation.types import Corpus

DEFAULT_WORDS = 200


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog="Example: clinsum evaluate articles.jsonl --words 200 --picture figures.svg")(evaluate)


def evaluate(
    data: Annotated[
        Path | None,
        typer.Argument(metavar="[DATA]", help="Articles with abstracts, as JSON lines, also .gz or .xz."),
    ] = None,
    clinical: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Notes or radiology reports instead: clinical recall.")
    ] = None,
    engine: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[=MODEL]", help="An engine, a peer, oracle or random, with its model. Repeatable."
        ),
    ] = None,
    model: Annotated[str | None, typer.Option(help="A model folder or hub name for the engines.")] = None,
    sentences: Annotated[int | None, typer.Option(help="At most so many sentences.")] = None,
    words: Annotated[int | None, typer.Option(help="At most so many words.")] = None,
    limit: Annotated[int | None, typer.Option(help="Only the first so many usable lines.", min=1)] = None,
    seed: Annotated[int, typer.Option(help="Of intervals, shuffles and random.", min=0)] = 0,
    peers_python: Annotated[
        list[Path] | None,
        typer.Option(help="An interpreter that has sumy or bert-extractive-summarizer. Repeatable."),
    ] = None,
    csv: Annotated[Path | None, typer.Option(help="Writes the figures of every document here.")] = None,
    picture: Annotated[Path | None, typer.Option(help="Draws the figures: .svg, .png or .pdf.")] = None,
    json: AsJson = False,
    sets: Sets = None,
) -> None:
    """ROUGE of summaries against abstracts, or what they find of the conclusions of notes.

    A line of articles has `text` (or `article`) and `summary` (or `abstract`), each a string or a list of
    sentences; summaries hold 200 words unless told otherwise. With --clinical, a line is a note with `text`
    (as many sentences as its impression, assessment and plan have) or a report with `findings` and
    `impression` (three sentences).

    Exit code 1 if lines could not be used.
    """
    settings = settings_from(sets, model=model)
    budget = _budget(sentences, words)
    from training.evaluation.errors import EvaluationError
    from training.evaluation.picture import check_picture, draw
    from training.evaluation.report import show, to_json, write_csv
    from training.evaluation.run import evaluate_articles, evaluate_notes

    try:
        _check_places(csv, picture)
        if picture:
            check_picture(picture)
        corpus, budget = _read(data, clinical, budget, limit, seed)
        systems = _systems(engine or [], settings, peers_python or [], seed)
        run = evaluate_notes if clinical else evaluate_articles
        evaluation = run(corpus, systems, seed, _say)
        title = f"{corpus.name}: {len(corpus.cases)} documents, {_words_of(budget)}"
        if csv:
            write_csv(evaluation, csv)
        if picture:
            draw(evaluation, picture, title)
    except EvaluationError as error:
        raise UsageError(str(error)) from None
    if json:
        from jobs.runtime import software_version

        held = {"sentences": budget.sentences, "words": budget.words} if budget else "one for each target"
        print_json(to_json(evaluation, software=software_version(), budget=held, limit=limit, seed=seed))
    else:
        show(evaluation, console(), title)
    raise typer.Exit(Exit.SOMETHING_FAILED if corpus.bad else Exit.DONE)


def _budget(sentences: int | None, words: int | None) -> Budget | None:
    try:
        given = Budget(sentences=sentences, words=words)
    except ValueError as error:
        raise UsageError(f"The budget: {error}.") from None
    return given if given != Budget() else None


def _words_of(budget: Budget | None) -> str:
    if budget is None:
        return "as many sentences as targets"
    count, unit = (budget.words, "word") if budget.words else (budget.sentences, "sentence")
    return f"{count} {unit}" + ("" if count == 1 else "s")


def _check_places(*paths: Path | None) -> None:
    """Says before the work, not after it, that a file can't be written."""
    for path in paths:
        if path and not path.absolute().parent.is_dir():
            raise UsageError(f"{path} cannot be written: there is no folder {str(path.parent)!r}.")


def _read(
    data: Path | None, clinical: Path | None, budget: Budget | None, limit: int | None, seed: int
) -> tuple["Corpus", Budget | None]:
    """The documents, and the budget they have; None if each has its own."""
    from training.evaluation.clinical import read_notes
    from training.evaluation.corpus import read_articles

    if (data is None) == (clinical is None):
        raise UsageError("Give either a file of articles or --clinical with a file of notes.")
    if data:
        budget = budget or Budget(words=DEFAULT_WORDS)
        return read_articles(data, budget, limit), budget
    assert clinical
    corpus = read_notes(clinical, budget, limit, seed)
    budgets = {item.budget for case in corpus.cases for item in case.items}
    return corpus, budgets.pop() if len(budgets) == 1 else None


def _systems(
    names: Sequence[str], settings: "Settings", pythons: Sequence[Path], seed: int
) -> list["System"]:
    """What to measure: the engines named, and the peers named or, if none is, all that are installed."""
    from training.evaluation.peer_systems import PEERS, find_peers
    from training.evaluation.systems import DEFAULT, make_system

    if repeated := {name for name in names if names.count(name) > 1}:
        raise UsageError(f"--engine {repeated.pop()} is given twice.")
    model = settings.model or None
    peers = {peer.name: peer for peer in find_peers(pythons, model)}
    ours = [name for name in names if name not in PEERS]
    wanted = [name for name in names if name in PEERS] or list(peers)
    for name in wanted:
        if name not in peers:
            raise UsageError(f"To measure {name}, name an interpreter that has it with --peers-python.")
    if not names:
        ours = list(DEFAULT)
    systems: list[System] = [make_system(name, model, settings.device, seed) for name in ours]
    return [*systems, *(peers[name] for name in wanted)]


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
