"""The salience heads without torch: the same arithmetic as a graph of OpenVINO.

`summarizer.bertsum.heads` is where they are defined and trained.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from typing import Any

import numpy as np
import numpy.typing as npt
from openvino import Model, Node, Type
from openvino import opset13 as op

from summarizer.bertsum.config import COUNT, GROUPS, HeadConfig
from summarizer.bertsum.scoring import HeadInput, Logits
from summarizer.encoder import graph
from summarizer.encoder.compiled import Compiled

Array = npt.NDArray[Any]

_EPSILON = 1e-5  # of `torch.nn.LayerNorm`
_STEP = 16  # sentences are padded to a multiple of it, so that shapes are few
_WIDE = 256  # or of this, from so many on


class GraphHead:
    """See `summarizer.bertsum.scoring.Head`; in single precision, since it costs little.

    Args:
        tensors: of the head, named as in its file.
        hidden: size of a vector.
        config: its shape.
    """

    def __init__(self, tensors: Mapping[str, Array], hidden: int, config: HeadConfig) -> None:
        self._hidden = [column for group in config.without for column in _columns(group)]
        self._kinds = "section" not in config.without
        self._make = partial(head_graph, tensors, hidden, config)

    @cached_property
    def _compiled(self) -> Compiled:
        return Compiled(self._make(), "fp32", at_once=1)  # its runs follow one another

    def __call__(self, documents: Sequence[HeadInput]) -> list[Logits]:
        """See `summarizer.bertsum.scoring.Head`."""
        return [self._logits(document) for document in documents]

    def _logits(self, document: HeadInput) -> Logits:
        count = len(document.kinds)
        step = _STEP if count <= _WIDE else _WIDE
        more = -count % step
        features = document.features.copy()
        features[:, self._hidden] = 0
        mask = np.zeros((1, 1, 1, count + more), np.float32)
        mask[..., count:] = graph.HIDDEN_KEY
        found = self._compiled(
            _padded(document.vectors.astype(np.float32), more),
            _padded(features.astype(np.float32), more),
            _padded(document.kinds * self._kinds, more),
            mask,
        )
        logits: Logits = found[0, :count].astype(np.float64)
        return logits


def head_graph(tensors: Mapping[str, Array], hidden: int, config: HeadConfig) -> Model:
    """The mean of the members' logits, shape (1, sentences)."""
    vectors = graph.single_input("vectors", 1, -1, hidden)
    features = graph.single_input("features", 1, -1, COUNT)
    kinds = op.parameter([1, -1], Type.i64, name="kinds")
    mask = graph.single_input("mask", 1, 1, 1, -1)
    if config.kind == "linear":
        logits = [graph.linear(vectors, member, "classifier") for member in _members(tensors, config)]
    else:
        logits = [
            _member(member, config, vectors, features, kinds, mask) for member in _members(tensors, config)
        ]
    total = logits[0]
    for more in logits[1:]:
        total = op.add(total, more)
    mean = op.multiply(total, graph.value(np.array(1 / len(logits))))
    return graph.model([op.squeeze(mean, graph.numbers(2))], [vectors, features, kinds, mask])


def _member(
    weights: graph.Weights, config: HeadConfig, vectors: Node, features: Node, kinds: Node, mask: Node
) -> Node:
    """Logits of one head of inter-sentence layers, shape (1, sentences, 1)."""
    width = config.width // config.heads
    kind = op.gather(graph.value(weights["kind.weight"]), kinds, op.constant(np.int64(0)))
    x = op.add(
        graph.linear(graph.norm(vectors, weights, "norm", _EPSILON), weights, "vector"),
        op.add(graph.linear(features, weights, "feature"), kind),
    )
    for number in range(config.layers):
        layer = f"layers.{number}."
        qkv = graph.linear(graph.norm(x, weights, f"{layer}attention_norm", _EPSILON), weights, f"{layer}qkv")
        mixed = graph.attention(qkv, config.heads, width, mask)
        x = op.add(x, graph.linear(mixed, weights, f"{layer}attention_out"))
        inner = graph.linear(graph.norm(x, weights, f"{layer}inner_norm", _EPSILON), weights, f"{layer}inner")
        x = op.add(x, graph.linear(graph.gelu(inner), weights, f"{layer}inner_out"))
    return graph.linear(graph.norm(x, weights, "last_norm", _EPSILON), weights, "out")


def _members(tensors: Mapping[str, Array], config: HeadConfig) -> list[dict[str, Array]]:
    """The tensors of each member by their names within it."""
    if config.members == 1:
        return [dict(tensors)]
    starts = [f"members.{number}." for number in range(config.members)]
    return [
        {name.removeprefix(start): tensor for name, tensor in tensors.items() if name.startswith(start)}
        for start in starts
    ]


def _columns(group: str) -> range:
    part = GROUPS[group]
    return range(part.start, part.stop)


def _padded(values: Array, more: int) -> Array:
    """With a document axis before, and so many empty sentences after."""
    return np.pad(values, [(0, more), *[(0, 0)] * (values.ndim - 1)])[None]
