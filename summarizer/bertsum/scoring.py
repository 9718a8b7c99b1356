"""What scores the sentences of a document: a head in one runtime, as an engine uses it."""

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from summarizer.centrality import Vectors

if TYPE_CHECKING:
    import torch


class Head(Protocol):
    """Logits of the sentences of one document."""

    def __call__(
        self, vectors: Vectors, features: Vectors, kinds: npt.NDArray[Any]
    ) -> npt.NDArray[np.float64]:
        """One logit for each sentence.

        Args:
            vectors: shape (sentences, hidden).
            features: shape (sentences, COUNT), of `summarizer.bertsum.features`.
            kinds: shape (sentences,), of `summarizer.bertsum.features.section_kinds`.
        """


class ModuleHead:
    """A head of torch (`summarizer.bertsum.heads`)."""

    def __init__(self, module: "torch.nn.Module", device: str) -> None:
        self._module, self._device = module.float().eval().to(device), device

    def __call__(
        self, vectors: Vectors, features: Vectors, kinds: npt.NDArray[Any]
    ) -> npt.NDArray[np.float64]:
        """See `Head`."""
        import torch

        parts = (torch.from_numpy(array).to(self._device)[None] for array in (vectors, features, kinds))
        with torch.inference_mode():
            logits: torch.Tensor = self._module(*parts)[0]
        found: npt.NDArray[np.float64] = logits.double().cpu().numpy()
        return found
