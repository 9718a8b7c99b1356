"""A training run from corpora to a model folder: what `clinsum train` does."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from summarizer.bertsum.config import BertSumConfig
from summarizer.bertsum.export import round_to_half
from summarizer.bertsum.folder import read_bertsum, read_encoder
from summarizer.bertsum.model import BertSum
from summarizer.bertsum.rows import round_to_bytes
from summarizer.encoder.bert import unlike_bert
from summarizer.encoder.files import DECLARATION, ModelFiles, find_model
from training.errors import RunError
from training.fit.calibration import Calibration, calibrate
from training.fit.card import Card, DataFile
from training.fit.curves import CURVES, RELIABILITY, check_pictures, draw_curves, draw_reliability
from training.fit.data import LabelFile, Sources, describe, label_files, make_labels, references, split
from training.fit.export import export
from training.fit.fitting import CHECKPOINT_STEPS, Position, Trainer
from training.fit.learner import Learner, kind_of
from training.fit.length import find_threshold
from training.fit.run_folder import RunFolder, read_log
from training.fit.settings import NOTHING, TrainSettings
from training.fit.store import Store, Stores
from training.fit.validation import Validation, Validator
from training.fit.vectors import Progress, Reading, build_store
from training.fit.world import World, joined


@dataclass(frozen=True, slots=True)
class TrainJob:
    """One run.

    Attributes:
        sources: what to learn from.
        settings: how.
        out: the folder of model, log and pictures.
        encoder: a model folder or hub name; None for the encoder that ships. A folder of BERTSum whose head
            has the same shape gives that too.
        cache: where what the frozen part gives is kept; in `out` if None.
        workers: processes that label and read.
        resume: go on with what `out` holds.
        half: export in half precision.
        compact: export the matrices of heads and adapter in bytes.
        checkpoint_steps: steps between checkpoints.
        licence, credits: for the card.
        articles: a model folder on the same encoder, whose head goes along for texts that are no notes.
    """

    sources: Sources
    settings: TrainSettings
    out: Path
    encoder: str | None = None
    cache: Path | None = None
    workers: int = 1
    resume: bool = False
    half: bool = True
    compact: bool = False
    checkpoint_steps: int = CHECKPOINT_STEPS
    licence: str = ""
    credits: Sequence[str] = ()
    articles: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What a run came to: the model folder's hash, and figures of the best epoch."""

    sha256: str
    documents: int
    validation_documents: int
    steps: int
    best_epoch: int
    rouge1: float
    rouge2: float
    calibration_error: float | None

    def to_json(self) -> dict[str, Any]:
        """As the command line prints it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Data:
    documents: Stores
    trained: list[DataFile]
    validated: list[DataFile]
    training: list[int]
    validation: list[int]
    files: list[LabelFile]
    stores: list[Store]


def train(job: TrainJob, progress: Progress) -> Result:
    """Runs to the end, or goes on with what was stopped.

    Raises:
        TrainingError: data, folder or settings do not allow it.
        SummarizerError: the encoder cannot be used.
    """
    check_pictures()
    source = find_model(job.encoder)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    with joined(device) as world:
        say: Progress = progress if world.first else _silent
        folder = RunFolder(job.out, resume=job.resume, writes=world.first)
        data = _read(job, source, device, world, say)
        learner = _learner(job, source, device)
        found = references(data.files, data.stores, data.validation)
        validator = Validator(data.documents, data.validation, found, job.settings.words, world)
        trainer = Trainer(learner, data.documents, data.training, validator, job.settings, folder, world)
        world.wait()
        if not (job.resume and _goes_on(folder, _head(job, source, data, world)) and trainer.resume()):
            world.wait()
            folder.begin([_head(job, source, data, world)])
        world.wait()
        position = trainer.fit(say, job.checkpoint_steps)
        result = _finish(job, source, data, learner, validator, folder, position)
        world.wait()
        return result


def _silent(line: str) -> None:
    """What the processes but the first say."""


def _read(job: TrainJob, source: ModelFiles, device: str, world: World, say: Progress) -> _Data:
    labels = job.out / "run" / "labels"
    if world.first:
        make_labels(job.sources, labels, job.workers, say)
    world.wait()
    trained, validated = label_files(job.sources, labels)
    settings = job.settings
    reading = Reading(
        kind=kind_of(settings),
        encoder=job.encoder,
        sha256=source.sha256(),
        layers=settings.head.depth if settings.freeze == "encoder" else max(0, settings.freeze),
        context=settings.context,
        pooling=settings.head.pooling,
        device=device,
        precision=settings.precision,
    )
    files = [*trained, *validated]
    stores = []
    cache = job.cache or job.out / "run" / "cache"
    workers = 1 if device == "cuda" and reading.kind != "tokens" else job.workers
    for file in files:
        if not world.first:
            world.wait()
        stores.append(build_store(file.path, reading, cache, limit=file.limit, workers=workers, progress=say))
        if world.first:
            world.wait()
    described = [describe(file, store) for file, store in zip(files, stores, strict=True)]
    count = sum(len(store) for store in stores[: len(trained)])
    held = sum(len(store) for store in stores[len(trained) :])
    training, validation = split(count, held, job.sources.share, settings.seed)
    return _Data(
        Stores(stores),
        described[: len(trained)],
        described[len(trained) :],
        training,
        validation,
        files,
        stores,
    )


def _learner(job: TrainJob, source: ModelFiles, device: str) -> Learner:
    """The model on its device, with a head of its own or that of the model the training begins from."""
    settings = job.settings
    encoder = read_encoder(source, device, "fp32", "torch")
    layers = int(encoder.module.config.num_hidden_layers)
    if settings.freeze != "encoder" and not NOTHING <= settings.freeze < layers:
        raise RunError(f"The encoder of {source.name!r} has {layers} layers: freeze fewer, or `encoder`.")
    if settings.head.depth > layers:
        raise RunError(f"The encoder of {source.name!r} has {layers} layers: the head cannot read deeper.")
    torch.manual_seed(settings.seed)
    if settings.lora and (reason := unlike_bert(source)):
        raise RunError(f"The encoder of {source.name!r} is {reason}: LoRA needs a plain BERT.")
    config = BertSumConfig(settings.head, settings.context, adapter=settings.lora)
    model = BertSum(encoder.module, config).to(device)
    if (source.folder / DECLARATION).is_file():
        _, before = read_bertsum(job.encoder, device, "fp32")
        # What it reads may be another; the shape is what has to fit.
        if replace(before.config.head, without=(), pooling="cls", depth=0) == replace(
            settings.head, without=(), pooling="cls", depth=0
        ):
            model.head.load_state_dict(before.head.state_dict())
            if (
                model.adapter is not None
                and before.adapter is not None
                and before.config.adapter == settings.lora
            ):
                model.adapter.load_state_dict(before.adapter.state_dict())
    return Learner(model, settings, encoder.limit, encoder.pad_id, device)


def _head(job: TrainJob, source: ModelFiles, data: _Data, world: World) -> dict[str, Any]:
    """The first line of the log: what decides the outcome."""
    return {
        "event": "begin",
        "settings": job.settings.to_json(),
        "encoder": {"name": source.name, "sha256": source.sha256()},
        "training": [asdict(file) for file in data.trained],
        "validation": [asdict(file) for file in data.validated],
        "documents": {"training": len(data.training), "validation": len(data.validation)},
        "half": job.half,
        "compact": job.compact,
        "processes": world.size,
    }


def _goes_on(folder: RunFolder, head: dict[str, Any]) -> bool:
    """Whether the log is that of this run; False if there is none yet.

    Raises:
        RunError: it is that of another.
    """
    if not folder.log.exists() or not folder.log.stat().st_size:
        return False
    before = read_log(folder.log)[0]
    changed = [name for name, value in head.items() if before.get(name) != value]
    changed += [
        name for name, value in head["settings"].items() if before.get("settings", {}).get(name) != value
    ]
    changed = [name for name in changed if name != "settings"]
    if changed:
        raise RunError(f"{folder.out} was begun with another {' and '.join(changed)}; give another --out.")
    return True


def _finish(
    job: TrainJob,
    source: ModelFiles,
    data: _Data,
    learner: Learner,
    validator: Validator,
    folder: RunFolder,
    position: Position,
) -> Result:
    """Rounds, measures, calibrates and writes; every process measures, the first writes."""
    if job.half:
        round_to_half(learner.model)
    if job.compact:
        round_to_bytes(learner.model.head)
        if learner.model.adapter is not None:
            round_to_bytes(learner.model.adapter)
    figures = validator.measure(learner)
    logits = validator.logits(learner)
    found = calibrate(logits, validator.labels(), validator.features(), job.settings.calibrate_features)
    learner.model.config = _as_measured(job, learner.model.config, found, validator, logits)
    if job.articles:
        _with_articles(learner.model, job.articles)
    card = _card(job, source, data, figures, position, found)
    sha256 = ""
    if folder.writes:
        files = export(learner.model, source, job.out, card, half=job.half, compact=job.compact)
        sha256 = files.sha256()
        folder.add(event="calibration", **(found.to_json() if found else {"scale": None}))
        folder.add(event="end", sha256=sha256, **{k: round(v, 6) for k, v in asdict(figures).items()})
        draw_curves(read_log(folder.log), job.out / CURVES)
        if found:
            draw_reliability(found, job.out / RELIABILITY)
    return Result(
        sha256=sha256,
        documents=len(data.training),
        validation_documents=len(data.validation),
        steps=position.step,
        best_epoch=position.best_epoch + 1,
        rouge1=figures.rouge1,
        rouge2=figures.rouge2,
        calibration_error=found.error if found else None,
    )


def _as_measured(
    job: TrainJob,
    config: BertSumConfig,
    found: Calibration | None,
    validator: Validator,
    logits: Sequence[npt.NDArray[np.float32]],
) -> BertSumConfig:
    """With the calibration, and the threshold of an own length where one is asked for."""
    config = replace(config, scale=1.0, shift=0.0, features=(), calibrated=False)
    if found:
        config = replace(
            config, scale=found.scale, shift=found.shift, features=found.features, calibrated=True
        )
    if not job.settings.own_words:
        return config
    words = job.settings.own_words
    beside = np.array(config.features, np.float32)
    values = [
        config.scale * part + config.shift + (features @ beside if config.features else 0.0)
        for part, features in zip(logits, validator.features(), strict=True)
    ]
    return replace(config, threshold=find_threshold(validator.references, values, 1.0, 0.0, words))


def _with_articles(model: BertSum, folder: str) -> None:
    """Takes over the head of a model on the same encoder.

    Raises:
        RunError: it is on another.
    """
    _, other = read_bertsum(folder, "cpu", "fp32")
    own, theirs = model.encoder.state_dict(), other.encoder.state_dict()
    if own.keys() != theirs.keys() or any(
        not torch.equal(own[name].cpu().half(), theirs[name].half()) for name in own
    ):
        raise RunError("The model for articles stands on another encoder; train with --freeze encoder.")
    model.articles = other.head
    model.config = replace(model.config, articles=replace(other.config, articles=None))


def _card(
    job: TrainJob,
    source: ModelFiles,
    data: _Data,
    figures: Validation,
    position: Position,
    found: Calibration | None,
) -> Card:
    return Card(
        name=job.out.resolve().name,
        encoder=source.name,
        encoder_sha256=source.sha256(),
        settings=job.settings,
        trained=data.trained,
        validated=data.validated,
        training_documents=len(data.training),
        validation_documents=len(data.validation),
        rouge1=figures.rouge1,
        rouge2=figures.rouge2,
        best_epoch=position.best_epoch + 1,
        calibration=found,
        licence=job.licence,
        credits=job.credits,
    )
