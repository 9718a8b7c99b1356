"""`clinsum bench`: measures on this machine what the README states."""

from json import dumps
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.table import Table

from jobs.commands.options import AsJson, Sets, console, print_json, settings_from
from jobs.exits import Exit, UsageError

bench = typer.Typer(help="Measures on this machine what the README states.", invoke_without_command=True)


def register(app: typer.Typer) -> None:
    """Adds the group of commands."""
    app.add_typer(bench, name="bench")


def texts_of(notes: Path | None, count: int) -> list[str]:
    """See `jobs.bench.notes.note_texts`; what cannot be read is wrong use."""
    from jobs.bench.notes import note_texts

    try:
        return note_texts(notes, count)
    except (OSError, ValueError) as error:
        raise UsageError(f"The notes cannot be read: {error}.") from None


@bench.callback()
def everything(
    context: typer.Context,
    notes: Annotated[
        Path | None, typer.Option(help="Notes to summarise: JSON lines with `text`, also .xz.")
    ] = None,
    count: Annotated[int, typer.Option(help="So many of them, or generated ones.", min=8)] = 200,
    peers_python: Annotated[
        list[Path] | None,
        typer.Option(help="An interpreter that has what others made, such as sumy. Repeatable."),
    ] = None,
    picture: Annotated[Path | None, typer.Option(help="Draw the figures in this SVG file.")] = None,
    history: Annotated[Path | None, typer.Option(help="Append the run to this file.")] = None,
    compare: Annotated[
        Path | None, typer.Option(help="A history file: name what is slower than in its last run.")
    ] = None,
    json: AsJson = False,
    sets: Sets = None,
) -> None:
    """Without a command: all speeds in one run, beside the machine's ceiling; some minutes."""
    if context.invoked_subcommand is not None:
        return
    from jobs.bench import picture as drawing
    from jobs.bench import whole

    texts = texts_of(notes, count)
    try:
        before = whole.last_run(compare) if compare else None
    except (OSError, ValueError) as error:
        raise UsageError(f"The history cannot be read: {error}.") from None
    table = Table("", "", "", "times", "", box=None)
    figures = []
    for figure in whole.measure(settings_from(sets), texts, min(count, 200), peers_python or ()):
        figures.append(figure)
        if json:
            print_json(figure.to_json())
        table.add_row(*figure.cells())
    run = whole.run_of(figures, texts)
    if not json:
        console().print(table)
    if picture:
        picture.write_text(drawing.picture(figures), encoding="utf-8")
    if history:
        with history.open("a", encoding="utf-8") as file:
            file.write(dumps(run) + "\n")
    slower = whole.regressions(before, run) if before else []
    for line in slower:
        console(stderr=True).print(line, markup=False)
    if slower:
        raise typer.Exit(Exit.SOMETHING_FAILED)


@bench.command(epilog="Example: clinsum bench precision --notes mtsamples/notes.jsonl.xz --count 1000")
def precision(
    notes: Annotated[
        Path | None, typer.Option(help="Notes to summarise: JSON lines with `text`, also .xz.")
    ] = None,
    count: Annotated[int, typer.Option(help="So many of them, or generated ones.", min=1)] = 1000,
    json: AsJson = False,
    sets: Sets = None,
) -> None:
    """How many notes each precision summarises with the very sentences of torch in fp32."""
    from jobs.bench import precision as backend

    settings, texts = settings_from(sets), texts_of(notes, count)
    table = Table("", "notes", "same sentences", "score off by", "ms a note", "times as fast", box=None)
    for row in backend.measure(settings.model or None, texts):
        if json:
            print_json(row.to_json())
        share, cost = f"{row.same / row.notes:.2%}", f"{1000 * row.seconds / row.notes:.1f}"
        table.add_row(row.way, str(row.notes), share, f"{row.apart:.4f}", cost, f"{row.ratio:.1f}")
    if not json:
        console().print(table)


