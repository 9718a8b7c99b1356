"""One pass of an encoder over labelled documents, kept on disk: in parallel, in steps that resume.

Whatever part of the encoder is frozen gives the same for a document each time, so it runs once. On a CPU
several processes of one thread, each with two windows a pass, do more than one process with several threads:
what they work on stays in the caches of their core.
"""

import hashlib
import json
import os
import shutil
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict, dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from summarizer.bertsum.config import Pooling
from summarizer.bertsum.document import DocumentInput, gathered, prepare
from summarizer.centrality import Vectors
from summarizer.encoder.encoder import Encoder
from summarizer.files import replaced
from training.errors import RunError
from training.fit.documents import MARKED, split_document
from training.fit.store import DONE, Array, Kind, Store, StoredDocument, shard_name
from training.labels.label_file import LabelledArticle, read_labels
from training.labels.workers import end_with_parent

SHARD = 32  # documents: the step that is lost at most when a run is stopped
_WINDOWS = 2  # of one pass
_AHEAD = 2  # shards in flight for each worker

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Reading:
    """How documents are read.

    Attributes:
        kind: what is kept of each.
        encoder: folder or hub name; None for the encoder that ships.
        sha256: of its weights.
        layers: after how many of the encoder; for `vectors` 0 is all of them.
        context: see `summarizer.encoder.windows.plan_windows`.
        pooling: for `vectors`: what stands for a sentence.
        device, precision: as for `Encoder`.
    """

    kind: Kind
    encoder: str | None
    sha256: str
    layers: int = 0
    context: int = 64
    pooling: Pooling = "cls"
    device: str = "cpu"
    precision: str = "fp32"

    def key(self, labels_sha256: str, limit: int | None) -> str:
        """Names the store: the same for the same documents, read the same way."""
        parts = asdict(self) | {"encoder": "", "labels": labels_sha256, "limit": limit, "version": 2}
        if self.kind != "vectors":
            parts["pooling"] = ""
        if self.kind == "tokens":  # they come from the tokenizer alone
            parts |= {"device": "", "precision": ""}
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


