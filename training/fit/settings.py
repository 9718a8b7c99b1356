"""What decides the outcome of a training run."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from summarizer.bertsum.heads import HeadConfig

Precision = Literal["bf16", "fp32"]
Decay = Literal["cosine", "linear"]
Frozen = Literal["encoder"] | int
"""The whole encoder, or its embeddings and so many of its lowest layers; -1 for nothing at all."""

NOTHING = -1


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """Everything that is decided before a run begins; two runs of the same settings and data are the same.

    Attributes:
        head: its shape.
        context: see `summarizer.bertsum.model.BertSumConfig`.
        freeze: what of the encoder stays as it is.
        epochs: passes over the training documents, at most.
        lr, encoder_lr: highest learning rate of the head, and of the encoder's last layer.
        layer_decay: each layer below learns at this share of the rate of the one above it.
        weight_decay: of AdamW; biases and norms have none.
        warmup: share of the steps in which the rate rises from 0.
        decay: how it falls after that, to a hundredth (cosine) or 0 (linear).
        clip: longest gradient.
        accumulate: batches of one step (of each process).
        batch_sentences: sentences of one batch, padding included, where the encoder is frozen.
        batch_tokens: tokens of one batch, where it is not.
        section_dropout: share of the documents whose sections the head is not told, each time anew.
        precision: of the matrix products; weights and sums are in single precision.
        patience: epochs without a better ROUGE-1 of the validation documents after which the run ends; 0: it
            goes through all of them, and the last one's weights are kept instead of the best one's.
        words: length of the summaries that this is measured on.
        seed: of the head's first weights, the order of the documents and dropout.
    """

    head: HeadConfig = field(default_factory=HeadConfig)
    context: int = 64
    freeze: Frozen = "encoder"
    epochs: int = 10
    lr: float = 1e-3
    encoder_lr: float = 3e-5
    layer_decay: float = 0.9
    weight_decay: float = 0.05
    warmup: float = 0.1
    decay: Decay = "cosine"
    clip: float = 1.0
    accumulate: int = 1
    batch_sentences: int = 3000
    batch_tokens: int = 8192
    section_dropout: float = 0.3
    precision: Precision = "fp32"
    patience: int = 3
    words: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        if self.freeze != "encoder" and self.freeze < NOTHING:
            raise ValueError("freeze must be encoder, none or a number of layers")
        for name in ("epochs", "accumulate", "batch_sentences", "batch_tokens", "words"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1")
        for name in ("lr", "encoder_lr", "layer_decay", "clip"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0")
        if self.patience < 0:
            raise ValueError("patience must not be below 0")
        for name in ("warmup", "section_dropout"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be from 0 to 1")

    def to_json(self) -> dict[str, Any]:
        """As it stands in the log and in checkpoints, equal to what is read from there."""
        values: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return values
