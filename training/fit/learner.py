"""Documents of a store through the part of a model that is trained."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (torch's own convention)

from summarizer.bertsum.document import owned_places
from summarizer.bertsum.features import GROUPS
from summarizer.bertsum.heads import members_of
from summarizer.bertsum.model import BertSum
from summarizer.encoder.windows import Window, plan_windows
from training.fit.batches import widths
from training.fit.settings import NOTHING, TrainSettings
from training.fit.store import Kind, StoredDocument

__all__ = ["Learner", "kind_of"]


def kind_of(settings: TrainSettings) -> Kind:
    """What is to be stored of the documents: the output of what is frozen."""
    if settings.freeze == "encoder":
        return "tokens" if settings.lora else "vectors"
    return "tokens" if settings.freeze == NOTHING else "states"


@dataclass(frozen=True, slots=True)
class _Layout:
    """The windows of the documents of a batch: `rows` are (document, first row of values, end)."""

    rows: list[tuple[int, int, int]]
    windows: list[Sequence[Window]]


class Learner:
    """A model, and how it reads what is stored."""

    def __init__(self, model: BertSum, settings: TrainSettings, limit: int, pad_id: int, device: str) -> None:
        """Freezes what the settings freeze.

        Args:
            model: on the device already.
            settings: what is frozen, the precision and so on.
            limit: positions of a window.
            pad_id: the token that fills the shorter windows.
            device: `cpu` or `cuda`.
        """
        self.model = model
        self.device = device
        self._settings = settings
        self._kind = kind_of(settings)
        self._limit = limit
        self._pad_id = pad_id
        freeze(model, settings)

    def train(self) -> None:
        """Dropout in what is trained, and only there."""
        self.model.train()
        if self._kind == "vectors":
            self.model.encoder.eval()

    def loss(self, documents: Sequence[StoredDocument]) -> Tensor:
        """Sum over the sentences of the binary cross-entropy, with gradients.

        Of several heads the mean of theirs: each learns by itself, so that what they get wrong differs.
        """
        features, kinds, mask = self._beside(documents)
        untold = torch.rand(len(documents)) < self._settings.section_dropout
        kinds[untold] = 0
        features[untold, :, GROUPS["section"]] = 0
        targets = self._padded([document.labels for document in documents], torch.float32)
        heads = members_of(self.model.head)
        each = [
            F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
            for logits in self._forward(heads, documents, features, kinds, mask)
        ]
        return (torch.stack(each).mean(dim=0) * mask).sum()

    def logits(self, documents: Sequence[StoredDocument]) -> list[np.ndarray[Any, np.dtype[np.float32]]]:
        """Logits of the sentences of each document, without dropout."""
        self.model.eval()
        with torch.inference_mode():
            [found] = self._forward([self.model.head], documents, *self._beside(documents))
            logits = found.cpu().numpy()
        return [logits[i, : len(document.lengths)] for i, document in enumerate(documents)]

    def _forward(
        self,
        heads: Sequence[nn.Module],
        documents: Sequence[StoredDocument],
        features: Tensor,
        kinds: Tensor,
        mask: Tensor,
    ) -> list[Tensor]:
        """The logits that each of the heads gives."""
        bf16 = self._settings.precision == "bf16"
        with torch.autocast(self.device, torch.bfloat16, enabled=bf16):
            vectors = self._vectors(documents, mask.shape[1])
            return [head(vectors, features, kinds, mask).float() for head in heads]

    def _beside(self, documents: Sequence[StoredDocument]) -> tuple[Tensor, Tensor, Tensor]:
        """Features, kinds and mask, padded to the most sentences."""
        features = self._padded([document.features for document in documents], torch.float32)
        kinds = self._padded([document.kinds for document in documents], torch.long)
        ones = [np.ones(len(document.lengths), np.bool_) for document in documents]
        return features, kinds, self._padded(ones, torch.bool)

    def _padded(self, parts: Sequence[np.ndarray[Any, Any]], dtype: torch.dtype) -> Tensor:
        longest = max(len(part) for part in parts)
        padded = torch.zeros((len(parts), longest, *parts[0].shape[1:]), dtype=dtype)
        for i, part in enumerate(parts):
            padded[i, : len(part)] = torch.from_numpy(np.array(part)).to(dtype)
        return padded.to(self.device)

    def _vectors(self, documents: Sequence[StoredDocument], longest: int) -> Tensor:
        """Vectors of the sentences, shape (documents, longest, hidden), in single precision."""
        if self._kind == "vectors":
            return self._padded([document.values for document in documents], torch.float32)
        layout = self._layout(documents)
        place = {
            (document, row): i
            for i, (document, row) in enumerate(
                (document, row)
                for document, windows in enumerate(layout.windows)
                for row in range(len(windows))
            )
        }
        pooling = self._settings.head.pooling
        owned: list[list[tuple[int, int, float]]] = [[] for _ in layout.rows]
        for number, (document, windows) in enumerate(zip(documents, layout.windows, strict=True)):
            for row, position, sentence, share in owned_places(windows, document.lengths.tolist(), pooling):
                owned[place[number, row]].append((position, number * longest + sentence, share))
        size = int(self.model.encoder.config.hidden_size)  # type: ignore[union-attr, arg-type]
        vectors = torch.zeros(len(documents) * longest, size, device=self.device)
        for group, hidden in self._hidden(documents, layout):
            found = [(i, *spot) for i, row in enumerate(group) for spot in owned[row]]
            if not found:
                continue
            rows, positions, owners = (
                torch.tensor(part, device=self.device) for part in list(zip(*found, strict=True))[:3]
            )
            shares = torch.tensor([spot[3] for spot in found], device=self.device)
            vectors = vectors.index_add(0, owners, hidden[rows, positions].float() * shares[:, None])
        return vectors.view(len(documents), longest, size)

    def _layout(self, documents: Sequence[StoredDocument]) -> _Layout:
        rows: list[tuple[int, int, int]] = []
        plans: list[Sequence[Window]] = []
        for number, document in enumerate(documents):
            context = min(self.model.config.context, self._limit // 2)
            windows = plan_windows(document.lengths.tolist(), self._limit, context)
            start = 0
            for window in windows:
                end = start + sum(piece.cost for piece in window.pieces)
                rows.append((number, start, end))
                start = end
            plans.append(windows)
        return _Layout(rows, plans)

    def _hidden(
        self, documents: Sequence[StoredDocument], layout: _Layout
    ) -> Iterator[tuple[list[int], Tensor]]:
        """Windows of like width together: their places in the layout, and (windows, width, hidden)."""
        lengths = [end - start for _, start, end in layout.rows]
        for group in widths(lengths):
            parts = [documents[d].values[start:end] for d, start, end in (layout.rows[i] for i in group)]
            mask = self._padded([np.ones(len(part), np.int64) for part in parts], torch.long)
            if self._kind == "states":
                yield group, self._upper(self._padded(parts, torch.float32), mask)
                continue
            tokens = self._padded(parts, torch.long)
            ids = tokens[..., 0].masked_fill(mask == 0, self._pad_id)
            segments = tokens[..., 1]
            yield group, self.model.states(input_ids=ids, attention_mask=mask, token_type_ids=segments)

    def _upper(self, states: Tensor, mask: Tensor) -> Tensor:
        """The layers above the frozen ones that the head reads, over what these gave."""
        from transformers.masking_utils import create_bidirectional_mask

        encoder: Any = self.model.encoder
        attend = create_bidirectional_mask(config=encoder.config, inputs_embeds=states, attention_mask=mask)
        for layer in encoder.encoder.layer[self._settings.freeze : self._settings.head.depth or None]:
            states = layer(states, attend)
        return states


def freeze(model: BertSum, settings: TrainSettings) -> None:
    """Takes the gradient from what the settings freeze."""
    frozen = settings.freeze
    encoder: Any = model.encoder
    model.requires_grad_(True)
    if frozen == "encoder":
        encoder.requires_grad_(False)
    elif frozen != NOTHING:
        encoder.requires_grad_(False)
        encoder.encoder.layer[frozen:].requires_grad_(True)
