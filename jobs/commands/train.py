"""`clinsum train`: from a corpus to a model folder that `--model` takes."""

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from jobs.commands.fields import with_options_of
from jobs.commands.options import AsJson, console, print_json
from jobs.exits import UsageError
from training.fit.settings import NOTHING, TrainSettings

if TYPE_CHECKING:
    from training.fit.run import Result
    from training.fit.settings import Frozen, Precision

_EVERY = 2.0  # seconds between lines of progress


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        epilog="Example: clinsum train --data labels.jsonl --head transformer --freeze encoder --out my-model"
    )(train)


@with_options_of(
    TrainSettings, {"freeze": (str, "auto"), "precision": (Literal["auto", "bf16", "fp32"], "auto")}
)
def train(
    data: Annotated[
        list[str] | None,
        typer.Option(
            help="A file of labels (see `clinsum label`), or a corpus to label on the way. Repeatable."
        ),
    ] = None,
    dataset: Annotated[str | None, typer.Option(help="A data set of the hub, to label on the way.")] = None,
    config: Annotated[str | None, typer.Option(help="The hub's configuration, such as section.")] = None,
    data_split: Annotated[str, typer.Option("--split", help="The hub's split.")] = "train",
    revision: Annotated[str | None, typer.Option(help="The hub's branch, tag or commit.")] = None,
    records: Annotated[int | None, typer.Option(help="Only the first so many of each source.", min=2)] = None,
    validation: Annotated[
        list[str] | None,
        typer.Option(help="Labels or corpora to measure on. Else a tenth of the documents. Repeatable."),
    ] = None,
    schema: Annotated[str, typer.Option(help="How a record is laid out, as for `clinsum label`.")] = "auto",
    form: Annotated[
        Literal["as-is", "natural", "benchmark"], typer.Option(help="The form of text, for labels made here.")
    ] = "benchmark",
    encoder: Annotated[
        str | None, typer.Option(help="A model folder or hub name of a BERT; else the one that ships.")
    ] = None,
    head: Annotated[
        Literal["linear", "transformer"],
        typer.Option(help="Each sentence by itself, or layers over all sentences of the document."),
    ] = "transformer",
    layers: Annotated[int, typer.Option(help="Of the transformer.", min=0)] = 2,
    width: Annotated[int, typer.Option(help="Of the transformer's layers.", min=4)] = 256,
    inner: Annotated[int, typer.Option(help="Of the transformer's feed-forward layers.", min=1)] = 512,
    depth: Annotated[
        int, typer.Option(help="After how many layers of the encoder the head reads; 0 for all.", min=0)
    ] = 0,
    members: Annotated[
        int, typer.Option(help="Heads of this shape, fitted side by side; their mean scores.", min=1)
    ] = 1,
    dropout: Annotated[float, typer.Option(help="In the transformer, while training.", min=0, max=0.9)] = 0.1,
    without: Annotated[
        list[str] | None,
        typer.Option(
            help="What the transformer is not told: centrality, position, section, length. Repeatable."
        ),
    ] = None,
    pooling: Annotated[
        Literal["cls", "mean", "sum"],
        typer.Option(help="What stands for a sentence: its [CLS], the mean over its tokens, or their sum."),
    ] = "cls",
    out: Annotated[Path, typer.Option(help="The folder of model, card, log and pictures.")] = Path(
        "clinsum-model"
    ),
    articles: Annotated[
        str | None,
        typer.Option(
            help="A model folder on the same encoder: its head goes along for texts that are no notes."
        ),
    ] = None,
    cache: Annotated[
        Path | None, typer.Option(help="Where the output of what is frozen is kept; else in the folder.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes; as many as cores if not given.", min=1)
    ] = None,
    checkpoint_steps: Annotated[int, typer.Option(help="Steps between checkpoints.", min=1)] = 100,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in the folder.")] = False,
    full_precision: Annotated[
        bool, typer.Option("--full-precision", help="Weights of the folder in single precision, not half.")
    ] = False,
    compact: Annotated[
        bool, typer.Option("--compact", help="Matrices of the heads in bytes, each row with its scale.")
    ] = False,
    licence: Annotated[str, typer.Option(help="Of the weights, for the card.")] = "",
    credit: Annotated[
        list[str] | None, typer.Option(help="A line for the card: whose work, which licence. Repeatable.")
    ] = None,
    json: AsJson = False,
    *,
    values: dict[str, Any],
) -> None:
    """Fine-tunes a BERTSum model: labels, training, calibration, model folder.

    A run that was stopped goes on exactly with --resume. On several GPUs:
    `torchrun --nproc-per-node 8 --no-python clinsum train …`.
    """
    try:
        from summarizer.bertsum.config import HeadConfig
        from training.corpora.records import Corpus
        from training.errors import TrainingError
        from training.evaluation.errors import EvaluationError
        from training.fit.data import Sources
        from training.fit.run import TrainJob
        from training.fit.run import train as run_training
        from training.labels.labelling import cores
    except ModuleNotFoundError as error:
        raise UsageError(f"Training needs the package {error.name}; install the extra `train`.") from None
    hub = [Corpus(dataset, config, data_split, revision=revision)] if dataset else []
    if not data and not hub:
        raise UsageError("Give --data with labels or a corpus, or --dataset with a data set of the hub.")
    try:
        settings = TrainSettings(
            head=HeadConfig(
                head,
                width=width,
                layers=layers,
                inner=inner,
                dropout=dropout,
                without=tuple(without or ()),
                pooling=pooling,
                depth=depth,
                members=members,
            ),
            **values | {"freeze": _frozen(values["freeze"]), "precision": _precision(values["precision"])},
        )
    except ValueError as error:
        raise UsageError(f"The settings: {error}.") from None
    job = TrainJob(
        sources=Sources((*(data or ()), *hub), tuple(validation or ()), records, schema=schema, form=form),
        settings=settings,
        out=out,
        encoder=encoder,
        cache=cache,
        workers=workers or cores(),
        resume=resume,
        half=not full_precision,
        compact=compact,
        checkpoint_steps=checkpoint_steps,
        licence=licence,
        credits=credit or (),
        articles=articles,
    )
    try:
        result = run_training(job, _Progress())
    except (TrainingError, EvaluationError) as error:
        raise UsageError(str(error)) from None
    if os.environ.get("RANK", "0") == "0":
        _report(result, out, json)