class DocumentReader:
    """An encoder, or its lower layers, over documents."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._encoder = Encoder.from_pretrained(reading.encoder, reading.device, reading.precision, "torch")
        if reading.kind == "states":
            network = self._encoder.module.encoder
            network.layer = network.layer[: reading.layers]

    def read(self, labelled: LabelledArticle) -> StoredDocument:
        """One document as it is kept."""
        found = prepare(self._encoder, split_document(labelled.article), self._reading.context)
        return StoredDocument(
            values=self._values(found),
            features=found.features.astype(np.float16),
            kinds=found.kinds.astype(np.int8),
            labels=np.array(_worth(labelled), np.float16),
            lengths=np.array(found.lengths, np.int32),
        )

    def _values(self, document: DocumentInput) -> Array:
        if self._reading.kind == "tokens":
            flat = [pair for row in document.rows for pair in zip(row.ids, row.segments or (), strict=True)]
            return np.array(flat, np.int32)
        hidden = dict(self._hidden(document))
        if self._reading.kind == "states":
            return np.concatenate([hidden[row] for row in range(len(document.rows))]).astype(np.float16)
        (vectors,) = gathered(hidden.items(), [document], self._reading.pooling, self._encoder.hidden)
        return vectors.astype(np.float16)

    def _hidden(self, document: DocumentInput) -> Iterator[tuple[int, Vectors]]:
        depth = self._reading.layers if self._reading.kind == "vectors" else 0
        for start in range(0, len(document.rows), _WINDOWS):
            for index, hidden in self._encoder.encode(document.rows[start : start + _WINDOWS], depth):
                yield start + index, hidden


def _worth(labelled: LabelledArticle) -> Sequence[float]:
    """Of each sentence: of marked notes 1 for a must, 0.5 for a should fact; else whether it is chosen."""
    marked = labelled.article.source == MARKED
    return labelled.labels.alone if marked else labelled.labels.labels


def build_store(
    labels: Path,
    reading: Reading,
    folder: Path,
    *,
    limit: int | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> Store:
    """Reads the documents of a file of labels, or what an earlier run has left of it.

    Args:
        labels: see `training.labels.label_file`.
        reading: how.
        folder: where stores are kept, each under a name of its own.
        limit: only the first so many documents.
        workers: processes; 1 for this one.
        progress: called with a line now and then.

    Raises:
        LabelFileError: the file cannot be read.
        ModelError: the encoder cannot be used.
        RunError: the file has no document.
    """
    place = folder / f"{labels.stem}-{reading.kind}-{reading.key(file_sha256(labels), limit)}"
    if not (place / DONE).is_file():
        place.mkdir(parents=True, exist_ok=True)
        for left in place.glob(f"{'[0-9]' * 6}.*"):  # begun by a process that was killed
            shutil.rmtree(left)
        shards = documents = 0
        for number, count in _shards(labels, reading, place, limit, workers):
            shards, documents = number + 1, documents + count
            if progress:
                progress(f"{documents} documents of {labels.name} read")
        if not documents:
            raise RunError(f"{labels.name} has no document to learn from.")
        _write_whole(place / DONE, json.dumps({"shards": shards, "documents": documents}))
    return Store(place)


def _shards(
    labels: Path, reading: Reading, place: Path, limit: int | None, workers: int
) -> Iterator[tuple[int, int]]:
    """Writes the shards that are not there; gives number and documents of each, in order."""
    chunks = enumerate(_chunks(islice(read_labels(labels), limit)))
    if workers == 1:
        reader: DocumentReader | None = None
        for number, chunk in chunks:
            if not (place / shard_name(number)).is_dir():
                reader = reader or DocumentReader(reading)
                _write_shard(reader, place, number, chunk)
            yield number, len(chunk)
        return
    with ProcessPoolExecutor(workers, get_context("spawn"), _start_worker, (reading,)) as pool:
        flying: deque[tuple[int, int, Future[None] | None]] = deque()
        try:
            for number, chunk in chunks:
                there = (place / shard_name(number)).is_dir()
                task = None if there else pool.submit(_work, place, number, chunk)
                flying.append((number, len(chunk), task))
                while len(flying) >= workers * _AHEAD:
                    yield _landed(*flying.popleft())
            while flying:
                yield _landed(*flying.popleft())
        finally:
            pool.shutdown(cancel_futures=True)


def _landed(number: int, count: int, task: "Future[None] | None") -> tuple[int, int]:
    if task is not None:
        task.result()
    return number, count


def _chunks(articles: Iterator[LabelledArticle]) -> Iterator[list[LabelledArticle]]:
    while chunk := list(islice(articles, SHARD)):
        yield chunk


_reader: DocumentReader | None = None


def _start_worker(reading: Reading) -> None:
    """Loads the encoder once for this worker, which uses one thread."""
    global _reader  # a process pool has no other place for a worker's state
    import torch

    end_with_parent()
    torch.set_num_threads(1)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    _reader = DocumentReader(reading)


def _work(place: Path, number: int, chunk: list[LabelledArticle]) -> None:
    if _reader is None:
        raise RuntimeError("the worker was not started")
    _write_shard(_reader, place, number, chunk)


def _write_shard(reader: DocumentReader, place: Path, number: int, chunk: Sequence[LabelledArticle]) -> None:
    """Writes beside the place and renames, so that a shard is whole or not there."""
    found = [reader.read(labelled) for labelled in chunk]
    beside = place / f"{shard_name(number)}.{os.getpid()}"
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    for name in StoredDocument.__slots__:
        np.save(beside / f"{name}.npy", np.concatenate([getattr(document, name) for document in found]))
    counts = [(len(document.lengths), len(document.values)) for document in found]
    np.save(beside / "counts.npy", np.array(counts, np.int64))
    beside.rename(place / shard_name(number))


def _write_whole(path: Path, text: str) -> None:
    with replaced(path, private=False) as file:
        file.write(text)


def file_sha256(path: Path) -> str:
    """Over the file's bytes: `sha256sum FILE`."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
