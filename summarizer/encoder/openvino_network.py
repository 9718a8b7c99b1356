"""A plain BERT in OpenVINO: only as many layers as are asked for, and embeddings straight from the file.

Sequences are padded to a few widths and go in groups of a few sizes, so that the processor's code for a shape
is made once and used again. Which these are follows from the sequences of one document alone.
"""

from collections.abc import Iterator, Sequence
from copy import copy
from itertools import groupby, product
from typing import Self

import numpy as np
from openvino import Model
from openvino import opset13 as op

from summarizer.centrality import Vectors
from summarizer.encoder import graph
from summarizer.encoder.adapter import Adapter, adapted
from summarizer.encoder.bert import BertShape, read_weights
from summarizer.encoder.compiled import Compiled, Run
from summarizer.encoder.files import ModelFiles
from summarizer.encoder.network import TokenSequence, ahead
from summarizer.limits import check_time

_STEP = 32  # of the widths that sequences are padded to; half of it up to twice as much
_TOGETHER = 1024  # padded tokens of one run, unless one sequence has more
_EMBEDDINGS = ("word", "token_type", "position")
_AHEAD = 4  # runs of one document under way


class OpenVinoNetwork:
    """See `summarizer.encoder.network.Network`.

    Raises:
        UnsupportedModelError: weights that do not fit the configuration.
    """

    runtime = "openvino"
    device = "cpu"
    together = 0

    def __init__(self, files: ModelFiles, precision: str) -> None:
        self._shape, self._files = BertShape.of(files), files
        weights = read_weights(files, self._shape, self._shape.num_hidden_layers)
        self._embeddings = {name: weights[f"embeddings.{name}_embeddings.weight"] for name in _EMBEDDINGS}
        # Whole rows of these two are added for every token; the large table stays as it is stored.
        for name in ("token_type", "position"):
            self._embeddings[name] = self._embeddings[name].astype(np.float32)
        self.precision = precision
        self.hidden = self._shape.hidden_size
        self.segments = self._shape.type_vocab_size
        self.limit = self._shape.max_position_embeddings
        self._compiled: dict[int, Compiled] = {}
        self._made: dict[int, graph.Weights] = {}  # of so many layers, for graphs of every precision
        self._adapter: Adapter | None = None

    def in_precision(self, precision: str) -> Self:
        """See `summarizer.encoder.network.Network`."""
        other = copy(self)
        other.precision, other._compiled = precision, {}
        return other

    def adapted(self, adapter: Adapter) -> Self:
        """See `summarizer.encoder.network.Network`; the embeddings are shared."""
        other = copy(self)
        other._adapter, other._compiled, other._made = adapter, {}, {}
        return other

    def read(self, rows: Sequence[TokenSequence], depth: int) -> Iterator[tuple[int, Vectors]]:
        """See `summarizer.encoder.network.Network`; the first runs begin at the call."""
        compiled = self._layers(depth)

        def begin(group: list[int], width: int) -> tuple[list[int], Run]:
            check_time()
            return group, compiled.start(self._inputs([rows[i] for i in group], width))

        begun = ahead((begin(*group) for group in groups([len(row.ids) for row in rows])), _AHEAD)

        def taken() -> Iterator[tuple[int, Vectors]]:
            for group, run in begun:
                values = compiled.output(run)  # (rows, width, hidden)
                for place, index in enumerate(group):
                    yield index, values[place, : len(rows[index].ids)]

        return taken()

    def _layers(self, depth: int) -> Compiled:
        last = self._adapter.depth if self._adapter else self._shape.num_hidden_layers
        depth = min(depth or last, last)
        if depth not in self._compiled:
            if depth not in self._made:
                # Read anew: kept as they are stored and as they are computed with, they would be there twice.
                stored = read_weights(self._files, self._shape, depth, tables=False)
                self._made[depth] = together(stored, depth, self._adapter)
            self._compiled[depth] = Compiled(
                bert_graph(self._made[depth], self._shape, depth), self.precision
            )
        return self._compiled[depth]

    def _inputs(self, rows: Sequence[TokenSequence], width: int) -> tuple[Vectors, Vectors]:
        """Summed embeddings, (rows, width, hidden), and the mask, (rows, 1, 1, width)."""
        words, segments, positions = (self._embeddings[name] for name in _EMBEDDINGS)
        summed = np.zeros((len(rows), width, self.hidden), np.float32)
        mask = np.full((len(rows), 1, 1, width), graph.HIDDEN_KEY, np.float32)
        for place, row in enumerate(rows):
            length = len(row.ids)
            summed[place, :length] = words[list(row.ids)]
            summed[place, :length] += segments[list(row.segments)] if row.segments else segments[0]
            summed[place, :length] += positions[:length]
            mask[place, ..., :length] = 0
        return summed, mask


def together(stored: graph.Weights, depth: int, adapter: Adapter | None = None) -> graph.Weights:
    """Layers in single precision, with queries, keys and values as one product, `self.qkv`."""
    found = {name: array.astype(np.float32) for name, array in stored.items()}
    if adapter:
        found = adapted(found, adapter.tensors)
    for own, end in product((f"encoder.layer.{i}.attention.self." for i in range(depth)), ("weight", "bias")):
        parts = [found.pop(f"{own}{part}.{end}") for part in ("query", "key", "value")]
        found[f"{own}qkv.{end}"] = np.concatenate(parts)
    return found


def bert_graph(weights: graph.Weights, shape: BertShape, depth: int) -> Model:
    """So many layers of `transformers.BertModel`, from summed embeddings on (Devlin et al. 2019).

    Args:
        weights: as `together` gives them.
        shape: of the whole model.
        depth: number of layers.
    """
    width, epsilon = shape.hidden_size // shape.num_attention_heads, shape.layer_norm_eps
    summed = graph.single_input("embeddings", -1, -1, shape.hidden_size)
    mask = graph.single_input("mask", -1, 1, 1, -1)
    x = graph.norm(summed, weights, "embeddings.LayerNorm", epsilon)
    for number in range(depth):
        layer = f"encoder.layer.{number}."
        own = f"{layer}attention."
        qkv = graph.linear(x, weights, f"{own}self.qkv")
        mixed = graph.attention(qkv, shape.num_attention_heads, width, mask)
        x = graph.norm(
            op.add(graph.linear(mixed, weights, f"{own}output.dense"), x),
            weights,
            f"{own}output.LayerNorm",
            epsilon,
        )
        inner = graph.gelu(graph.linear(x, weights, f"{layer}intermediate.dense"))
        x = graph.norm(
            op.add(graph.linear(inner, weights, f"{layer}output.dense"), x),
            weights,
            f"{layer}output.LayerNorm",
            epsilon,
        )
    return graph.model([x], [summed, mask])


def padded_width(length: int) -> int:
    """The width that a sequence is padded to."""
    step = _STEP if length > 2 * _STEP else _STEP // 2
    return -(-length // step) * step


def groups(lengths: Sequence[int]) -> Iterator[tuple[list[int], int]]:
    """Indices of sequences that go together, and the width that they are padded to.

    Groups hold 1, 2, 4, … sequences of one width, at most `_TOGETHER` tokens unless one alone has more: few
    shapes in all, whatever the document.
    """
    order = sorted(range(len(lengths)), key=lambda i: (padded_width(lengths[i]), i))
    for width, same in groupby(order, key=lambda i: padded_width(lengths[i])):
        left = list(same)
        while left:
            size = 1
            while 2 * size <= len(left) and 2 * size * width <= _TOGETHER:
                size *= 2
            yield left[:size], width
            left = left[size:]
