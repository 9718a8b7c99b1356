"""Labels for a whole corpus: all cores, memory bounded, in the order of the corpus, resumable."""

import multiprocessing
import os
import re
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from itertools import islice
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

from training.corpora.dedup import THRESHOLD, ContentIndex
from training.corpora.records import Record
from training.corpora.schemas import Corpus, Dropped, articles, convert
from training.corpora.text_form import Form
from training.labels.label_file import LabelledArticle, Totals, open_labels, row_of
from training.labels.oracle import OracleSettings, label
from training.labels.workers import end_with_parent

__all__ = ["LabelJob", "label_corpus"]

_CHUNK = 16  # records a worker takes at a time
_AHEAD = 3  # chunks in flight for each worker


@dataclass(frozen=True, slots=True)
class LabelJob:
    """What to label, and how.

    Attributes:
        corpus: where the records come from.
        schema: one of `training.corpora.schemas.SCHEMAS`, or `auto`.
        form: the form of text of the labelled sentences.
        oracle: how sentences are chosen.
        held_out: corpora whose content must not be labelled; read with the schema `auto`.
        overlap: the containment above which an article counts as held out.
        licence: a regular expression that a record's `licence` must match (case aside); None takes every
            record, also one that states no licence.
    """

    corpus: Corpus
    schema: str = "auto"
    form: Form = "benchmark"
    oracle: OracleSettings = field(default_factory=OracleSettings)
    held_out: tuple[Corpus, ...] = ()
    overlap: float = THRESHOLD
    licence: str | None = None

    def settings(self) -> dict[str, Any]:
        """What decides the content of the file, for its first line."""
        return {
            "data": self.corpus.name,
            "schema": self.schema,
            "form": self.form,
            **asdict(self.oracle),
            "held_out": [corpus.name for corpus in self.held_out],
            "overlap": self.overlap,
            "licence": self.licence,
        }


class _Labeller:
    """One worker's state: the job and the index of what is held out."""

    def __init__(self, job: LabelJob, index: ContentIndex | None) -> None:
        self._job = job
        self._index = index

    def rows(self, records: list[Record]) -> list[dict[str, Any]]:
        return [row_of(record.number, self._found(record)) for record in records]

    def _found(self, record: Record) -> LabelledArticle | Dropped:
        job = self._job
        if job.licence is not None and not _licensed(record, job.licence):
            return Dropped.LICENCE
        article = convert(record, job.corpus.name, schema=job.schema, form=job.form)
        if isinstance(article, Dropped):
            return article
        if self._index is not None and self._index.shares(article, job.overlap):
            return Dropped.HELD_OUT
        return LabelledArticle(article, label(article.sentences, article.summary, job.oracle))


def _licensed(record: Record, pattern: str) -> bool:
    stated = record.fields.get("licence") if record.fields else None
    return isinstance(stated, str) and re.search(pattern, stated, re.IGNORECASE) is not None


_labeller: _Labeller | None = None


def _start_worker(job: LabelJob, index: ContentIndex | None) -> None:
    """Keeps the job, and ends the worker when its parent is killed and cannot end it."""
    global _labeller  # a process pool has no other place for a worker's state
    _labeller = _Labeller(job, index)
    end_with_parent()


def _work(records: list[Record]) -> list[dict[str, Any]]:
    if _labeller is None:
        raise RuntimeError("the worker was not started")
    return _labeller.rows(records)


def _chunks(records: Iterator[Record]) -> Iterator[list[Record]]:
    while chunk := list(islice(records, _CHUNK)):
        yield chunk


def _context() -> BaseContext:
    """Workers of a process that has no threads, where there is such a thing; the caller may have some."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])  # imported once for all workers
    return context


def _labelled(
    job: LabelJob, index: ContentIndex | None, records: Iterator[Record], workers: int
) -> Iterator[list[dict[str, Any]]]:
    """Rows in the order of the records; at most `workers * _AHEAD` chunks are in memory."""
    if workers == 1:
        labeller = _Labeller(job, index)
        yield from map(labeller.rows, _chunks(records))
        return
    with ProcessPoolExecutor(workers, _context(), _start_worker, (job, index)) as pool:
        flying: deque[Future[list[dict[str, Any]]]] = deque()
        try:
            for chunk in _chunks(records):
                flying.append(pool.submit(_work, chunk))
                if len(flying) >= workers * _AHEAD:
                    yield flying.popleft().result()
            while flying:
                yield flying.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def label_corpus(
    job: LabelJob, out: Path, *, workers: int | None = None, progress: Callable[[Totals], None] | None = None
) -> Totals:
    """Labels a corpus into a file, going on where an earlier run with the same settings was stopped.

    Args:
        job: what to label, and how.
        out: the file of labels; made if it is not there.
        workers: processes; the cores of this process if None.
        progress: called with the totals after each chunk.

    Returns:
        The totals of the whole file.

    Raises:
        CorpusError: a corpus cannot be read.
        LabelFileError: `out` holds something else, was made with other settings, or cannot be written.
        ValueError: there is no such schema.
    """
    writer = open_labels(out, job.settings())
    with writer.file:
        index = None
        if job.held_out:
            index = ContentIndex(
                article for corpus in job.held_out for article in articles(corpus, form="as-is")
            )
        records = job.corpus.records(writer.totals.records)
        for rows in _labelled(job, index, records, workers or cores()):
            writer.add(rows)
            if progress:
                progress(writer.totals)
    return writer.totals
