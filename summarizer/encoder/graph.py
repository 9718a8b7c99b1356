"""Layers of transformers as a graph of OpenVINO, built from arrays; nothing is exported from torch.

The arithmetic is that of `torch.nn` and `transformers.BertModel`: linear layers with weights of shape
(outputs, inputs), GELU by the error function, attention scaled by the root of a head's width.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from openvino import Model, Node, Type, opset13

Weights = Mapping[str, npt.NDArray[Any]]

HIDDEN_KEY = -1e9  # added to the likeness of a position that is padding; its weight is then exactly 0


def value(array: npt.NDArray[Any]) -> Node:
    """A constant; whole numbers as they are, others in single precision.

    One in single precision is not copied: graphs that are built of the same arrays hold them once.
    """
    if array.dtype.kind == "i":
        return opset13.constant(array)
    return opset13.constant(np.ascontiguousarray(array, np.float32), shared_memory=True)


def numbers(*values: int) -> Node:
    """A constant of whole numbers, of shape (values,)."""
    return opset13.constant(np.array(values, np.int64))


def single_input(name: str, *shape: int) -> Node:
    """An input in single precision; -1 for a length that is not fixed."""
    return opset13.parameter(list(shape), Type.f32, name=name)


def linear(x: Node, weights: Weights, name: str) -> Node:
    """A linear layer."""
    product = opset13.matmul(x, value(weights[f"{name}.weight"]), False, True)
    return opset13.add(product, value(weights[f"{name}.bias"][None, None]))


def norm(x: Node, weights: Weights, name: str, epsilon: float) -> Node:
    """Layer normalisation over the last axis."""
    unit = opset13.mvn(x, numbers(-1), True, epsilon, "inside_sqrt")
    scaled = opset13.multiply(unit, value(weights[f"{name}.weight"][None, None]))
    return opset13.add(scaled, value(weights[f"{name}.bias"][None, None]))


def gelu(x: Node) -> Node:
    """Of the error function."""
    return opset13.gelu(x, "erf")


def attention(qkv: Node, heads: int, width: int, mask: Node) -> Node:
    """Attention of every position to every other.

    Args:
        qkv: shape (rows, positions, 3 * heads * width): queries, keys, values, each with its heads in order.
        heads: how many.
        width: of one.
        mask: shape (rows, 1, 1, positions), 0 or `HIDDEN_KEY`.

    Returns:
        Shape (rows, positions, heads * width).
    """
    parts = []
    for part in opset13.split(qkv, opset13.constant(np.int64(2)), 3).outputs():
        split = opset13.reshape(part, numbers(0, 0, heads, width), True)
        parts.append(opset13.transpose(split, numbers(0, 2, 1, 3)))
    mixed = opset13.scaled_dot_product_attention(*parts, mask, causal=False)
    return opset13.reshape(opset13.transpose(mixed, numbers(0, 2, 1, 3)), numbers(0, 0, heads * width), True)


def model(outputs: list[Node], inputs: list[Node]) -> Model:
    """The whole graph."""
    return Model(outputs, inputs)
