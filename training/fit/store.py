"""Documents as the training reads them, memory-mapped: only those in hand are in memory.

A store is a folder of shards, each a folder of arrays over its documents one after the other:

| array | type | shape |
|---|---|---|
| `values` | float16, or int32 for tokens | (rows, width): see `Kind` |
| `features` | float16 | (sentences, `summarizer.bertsum.features.COUNT`) |
| `labels` | float16 | (sentences,): what each is worth, 0 to 1 |
| `kinds` | int8 | (sentences,) |
| `lengths` | int32 | (sentences,), tokens |
| `counts` | int64 | (documents, 2): sentences and rows of values of each |

`store.json` says how it was made, and stands there only when all shards do.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from training.errors import RunError

Kind = Literal["tokens", "vectors", "states"]
"""What `values` holds: token id and segment of each position of each window; the [CLS] vector of each
sentence; or the hidden state of each position of each window after some layer."""

Array = npt.NDArray[Any]
SMALL = ("features", "kinds", "labels", "lengths")
DONE = "store.json"


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """One document; shapes as in the table above."""

    values: Array
    features: Array
    kinds: Array
    labels: Array
    lengths: Array


class Store:
    """Reads what `training.fit.vectors.build_store` wrote."""

    def __init__(self, folder: Path) -> None:
        """Opens a store.

        Raises:
            RunError: it is not there, or not whole.
        """
        try:
            about = json.loads((folder / DONE).read_text(encoding="utf-8"))
            shards = [folder / shard_name(number) for number in range(int(about["shards"]))]
            self._small = {
                name: np.concatenate([np.load(shard / f"{name}.npy") for shard in shards]) for name in SMALL
            }
            counts = [np.load(shard / "counts.npy") for shard in shards]
        except (OSError, ValueError, KeyError):
            raise RunError(f"The store {folder.name} is not whole; remove it to have it made anew.") from None
        self._folder = folder
        self._shard = [(number, place) for number, part in enumerate(counts) for place in range(len(part))]
        self._starts = [[0, *accumulate(part[:, 1].tolist())] for part in counts]
        self.sentences: list[int] = [int(n) for part in counts for n in part[:, 0]]
        self.rows: list[int] = [int(n) for part in counts for n in part[:, 1]]
        self._first = [0, *accumulate(self.sentences)]

    def __len__(self) -> int:
        return len(self.sentences)

    def __getitem__(self, index: int) -> StoredDocument:
        number, place = self._shard[index]
        rows = slice(*self._starts[number][place : place + 2])
        values = _values(self._folder / shard_name(number) / "values.npy")
        inside = slice(*self._first[index : index + 2])
        return StoredDocument(values[rows], **{name: self._small[name][inside] for name in SMALL})


class Stores:
    """Several stores as one."""

    def __init__(self, stores: Sequence[Store]) -> None:
        self._stores = stores
        self._place = [(store, index) for store in stores for index in range(len(store))]
        self.sentences = [n for store in stores for n in store.sentences]
        self.rows = [n for store in stores for n in store.rows]

    def __len__(self) -> int:
        return len(self._place)

    def __getitem__(self, index: int) -> StoredDocument:
        store, inside = self._place[index]
        return store[inside]


def shard_name(number: int) -> str:
    """The folder of a shard."""
    return f"{number:06d}"


@lru_cache(maxsize=64)  # each open map holds a file descriptor
def _values(path: Path) -> Array:
    values: Array = np.load(path, mmap_mode="r")
    return values