@bench.command(epilog="Example: clinsum bench device --device cuda --notes mtsamples/notes.jsonl.xz")
def device(
    device: Annotated[
        Literal["cuda", "cpu"], typer.Option(help="cpu: the code that GPUs run, on the CPU.")
    ] = "cuda",
    notes: Annotated[
        Path | None, typer.Option(help="Notes to summarise: JSON lines with `text`, also .xz.")
    ] = None,
    count: Annotated[int, typer.Option(help="So many of them, or generated ones.", min=1)] = 1000,
    json: AsJson = False,
    sets: Sets = None,
) -> None:
    """Tokens and notes a second on a GPU, how busy it is, and how many notes keep their sentences there."""
    from summarizer.encoder.runtime import has_cuda, need_torch

    need_torch("This")
    texts, settings = texts_of(notes, count), settings_from(sets)
    if device == "cuda" and not has_cuda():
        console(stderr=True).print("Not measured: no CUDA device is there.")
        return
    from jobs.bench.device import measure

    table = Table("", "notes", "tokens/s", "notes/s", "busy", "same sentences", box=None)
    for row in measure(settings.model or None, texts, device):
        if json:
            print_json(row.to_json())
        tokens = "" if row.tokens_per_second is None else f"{row.tokens_per_second:,.0f}"
        busy = "" if row.busy is None else f"{row.busy:.0%}"
        same = "" if row.same is None else f"{row.same / row.notes:.2%}"
        table.add_row(row.way, str(row.notes), tokens, f"{row.notes_per_second:.1f}", busy, same)
    if not json:
        console().print(table)


@bench.command(epilog="Example: clinsum bench poll --notes 1000 --notes 20000")
def poll(
    notes: Annotated[list[int] | None, typer.Option(help="Notes on the server. Repeatable.")] = None,
    json: AsJson = False,
    sets: Sets = None,
) -> None:
    """Notes a second and peak memory of a pass over the embedded sandbox, for each number of notes.

    Of the settings, ENGINE, MODEL and AUDIT_EVENTS count: with `--set AUDIT_EVENTS=true` the cost of these.
    """
    from jobs.bench.passes import measure_pass

    settings = settings_from(sets)
    table = Table("notes", "summarised", "seconds", "notes/s", "peak memory, MB", box=None)
    for count in notes or [1000, 20000]:
        figures = measure_pass(settings, count)
        if json:
            print_json(figures.to_json())
        rate = figures.notes / figures.seconds
        cells = (figures.notes, figures.written, f"{figures.seconds:.1f}", f"{rate:.0f}", figures.peak_mb)
        table.add_row(*map(str, cells))
    if not json:
        console().print(table)


@bench.command(epilog="Example: clinsum bench raw --engine hapi --notes 300")
def raw(
    engine: Annotated[Literal["embedded", "hapi"], typer.Option(help="Which FHIR server.")] = "embedded",
    notes: Annotated[int, typer.Option(help="Notes on the server.", min=1)] = 300,
    json: AsJson = False,
    sets: Sets = None,
) -> None:
    """A pass beside bare HTTP: the same notes read and the same summaries written without it.

    Of the settings, ENGINE, MODEL, CONCURRENCY and AUDIT_EVENTS count.
    """
    from jobs.bench.raw import measure

    figures = measure(settings_from(sets), notes, engine)
    if json:
        print_json(figures.to_json())
        return
    table = Table("", "notes", "pass, s", "bare HTTP, s", "of its speed", box=None)
    seconds = (f"{figures.pass_seconds:.1f}", f"{figures.raw_seconds:.1f}")
    table.add_row(figures.server, str(figures.notes), *seconds, f"{figures.ratio:.2f}")
    console().print(table)


