"""`clinsum export` and `clinsum import`: the bare `.pt` of a BERTSum model, both ways."""

from pathlib import Path
from typing import Annotated

import typer

from jobs.commands.options import AsJson, console, print_json
from jobs.exits import UsageError
from summarizer.encoder.runtime import need_torch


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("export", epilog="Example: clinsum export my-model model.pt")(export_model)
    app.command(
        "import",
        epilog="Example: clinsum import model.pt my-model --encoder allenai/scibert_scivocab_uncased",
    )(import_model)


def export_model(
    model: Annotated[str, typer.Argument(help="A model folder of BERTSum.")],
    file: Annotated[Path, typer.Argument(metavar="FILE.pt", help="The state dict to write.")],
    json: AsJson = False,
) -> None:
    """Writes a model as a bare state dict: `bert.*` and `classifier.weight`, `classifier.bias`."""
    need_torch("A .pt")
    from summarizer.checkpoint import export_checkpoint

    try:
        export_checkpoint(model, file)
    except (OSError, RuntimeError):  # torch says it with a RuntimeError if the folder is not there
        raise UsageError(f"{file} cannot be written.") from None
    _report(file, json)


def import_model(
    file: Annotated[Path, typer.Argument(metavar="FILE.pt", help="A bare state dict.")],
    out: Annotated[Path, typer.Argument(help="The model folder to write.")],
    encoder: Annotated[
        str,
        typer.Option(help="The model folder or hub name whose configuration and tokenizer it belongs to."),
    ],
    half: Annotated[bool, typer.Option("--half", help="Weights in half precision.")] = False,
    json: AsJson = False,
) -> None:
    """Makes a model folder of a bare state dict and the encoder it was trained from."""
    need_torch("A .pt")
    from summarizer.checkpoint import import_checkpoint

    try:
        import_checkpoint(file, encoder, out, half=half)
    except OSError:
        raise UsageError(f"{out} cannot be written.") from None
    _report(out, json)


def _report(path: Path, json: bool) -> None:
    if json:
        print_json({"out": str(path)})
    else:
        console().print(f"Wrote {path}")
