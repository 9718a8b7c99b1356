"""A low-rank change of an encoder's lowest layers (LoRA, Hu et al. 2021), kept beside weights that stay.

A matrix W is read as `W + B A`, of a rank far below its size; biases and norms have something added. Merged
when it is loaded, so reading with it costs what reading without it does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from summarizer.encoder.bert import BertShape

DOWN, UP, ADDED = ".lora_A", ".lora_B", "_added"


@dataclass(frozen=True, slots=True)
class Adapter:
    """The change of the lowest layers.

    Attributes:
        depth: of how many layers; an encoder that is read with it ends there.
        tensors: by the names of `adapter_shapes`, in single precision.
    """

    depth: int
    tensors: Mapping[str, Any]


def adapter_shapes(shape: BertShape, depth: int, rank: int) -> dict[str, tuple[int, ...]]:
    """Name and shape of each tensor of an adapter of so many layers.

    Of a matrix `NAME.weight` of shape (outputs, inputs) they are `NAME.lora_A`, (rank, inputs), and
    `NAME.lora_B`, (outputs, rank); of what has one dimension `NAME.bias_added` or `NAME.weight_added`.
    """
    found: dict[str, tuple[int, ...]] = {}
    for name, size in shape.tensors().items():
        if not name.startswith(tuple(f"encoder.layer.{number}." for number in range(depth))):
            continue
        if len(size) == 2:
            base = name.removesuffix(".weight")
            found |= {base + DOWN: (rank, size[1]), base + UP: (size[0], rank)}
        else:
            found[name + ADDED] = size
    return found


def adapted(weights: Mapping[str, Any], tensors: Mapping[str, Any]) -> dict[str, Any]:
    """The weights with what an adapter adds to them; others as they are. Of numpy or of torch.

    Args:
        weights: of an encoder, by the names of `transformers.BertModel`, in single precision.
        tensors: see `Adapter`.
    """
    found = dict(weights)
    for name, weight in weights.items():
        base = name.removesuffix(".weight")
        if base + DOWN in tensors and base != name:
            found[name] = weight + tensors[base + UP] @ tensors[base + DOWN]
        elif name + ADDED in tensors:
            found[name] = weight + tensors[name + ADDED]
    return found
