"""The documents of a run: files of labels as they are, labels of corpora made on the way."""

import json
import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from training.corpora.records import Corpus
from training.corpora.text_form import Form
from training.errors import LabelFileError, RunError
from training.fit.card import DataFile
from training.fit.store import Store
from training.fit.validation import Reference
from training.fit.vectors import Progress, file_sha256
from training.labels.label_file import Totals, read_labels
from training.labels.labelling import LabelJob, label_corpus
from training.labels.oracle import OracleSettings


@dataclass(frozen=True, slots=True)
class Sources:
    """What to learn from, and what to measure on.

    Attributes:
        training, validation: files of labels, or corpora; without validation, a share of the training
            documents.
        records: only the first so many of each source for training; all if None.
        share: of the training documents, if there is no validation.
        schema, form, oracle: how labels are made, see `training.labels.labelling.Job`. A corpus for
            validation is also held out of the labels that are made here.
    """

    training: tuple[str | Corpus, ...]
    validation: tuple[str | Corpus, ...] = ()
    records: int | None = None
    share: float = 0.1
    schema: str = "auto"
    form: Form = "benchmark"
    oracle: OracleSettings = field(default_factory=OracleSettings)


@dataclass(frozen=True, slots=True)
class LabelFile:
    """A file of labels, and how many of its documents are used at most."""

    path: Path
    limit: int | None = None


def label_files(sources: Sources, folder: Path) -> tuple[list[LabelFile], list[LabelFile]]:
    """Where the labels are, or will be, for training and validation."""
    return (
        [_place(one, folder, f"training-{i}", sources.records) for i, one in enumerate(sources.training)],
        [_place(one, folder, f"validation-{i}", None) for i, one in enumerate(sources.validation)],
    )


def make_labels(sources: Sources, folder: Path, workers: int | None, progress: Progress) -> None:
    """Makes the labels that are not there, going on where an earlier run was stopped.

    Raises:
        TrainingError: a corpus cannot be read, or a file of labels not be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    trained, validated = label_files(sources, folder)
    held_out = tuple(_corpus(one) for one in sources.validation if not is_label_file(one))
    for group, places, held in ((sources.validation, validated, ()), (sources.training, trained, held_out)):
        for one, place in zip(group, places, strict=True):
            if is_label_file(one):
                continue
            corpus = _corpus(one, sources.records if group is sources.training else None)
            job = LabelJob(
                corpus, schema=sources.schema, form=sources.form, oracle=sources.oracle, held_out=held
            )
            label_corpus(job, place.path, workers=workers, progress=_LabelProgress(corpus.name, progress))


class _LabelProgress:
    def __init__(self, name: str, progress: Progress) -> None:
        self._name, self._progress = name, progress

    def __call__(self, totals: Totals) -> None:
        self._progress(f"{totals.articles} documents of {self._name} labelled")


def is_label_file(source: str | Corpus) -> bool:
    """Whether it is a file that begins as one of labels."""
    if isinstance(source, Corpus):
        return False
    try:
        with Path(source).open(encoding="utf-8") as lines:
            return lines.read(20).startswith('{"clinsum_labels"')
    except (OSError, UnicodeDecodeError):
        return False


def describe(file: LabelFile, store: Store) -> DataFile:
    """For log and card."""
    try:
        with file.path.open(encoding="utf-8") as lines:
            settings: dict[str, Any] = json.loads(next(lines))["settings"]
    except (OSError, ValueError, KeyError, StopIteration):
        raise LabelFileError(f"{file.path.name} does not begin as a file of labels.") from None
    return DataFile(
        name=file.path.name,
        sha256=file_sha256(file.path),
        documents=len(store),
        sentences=sum(store.sentences),
        corpus=str(settings.get("data", "")),
    )


def split(documents: int, validated: int, share: float, seed: int) -> tuple[list[int], list[int]]:
    """Numbers of the documents to learn from and to measure on.

    Args:
        documents: of the training files, which come first.
        validated: of the validation files, which follow; without them a share of the others is drawn.
        share: of the draw.
        seed: of the draw.

    Raises:
        RunError: nothing would be left on one side.
    """
    if validated:
        training, validation = list(range(documents)), list(range(documents, documents + validated))
    else:
        count = max(1, round(share * documents))
        drawn = set(random.Random(seed).sample(range(documents), min(count, documents)))
        training, validation = [i for i in range(documents) if i not in drawn], sorted(drawn)
    if not training or not validation:
        raise RunError("There are too few documents: at least one to learn from and one to measure on.")
    return training, validation


def references(files: Sequence[LabelFile], stores: Sequence[Store], wanted: Iterable[int]) -> list[Reference]:
    """Sentences and abstracts of the documents of these numbers, in their order."""
    found: dict[int, Reference] = {}
    asked = set(wanted)
    first = 0
    for file, store in zip(files, stores, strict=True):
        if asked & set(range(first, first + len(store))):
            for number, labelled in enumerate(read_labels(file.path), first):
                if number >= first + len(store):
                    break
                if number in asked:
                    found[number] = Reference(labelled.article.sentences, labelled.article.summary)
        first += len(store)
    return [found[number] for number in sorted(asked)]


def _corpus(source: str | Corpus, limit: int | None = None) -> Corpus:
    if isinstance(source, Corpus):
        return replace(source, limit=limit)
    return Corpus(source, limit=limit)


def _place(source: str | Corpus, folder: Path, name: str, limit: int | None) -> LabelFile:
    if isinstance(source, str) and is_label_file(source):
        return LabelFile(Path(source), limit)
    corpus = re.sub(r"[^\w.-]+", "-", _corpus(source).name)
    return LabelFile(folder / f"{name}-{corpus.removesuffix('.jsonl')}.jsonl")