@bench.command(epilog="Example: clinsum bench backfill --notes 1000 --notes 20000 --set ENGINE=lead")
def backfill(
    notes: Annotated[list[int] | None, typer.Option(help="Notes on the server. Repeatable.")] = None,
    json: AsJson = False,
    sets: Sets = None,
) -> None:
    """Notes a second, peak memory and the ledger's size of a backfill by export, for each number of notes.

    Over the embedded sandbox, in one process. Of the settings, ENGINE and MODEL count.
    """
    from jobs.bench.backfills import measure_backfill

    settings = settings_from(sets)
    table = Table("notes", "seconds", "notes/s", "peak memory, MB", "ledger, MB", box=None)
    for count in notes or [1_000, 5_000, 20_000]:
        figures = measure_backfill(settings, count)
        if json:
            print_json(figures.to_json())
        rate = figures.written / figures.seconds
        cells = (f"{figures.seconds:.1f}", f"{rate:.0f}", str(figures.peak_mb), f"{figures.ledger_mb:.1f}")
        table.add_row(str(figures.notes), *cells)
    if not json:
        console().print(table)


@bench.command(epilog="Example: clinsum bench ledger --set ENGINE=lead --rows 1000 --rows 1000000")
def ledger(
    rows: Annotated[list[int] | None, typer.Option(help="Notes that the ledger knows. Repeatable.")] = None,
    notes: Annotated[int, typer.Option(help="New notes on the server.", min=1)] = 300,
    json: AsJson = False,
    sets: Sets = None,
) -> None:
    """Seconds and peak memory of a pass and of the next one, for each number of notes that the ledger knows.

    Over the embedded sandbox, with SQLite. Of the settings, ENGINE and MODEL count.
    """
    from jobs.bench.ledgers import measure

    settings = settings_from(sets)
    heads = (
        "ledger, notes",
        "ledger, MB",
        "filled in, s",
        "pass, s",
        "next, s",
        "memory, MB",
        "counted in, s",
    )
    table = Table(*heads, box=None)
    for count in rows or [1_000, 10_000, 100_000, 1_000_000]:
        figures = measure(settings, count, notes)
        if json:
            print_json(figures.to_json())
        seconds = (figures.pass_seconds, figures.again_seconds)
        cells = (f"{figures.ledger_mb:.1f}", f"{figures.filling_seconds:.1f}", *(f"{s:.1f}" for s in seconds))
        table.add_row(str(count), *cells, str(figures.peak_mb), f"{figures.counting_seconds:.3f}")
    if not json:
        console().print(table)


@bench.command(epilog="Example: clinsum bench sentences --peers-python peers/bin/python")
def sentences(
    gold: Annotated[Path | None, typer.Option(help="Another gold standard, as JSON lines.")] = None,
    file: Annotated[Path | None, typer.Option(help="Measure the speed on this text.")] = None,
    peers_python: Annotated[
        Path | None, typer.Option(help="An interpreter that has pySBD and PyRuSH, to measure them too.")
    ] = None,
    seconds: Annotated[float, typer.Option(help="Processor time for each speed.", min=0.1)] = 2.0,
) -> None:
    """Precision, recall, F1 and megabytes a second of sentence splitters, side by side."""
    from jobs.bench import sentences as backend

    try:
        rows = backend.run(
            gold=gold or backend.DEFAULT_GOLD, speed_file=file, peers_python=peers_python, seconds=seconds
        )
    except (OSError, ValueError) as error:
        raise UsageError(f"The gold standard or the text cannot be read: {error}.") from None
    backend.report(rows, console())


