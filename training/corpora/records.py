"""Records of a corpus one by one: JSON lines (plain, gzip, xz), Parquet, or a data set of the hub.

Nothing is held in memory but the record in hand (Parquet: one batch), and reading can begin at any record,
so a run that was stopped goes on where it was.
"""

import gzip
import json
import lzma
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

from training.errors import CorpusError

__all__ = ["Corpus", "Record", "files_of"]

_OPENERS: dict[str, Callable[..., IO[str]]] = {".gz": gzip.open, ".xz": lzma.open}
_SUFFIXES = (".jsonl", ".jsonl.gz", ".jsonl.xz", ".ndjson", ".parquet")
_BATCH = 64


@dataclass(frozen=True, slots=True)
class Record:
    """One record as found.

    Attributes:
        number: its place in the corpus, from 0.
        fields: what it holds; None where the line is no JSON object.
    """

    number: int
    fields: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Corpus:
    """Where records come from.

    Attributes:
        data: a file, a folder of files, or a data set of the hub as `owner/name`.
        config: the hub's configuration (`document` or `section` of `ccdv/pubmed-summarization`).
        split: the hub's split.
        streaming: read from the hub record by record; else the data set is loaded once and cached.
        cache: folder of the cache; the library's own if None.
        revision: branch, tag or commit on the hub.
        limit: only the first so many records; all if None.
    """

    data: str
    config: str | None = None
    split: str = "train"
    streaming: bool = False
    cache: str | None = None
    revision: str | None = None
    limit: int | None = None

    @property
    def name(self) -> str:
        """What tells this corpus from others, wherever it lies."""
        if self._local():
            return Path(self.data).name
        return "/".join(filter(None, (self.data, self.config, self.split)))

    def _local(self) -> bool:
        named_file = self.data.endswith(_SUFFIXES) or self.data.startswith(".")
        return Path(self.data).exists() or named_file or self.data.count("/") != 1

    def records(self, start: int = 0) -> Iterator[Record]:
        """The records from number `start` on.

        Raises:
            CorpusError: there is no such file, folder or data set, or it cannot be read.
        """
        if start < 0:
            raise ValueError("start must be at least 0")
        left = None if self.limit is None else max(0, self.limit - start)
        if not self._local():
            yield from _numbered(islice(self.from_hub(start), left), start)
            return
        rows = (row for path in files_of(self.data) for row in _rows(path))
        end = None if left is None else start + left
        yield from _numbered((_fields(row) for row in islice(rows, start, end)), start)

    def from_hub(self, start: int = 0) -> Iterator[dict[str, Any]]:
        """The rows from number `start` on of what the package `datasets` loads by this name.

        Raises:
            CorpusError: it cannot be loaded.
        """
        try:
            import datasets
        except ImportError:
            raise CorpusError(
                "Data sets of the hub need the package `datasets`; install the extra `train`."
            ) from None
        try:
            loaded = datasets.load_dataset(
                self.data,
                self.config,
                split=self.split,
                streaming=self.streaming,
                cache_dir=self.cache,
                revision=self.revision,
            )
            yield from loaded.skip(start)
        except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
            kind = type(error).__name__
            raise CorpusError(
                f"{self.name} cannot be loaded ({kind}): check the name, configuration and split and that "
                "the hub can be reached; for a data set that needs a script, try the revision "
                "refs/convert/parquet."
            ) from error


def _numbered(fields: Iterator[dict[str, Any] | None], start: int) -> Iterator[Record]:
    for number, found in enumerate(fields, start):
        yield Record(number, found)


def files_of(data: str) -> list[Path]:
    """The files of a corpus, by name.

    Raises:
        CorpusError: there are none.
    """
    path = Path(data)
    if path.is_file():
        return [path]
    found = sorted(file for file in path.glob("*") if file.name.endswith(_SUFFIXES)) if path.is_dir() else []
    if not found:
        raise CorpusError(
            f"{data} is neither a file, nor a folder with {', '.join(_SUFFIXES)}, nor owner/name."
        )
    return found


def _rows(path: Path) -> Iterator[str | dict[str, Any]]:
    """Lines of JSON that are not blank, or rows of Parquet."""
    try:
        if path.suffix == ".parquet":
            yield from _parquet(path)
            return
        with _OPENERS.get(path.suffix, open)(path, mode="rt", encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if line.strip():
                    yield line
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise CorpusError(f"{path.name} cannot be read ({type(error).__name__}).") from error


def _parquet(path: Path) -> Iterator[dict[str, Any]]:
    try:
        from pyarrow import ArrowException, parquet  # type: ignore[import-untyped]
    except ImportError:
        raise CorpusError("Parquet needs the package `pyarrow`; install the extra `train`.") from None
    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=_BATCH):
                yield from batch.to_pylist()
    except ArrowException as error:
        raise CorpusError(f"{path.name} is no Parquet file ({type(error).__name__}).") from error


def _fields(row: str | dict[str, Any]) -> dict[str, Any] | None:
    if isinstance(row, dict):
        return row
    try:
        fields = json.loads(row)
    except ValueError:
        return None
    return fields if isinstance(fields, dict) else None
