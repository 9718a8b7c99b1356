"""`clinsum evaluate`: how good the summaries are, several engines side by side on the same documents."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from jobs.commands.options import AsJson, Sets, console, print_json, settings_from
from jobs.exits import Exit, UsageError
from summarizer.types import Budget

if TYPE_CHECKING:
    from jobs.settings import Settings
    from training.evaluation.run import Evaluation
    from training.evaluation.systems import System
    from training.evaluation.types import Corpus

DEFAULT_WORDS = 200


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog="Example: clinsum evaluate articles.jsonl --words 200 --picture figures.svg")(evaluate)


Data = Annotated[
    Path | None,
    typer.Argument(metavar="[DATA]", help="Articles with abstracts, as JSON lines, also .gz or .xz."),
]
Clinical = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Radiology reports, or notes: what is found of their own conclusions."),
]
Marks = Annotated[
    Path | None, typer.Option("--mustknow", metavar="FILE", help="Marked must-know facts: what is found.")
]
Notes = Annotated[
    Path | None, typer.Option(metavar="FILE", help="The notes of --mustknow: records of `id` and `text`.")
]
NotesOf = Annotated[
    Literal["held-out", "choosing", "training", "all"],
    typer.Option("--part", help="Which notes of --mustknow."),
]
Engines = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME[=MODEL]", help="An engine, a peer, oracle or random, with its model. Repeatable."
    ),
]
Model = Annotated[str | None, typer.Option(help="A model folder or hub name for the engines.")]
Sentences = Annotated[int | None, typer.Option(help="At most so many sentences.")]
Words = Annotated[int | None, typer.Option(help="At most so many words.")]
Limit = Annotated[int | None, typer.Option(help="Only the first so many usable lines.", min=1)]
Seed = Annotated[int, typer.Option(help="Of intervals, shuffles and random.", min=0)]
Pythons = Annotated[
    list[Path] | None,
    typer.Option(help="An interpreter that has sumy or bert-extractive-summarizer. Repeatable."),
]
Csv = Annotated[Path | None, typer.Option(help="Writes the figures of every document here.")]
Picture = Annotated[Path | None, typer.Option(help="Draws the figures: .svg, .png or .pdf.")]


def evaluate(
    data: Data = None,
    clinical: Clinical = None,
    marks: Marks = None,
    notes: Notes = None,
    part: NotesOf = "held-out",
    engine: Engines = None,
    model: Model = None,
    sentences: Sentences = None,
    words: Words = None,
    limit: Limit = None,
    seed: Seed = 0,
    peers_python: Pythons = None,
    csv: Csv = None,
    picture: Picture = None,
    json: AsJson = False,
    sets: Sets = None,
) -> None:
    """ROUGE of summaries against abstracts, or what they find of the facts that notes are marked with.

    A line of articles has `text` (or `article`) and `summary` (or `abstract`), each a string or a list of
    sentences; summaries hold 200 words unless told otherwise. With --mustknow, the first engine decides how
    many words a summary of a note has, and the others, the rule of sections and the oracle use as many. With
    --clinical, a line is a report with `findings` and `impression` (three sentences) or a note with `text`.

    Exit code 1 if lines could not be used.
    """
    settings = settings_from(sets, model=model)
    budget = _budget(sentences, words)
    if marks:
        if data or clinical or csv or picture or not notes:
            raise UsageError("Give --mustknow with --notes, and without other data, --csv and --picture.")
        _mustknow(marks, notes, part, engine or [], settings, budget, (limit, seed), json)
        return
    from training.evaluation.errors import EvaluationError
    from training.evaluation.report import show

    try:
        evaluation, budget = _articles(
            (data, clinical), (csv, picture), budget, (limit, seed), _Systems(engine, settings, peers_python)
        )
    except EvaluationError as error:
        raise UsageError(str(error)) from None
    if json:
        _print(evaluation, budget, limit, seed)
    else:
        show(evaluation, console(), _title(evaluation, budget))
    raise typer.Exit(Exit.SOMETHING_FAILED if evaluation.corpus.bad else Exit.DONE)


@dataclass(frozen=True, slots=True)
class _Systems:
    names: list[str] | None
    settings: "Settings"
    pythons: list[Path] | None


def _articles(
    data: tuple[Path | None, Path | None],
    out: tuple[Path | None, Path | None],
    budget: Budget | None,
    choice: tuple[int | None, int],
    systems: _Systems,
) -> tuple["Evaluation", Budget | None]:
    """Measures on articles, or on notes and reports with conclusions, and writes the files asked for."""
    from training.evaluation.picture import check_picture, draw
    from training.evaluation.report import write_csv
    from training.evaluation.run import evaluate_articles, evaluate_notes

    (csv, picture), (limit, seed) = out, choice
    _check_places(csv, picture)
    if picture:
        check_picture(picture)
    corpus, budget = _read(*data, budget, limit, seed)
    made = _systems(systems.names or [], systems.settings, systems.pythons or [], seed)
    evaluation = (evaluate_notes if data[1] else evaluate_articles)(corpus, made, seed, _say)
    if csv:
        write_csv(evaluation, csv)
    if picture:
        draw(evaluation, picture, _title(evaluation, budget))
    return evaluation, budget


def _title(evaluation: "Evaluation", budget: Budget | None) -> str:
    corpus = evaluation.corpus
    return f"{corpus.name}: {len(corpus.cases)} documents, {_words_of(budget)}"


def _print(evaluation: "Evaluation", budget: Budget | None, limit: int | None, seed: int) -> None:
    from jobs.runtime import software_version
    from training.evaluation.report import to_json

    held = {"sentences": budget.sentences, "words": budget.words} if budget else "one for each target"
    print_json(to_json(evaluation, software=software_version(), budget=held, limit=limit, seed=seed))


def _mustknow(
    marks: Path,
    notes: Path,
    part: str,
    names: list[str],
    settings: "Settings",
    budget: Budget | None,
    choice: tuple[int | None, int],
    json: bool,
) -> None:
    """Measures on marked notes; an engine, then rule and oracle at as many words."""
    from training.corpora.mustknow import Part
    from training.corpora.records import Corpus
    from training.evaluation import mustknow, mustknow_report
    from training.evaluation.errors import EvaluationError
    from training.evaluation.systems import make_system

    limit, seed = choice
    try:
        found = mustknow.read_prepared(
            Corpus(str(marks)), Corpus(str(notes)), None if part == "all" else Part(part), limit
        )
        engines = [
            make_system(name, settings.model or None, settings.device, seed)
            for name in names or ["bertsum", "lexrank", "lead"]
        ]
        systems: list[mustknow.Measured] = [*engines, mustknow.SectionRule(), mustknow.OracleOfFacts()]
        rows = mustknow.evaluate_mustknow(found, systems, budget, seed, _say)
    except EvaluationError as error:
        raise UsageError(str(error)) from None
    title = f"{marks.name}: {len(found)} notes, {part}"
    if json:
        print_json(mustknow_report.to_json(rows, title=title, part=part, notes=len(found), seed=seed))
    else:
        mustknow_report.show(rows, console(), title)


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
