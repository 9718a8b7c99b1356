"""`clinsum hold-out`: a corpus in two files, one to learn from and one to measure on."""

from pathlib import Path
from typing import Annotated

import typer

from jobs.commands.options import AsJson, console, print_json
from jobs.exits import UsageError


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        "hold-out", epilog="Example: clinsum hold-out notes.jsonl.xz train.jsonl test.jsonl --percent 20"
    )(hold_out)


def hold_out(
    data: Annotated[str, typer.Argument(help="JSON lines or Parquet, or a folder of them.")],
    rest: Annotated[Path, typer.Argument(help="Gets what may be learned from.")],
    held: Annotated[Path, typer.Argument(help="Gets what is held out.")],
    percent: Annotated[int, typer.Option(help="About how much is held out.", min=1, max=99)] = 20,
    json: AsJson = False,
) -> None:
    """Divides a corpus by its content: the same document always falls on the same side."""
    try:
        from training.corpora.holdout import hold_out as divide
        from training.corpora.records import Corpus
        from training.errors import TrainingError
    except ModuleNotFoundError as error:
        raise UsageError(f"This needs the package {error.name}; install the extra `train`.") from None
    try:
        kept, out = divide(Corpus(data), rest, held, percent)
    except TrainingError as error:
        raise UsageError(str(error)) from None
    if json:
        print_json({"rest": kept, "held": out})
    else:
        console().print(f"{kept} records in {rest}, {out} held out in {held}")
