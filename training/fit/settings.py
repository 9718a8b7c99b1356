"""What decides the outcome of a training run."""

import json
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, Literal, get_type_hints

from summarizer.bertsum.config import HeadConfig

Precision = Literal["bf16", "fp32"]
Decay = Literal["cosine", "linear"]
Frozen = Literal["encoder"] | int
"""The whole encoder, or its embeddings and so many of its lowest layers; -1 for nothing at all."""

NOTHING = -1


@dataclass(frozen=True, slots=True)
class About:
    """What a field means, in one line, and the smallest value that makes sense; the options say the same."""

    help: str
    least: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSettings:
    """Everything that is decided before a run begins; two runs of the same settings and data are the same."""

    head: HeadConfig = field(default_factory=HeadConfig)
    context: Annotated[int, About("Positions that windows share.", 0)] = 64
    freeze: Annotated[Frozen, About("encoder, none, or how many of its lowest layers stay as they are.")] = (
        "encoder"
    )
    lora: Annotated[
        int,
        About(
            "Rank of a change of the layers that the head reads, beside an encoder that stays; 0 for none.", 0
        ),
    ] = 0
    epochs: Annotated[int, About("Passes over the training documents, at most.", 1)] = 10
    lr: Annotated[float, About("Highest learning rate of the head.")] = 1e-3
    encoder_lr: Annotated[float, About("Highest learning rate of the encoder's last layer.")] = 3e-5
    lora_lr: Annotated[
        float, About("Highest learning rate of that change's matrices; its biases and norms have encoder_lr.")
    ] = 2e-3
    layer_decay: Annotated[float, About("Share of it for each layer further down.")] = 0.9
    weight_decay: Annotated[float, About("Of AdamW; biases and norms have none.")] = 0.05
    warmup: Annotated[float, About("Share of the steps in which the rates rise from 0.")] = 0.1
    decay: Annotated[Decay, About("How they fall after that: to a hundredth (cosine) or 0 (linear).")] = (
        "cosine"
    )
    clip: Annotated[float, About("Longest gradient.")] = 1.0
    accumulate: Annotated[int, About("Batches of a step, of each process.", 1)] = 1
    batch_sentences: Annotated[
        int, About("Sentences of a batch, padding included, if the encoder is frozen.", 1)
    ] = 3000
    batch_tokens: Annotated[int, About("Tokens of a batch, if it is not.", 1)] = 8192
    section_dropout: Annotated[
        float, About("Share of the documents whose sections the head is not told, each time anew.")
    ] = 0.3
    precision: Annotated[
        Precision, About("Of the matrix products; weights and sums are in single precision.")
    ] = "fp32"
    patience: Annotated[
        int,
        About("Epochs without a better figure before it ends early; 0 goes through all, keeps the last.", 0),
    ] = 3
    words: Annotated[int, About("Length of the summaries it is measured on.", 1)] = 200
    own_words: Annotated[
        int,
        About("Words of a summary whose length nobody asks for, on average; 0 leaves it to expected F1.", 0),
    ] = 0
    calibrate_features: Annotated[
        float,
        About(
            "Gives features a weight in the calibration, held to 0 so strongly (ridge); 0 leaves them out."
        ),
    ] = 0.0
    seed: Annotated[int, About("Of the head's first weights, the order of documents and dropout.", 0)] = 0

    def __post_init__(self) -> None:
        if self.freeze != "encoder" and self.freeze < NOTHING:
            raise ValueError("freeze must be encoder, none or a number of layers")
        if self.freeze != "encoder" and 0 < self.head.depth < self.freeze:
            raise ValueError("freeze must be no more layers than the head reads")
        if self.lora and self.freeze != "encoder":
            raise ValueError("lora goes with freeze encoder")
        for name, about in described(TrainSettings).items():
            if about.least is not None and getattr(self, name) < about.least:
                raise ValueError(f"{name} must be at least {about.least}")
        for name in ("lr", "encoder_lr", "lora_lr", "layer_decay", "clip"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0")
        if not self.calibrate_features >= 0:
            raise ValueError("calibrate_features must not be below 0")
        for name in ("warmup", "section_dropout"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be from 0 to 1")

    def to_json(self) -> dict[str, Any]:
        """As it stands in the log and in checkpoints, equal to what is read from there."""
        values: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return values


def described(settings: type) -> dict[str, About]:
    """The fields of a class of settings that say what they mean."""
    hints = get_type_hints(settings, include_extras=True)
    return {
        name: about
        for name, hint in hints.items()
        for about in getattr(hint, "__metadata__", ())
        if isinstance(about, About)
    }
