"""What scores the sentences of documents: a head in one runtime, as an engine uses it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from summarizer.centrality import Vectors

if TYPE_CHECKING:
    import torch

Logits = npt.NDArray[np.float64]
"""Shape (sentences,)."""

_TOGETHER = 8192  # sentences, padding included, that a module reads at once


@dataclass(frozen=True, slots=True)
class HeadInput:
    """The sentences of one document, or of a stretch of it.

    Attributes:
        vectors: shape (sentences, hidden).
        features: shape (sentences, COUNT), of `summarizer.bertsum.features`.
        kinds: shape (sentences,), of `summarizer.bertsum.features.section_kinds`.
    """

    vectors: Vectors
    features: Vectors
    kinds: npt.NDArray[Any]

    def part(self, start: int, end: int) -> "HeadInput":
        """Of these sentences."""
        return HeadInput(self.vectors[start:end], self.features[start:end], self.kinds[start:end])


class Head(Protocol):
    """Logits of sentences."""

    def __call__(self, documents: Sequence[HeadInput]) -> list[Logits]:
        """Those of each document by itself."""


class ModuleHead:
    """A head of torch (`summarizer.bertsum.heads`); documents of a call go together, padded."""

    def __init__(self, module: "torch.nn.Module", device: str) -> None:
        from summarizer.encoder.transfer import Transfer

        self._module = module.float().eval().to(device)
        self._transfer = Transfer(device)

    def __call__(self, documents: Sequence[HeadInput]) -> list[Logits]:
        """See `Head`."""
        from summarizer.encoder.batches import padded_batches

        found: list[Logits] = [np.zeros(0)] * len(documents)
        for batch in padded_batches([len(document.kinds) for document in documents], _TOGETHER):
            for index, logits in zip(batch, self._logits([documents[i] for i in batch]), strict=True):
                found[index] = logits[: len(documents[index].kinds)]
        return found

    def _logits(self, documents: Sequence[HeadInput]) -> Logits:
        """Shape (documents, sentences of the longest)."""
        import torch

        counts = np.array([len(document.kinds) for document in documents])
        width = counts.max()
        there = np.arange(width) < counts[:, None]
        names = ("vectors", "features", "kinds")
        arrays = ([_lengthened(getattr(d, name), width) for d in documents] for name in names)
        parts = [self._transfer.send(np.stack(array)) for array in arrays]
        mask = None if there.all() else self._transfer.send(there)
        with torch.inference_mode():
            logits: torch.Tensor = self._module(*parts, mask)
        return self._transfer.fetch(logits.double())()


def _lengthened(values: npt.NDArray[Any], width: int) -> npt.NDArray[Any]:
    """With zeros after it, up to so many rows."""
    return np.pad(values, [(0, width - len(values)), *[(0, 0)] * (values.ndim - 1)])