def _frozen(freeze: str) -> "Frozen":
    if freeze == "auto":
        import torch

        freeze = "none" if torch.cuda.is_available() else "encoder"
    if freeze == "encoder":
        return "encoder"
    if freeze == "none":
        return NOTHING
    if not freeze.isdecimal():
        raise UsageError("--freeze takes encoder, none, auto or a number of layers.")
    return int(freeze)


def _precision(wanted: Literal["auto", "bf16", "fp32"]) -> "Precision":
    """Where a processor has no bf16, it is many times slower than fp32."""
    if wanted != "auto":
        return wanted
    import torch

    if torch.cuda.is_available():
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    found = torch.cpu.get_capabilities()
    return "bf16" if any(found.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16")) else "fp32"


class _Progress:
    """A line on standard error now and then."""

    def __init__(self) -> None:
        self._shown = 0.0

    def __call__(self, line: str) -> None:
        if line.startswith("epoch") or time.monotonic() - self._shown >= _EVERY:
            self._shown = time.monotonic()
            sys.stderr.write(line + "\n")
            sys.stderr.flush()


def _report(result: "Result", out: Path, json: bool) -> None:
    if json:
        print_json(result.to_json() | {"out": str(out)})
        return
    show = console()
    show.print(f"Learned from {result.documents} documents in {result.steps} steps")
    show.print(
        f"ROUGE-1 {result.rouge1:.4f}, ROUGE-2 {result.rouge2:.4f} on {result.validation_documents} "
        f"validation documents, after epoch {result.best_epoch}"
    )
    error = result.calibration_error
    show.print("Not calibrated" if error is None else f"Expected calibration error {error:.4f}")
    show.print(f"Model folder {out}: clinsum summarize FILE --engine bertsum --model {out}")