@bench.command(epilog="Example: clinsum bench flags --peers-python peers/bin/python")
def flags(
    gold: Annotated[Path | None, typer.Option(help="Another folder of marked passages.")] = None,
    peers_python: Annotated[
        Path | None, typer.Option(help="An interpreter that has medspaCy, to measure its ConText too.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Precision, recall and F1 of assertion flags, beside medspaCy's ConText."""
    from jobs.bench import flags as backend

    try:
        rows = backend.run(gold or backend.DEFAULT_GOLD, peers_python)
    except (OSError, ValueError) as error:
        raise UsageError(f"The passages cannot be measured: {error}.") from None
    if json:
        print_json({"flags": backend.to_json(rows)})
    else:
        console().print(backend.table(rows))


@bench.command(epilog="Example: clinsum bench summaries --peers-python bert/bin/python")
def summaries(
    peers_python: Annotated[Path, typer.Option(help="An interpreter that has bert-extractive-summarizer.")],
    notes: Annotated[int, typer.Option(help="Notes to summarise.", min=1)] = 100,
    few: Annotated[int, typer.Option(help="Of these with the large encoder, which is slow.", min=1)] = 5,
    json: AsJson = False,
    sets: Sets = None,
) -> None:
    """Notes a second of our engine, and of a peer with our encoder and with the size it takes by default."""
    from summarizer.errors import EngineError

    try:
        from jobs.bench.summaries import measure
        from training.evaluation.errors import EvaluationError
    except ModuleNotFoundError as error:
        raise UsageError(f"This needs the package {error.name}; install the extra `train`.") from None
    table = Table("", "notes", "notes/s", "ours is as fast", box=None)
    try:
        for row in measure(settings_from(sets), notes, min(few, notes), peers_python):
            if json:
                print_json(row.to_json())
            table.add_row(row.system, str(row.notes), f"{row.per_second:.2f}", f"{row.ratio:.1f} times")
    except (EvaluationError, EngineError) as error:
        raise UsageError(str(error)) from None
    if not json:
        console().print(table)


@bench.command(epilog="Example: clinsum bench labels --data articles.jsonl --articles 20")
def labels(
    data: Annotated[
        str | None, typer.Option(help="Articles with summaries; invented ones if not given.")
    ] = None,
    articles: Annotated[int, typer.Option(help="Label the first so many.", min=1)] = 5,
    metric: Annotated[Literal["rouge1", "rouge2", "mean"], typer.Option(help="Which F1 to raise.")] = "mean",
    json: AsJson = False,
) -> None:
    """How many times as fast labels come by counts as by a loop over rouge_score; both run."""
    try:
        from jobs.bench import labels as backend
        from training.errors import TrainingError
        from training.labels.oracle import OracleSettings
    except ModuleNotFoundError as error:
        raise UsageError(f"This needs the package {error.name}; install the extra `train`.") from None
    try:
        figures = backend.measure(backend.sample(data, articles), OracleSettings(metric))
    except (TrainingError, ValueError) as error:
        raise UsageError(f"The articles cannot be labelled: {error}.") from None
    if json:
        print_json(figures.to_json())
    else:
        console().print(backend.table(figures))
    if figures.identical < figures.articles:
        raise typer.Exit(Exit.SOMETHING_FAILED)


@bench.command(epilog="Example: clinsum bench serve --notes 500")
def serve(
    notes: Annotated[int, typer.Option(help="Notes to summarise in each way.", min=10)] = 300,
    clients: Annotated[
        int | None, typer.Option(help="Clients at a time; twice as many as the service holds if not given.")
    ] = None,
    json: AsJson = False,
    sets: Sets = None,
) -> None:
    """The web service under overload, beside the model alone and an endpoint with a pass a request."""
    from jobs.bench.serve import ServerNotStartedError, measure

    settings = settings_from(sets)
    heads = ("", "notes/s", "p50, s", "p99, s", "503", "errors", "memory, MB", "at the end")
    table = Table(*heads, box=None)
    failed = False
    try:
        for figures in measure(settings, notes, clients):
            failed = failed or figures.errors > 0
            if json:
                print_json(figures.to_json())
            row = [f"{figures.per_second:.1f}", f"{figures.p50:.2f}", f"{figures.p99:.2f}"]
            counts = (figures.refused, figures.errors, figures.memory_mb, figures.memory_end_mb)
            table.add_row(figures.way, *row, *map(str, counts))
    except ServerNotStartedError as error:
        raise UsageError(str(error)) from None
    if not json:
        console().print(table)
    if failed:
        raise typer.Exit(Exit.SOMETHING_FAILED)
