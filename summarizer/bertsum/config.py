"""The shape of a BERTSum model, as its folder declares it; readable without torch."""

import math
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

VERSION = 2

GROUPS = {
    "centrality": slice(0, 5),
    "position": slice(5, 18),
    "section": slice(18, 23),
    "length": slice(23, 26),
}
"""Columns of `summarizer.bertsum.features` by what they tell, so that an ablation can blank a group."""

COUNT = 26

HeadKind = Literal["linear", "transformer"]

Pooling = Literal["cls", "mean", "sum"]
"""What stands for a sentence: the vector of its [CLS], the mean over its tokens, or the sum of the two."""

POOLINGS: tuple[Pooling, ...] = ("cls", "mean", "sum")


# Beyond these it is a mistake.
_MOST = {"width": 8192, "layers": 64, "heads": 256, "inner": 65_536, "depth": 256, "members": 64}
_MOST_RANK = 4096


@dataclass(frozen=True, slots=True)
class HeadConfig:
    """The shape of a head.

    Attributes:
        kind: `linear`, one layer on each sentence by itself, or `transformer`, layers over all sentences.
        width, layers, heads, inner: of the transformer.
        dropout: while training.
        without: groups of features (`GROUPS`) that the transformer is not told,
            so that their worth can be measured; with `section` go the kinds of sections too.
        pooling: what it reads of each sentence.
        depth: after how many layers of the encoder it reads; 0 for all of them.
        members: so many heads of this shape, fitted side by side; the logit is the mean of theirs.
    """

    kind: HeadKind = "linear"
    width: int = 256
    layers: int = 2
    heads: int = 4
    inner: int = 512
    dropout: float = 0.1
    without: tuple[str, ...] = ()
    pooling: Pooling = "cls"
    depth: int = 0
    members: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "without", tuple(self.without))  # JSON has lists alone
        if not set(self.without) <= set(GROUPS):
            raise ValueError(f"without takes {', '.join(GROUPS)}")
        if self.kind not in ("linear", "transformer"):
            raise ValueError("kind must be linear or transformer")
        if self.pooling not in POOLINGS:
            raise ValueError("pooling must be cls, mean or sum")
        for name, most in _MOST.items():
            value = getattr(self, name)
            least = 0 if name in ("layers", "depth") else 1
            if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
                raise ValueError(f"{name} must be a whole number from {least} to {most}")
        if self.width % self.heads:
            raise ValueError("width must be a multiple of heads")
        if not 0 <= self.dropout < 1:
            raise ValueError("dropout must be at least 0 and below 1")


@dataclass(frozen=True, slots=True)
class BertSumConfig:
    """What `bertsum.json` holds.

    Attributes:
        head: the shape of the head.
        context: at most so many positions of a window repeat the end of the one before.
        scale, shift: of the calibration (Platt 1999): the probability is that of `scale * logit + shift`.
        features: to which are added the features of the sentence with these weights; empty, or one for each.
        calibrated: whether these were fitted on documents that the training did not see.
        threshold: from what score, divided by the root of its words, a sentence is worth a place in a summary
            whose length nobody asked for (`summarizer.selection.select.own_choice`); None if that was not
            fitted.
        adapter: rank of the change of the layers that the head reads (`summarizer.encoder.adapter`); 0 where
            it reads the encoder as it is.
        articles: of a second head on the same encoder, for texts that come split into sentences, which are no
            notes; None if there is none and the head scores all.
    """

    head: HeadConfig = field(default_factory=HeadConfig)
    context: int = 64
    scale: float = 1.0
    shift: float = 0.0
    features: tuple[float, ...] = ()
    calibrated: bool = False
    threshold: float | None = None
    adapter: int = 0
    articles: "BertSumConfig | None" = None

    def __post_init__(self) -> None:
        if isinstance(self.context, bool) or not isinstance(self.context, int) or self.context < 0:
            raise ValueError("context must be a whole number of at least 0")
        if not 0 < self.scale < math.inf:
            raise ValueError("scale must be above 0")
        if not math.isfinite(self.shift) or not (self.threshold is None or math.isfinite(self.threshold)):
            raise ValueError("shift and threshold must be numbers")
        object.__setattr__(self, "features", tuple(self.features))  # JSON has lists alone
        if len(self.features) not in (0, COUNT) or not all(map(math.isfinite, self.features)):
            raise ValueError("features must be none, or a number for each")
        if not isinstance(self.calibrated, bool):
            raise ValueError("calibrated must be true or false")
        if (
            isinstance(self.adapter, bool)
            or not isinstance(self.adapter, int)
            or not 0 <= self.adapter <= _MOST_RANK
        ):
            raise ValueError(f"adapter must be a whole number from 0 to {_MOST_RANK}")
        if (beside := self.articles) is None:
            return
        if beside.articles or beside.adapter or beside.context != self.context:
            raise ValueError("the head for articles shares encoder and context and has no other beside it")

    def to_json(self) -> dict[str, Any]:
        """As it stands in the file."""
        values = {"version": VERSION, **asdict(self)}
        if self.articles is not None:
            values["articles"].pop("articles")
        for part in (values, values["articles"]):
            for name in ("features", "adapter"):
                if part and not part[name]:
                    part.pop(name)  # so that earlier versions read a model that has none
        return values

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "BertSumConfig":
        """Reads what `to_json` gave.

        Raises:
            ValueError, TypeError: it is of another version, or its values are not such.
        """
        values = dict(values)
        if values.pop("version", None) != VERSION:
            raise ValueError("another version")
        if articles := values.get("articles"):
            values["articles"] = cls.from_json({"version": VERSION, **articles})
        return cls(**{**values, "head": HeadConfig(**values["head"])})
