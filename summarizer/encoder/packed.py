"""A BERT over sequences laid end to end: no padding, no mask, products in the precision that is asked for.

The arithmetic is that of `transformers.BertModel` (Devlin et al. 2019). With bf16 the factors of every
product are rounded to it, while the residual stream and its normalisation stay in fp32 (mixed precision,
Micikevicius et al. 2018); weights are rounded once, when the model is loaded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Sequences:
    """Token ids and segment ids, one after the other, and the length of each sequence."""

    ids: tuple[int, ...]
    segments: tuple[int, ...]
    lengths: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Linear:
    weight: Tensor
    bias: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight, self.bias)


@dataclass(frozen=True, slots=True)
class _Layer:
    """One layer of the encoder: `qkv` is query, key and value in one product."""

    qkv: _Linear
    out: _Linear
    norm: nn.LayerNorm
    up: _Linear
    down: _Linear
    last_norm: nn.LayerNorm


class PackedBert:
    """For inference; keeps weights of its own.

    Args:
        model: a `transformers.BertModel`; see `fits`.
        dtype: of the factors of products.
    """

    def __init__(self, model: Any, dtype: torch.dtype) -> None:
        self._embeddings = model.embeddings
        self._heads = int(model.config.num_attention_heads)
        self._dtype = dtype
        self._layers = [_layer(layer, dtype) for layer in model.encoder.layer]

    @staticmethod
    def fits(config: Any) -> bool:
        """Whether a model of this configuration is a plain BERT."""
        absolute = getattr(config, "position_embedding_type", "absolute") in (None, "absolute")
        return bool(config.model_type == "bert" and config.hidden_act == "gelu" and absolute)

    @torch.inference_mode()
    def __call__(self, sequences: Sequences, depth: int = 0) -> Tensor:
        """The hidden states after so many layers; the last ones if 0.

        Returns:
            Shape (tokens of all sequences, hidden), fp32.
        """
        x = self._embedded(sequences)
        runs = [(n, len(list(equal))) for n, equal in groupby(sequences.lengths)]
        for layer in self._layers[: depth or None]:
            attended = self._attention(layer.qkv(x.to(self._dtype)), runs)
            x = layer.norm(layer.out(attended).float() + x)
            inner = F.gelu(layer.up(x.to(self._dtype)))
            x = layer.last_norm(layer.down(inner).float() + x)
        return x

    def _embedded(self, sequences: Sequences) -> Tensor:
        parts = self._embeddings
        positions = torch.cat([torch.arange(length) for length in sequences.lengths])
        summed = (
            parts.word_embeddings(torch.tensor(sequences.ids))
            + parts.token_type_embeddings(torch.tensor(sequences.segments))
            + parts.position_embeddings(positions)
        )
        embedded: Tensor = parts.LayerNorm(summed)
        return embedded

    def _attention(self, qkv: Tensor, runs: Sequence[tuple[int, int]]) -> Tensor:
        """Attention within each sequence; neighbours of one length go together.

        Args:
            qkv: shape (tokens, 3 * hidden).
            runs: length, and how many sequences of it follow one another.

        Returns:
            Shape (tokens, hidden).
        """
        hidden = qkv.shape[1] // 3
        attended = qkv.new_empty(qkv.shape[0], hidden)
        start = 0
        for length, count in runs:
            end = start + length * count
            q, k, v = qkv[start:end].view(count, length, 3, self._heads, -1).permute(2, 0, 3, 1, 4)
            values = F.scaled_dot_product_attention(q, k, v)  # (count, heads, length, width of a head)
            attended[start:end] = values.transpose(1, 2).reshape(-1, hidden)
            start = end
        return attended


def _layer(layer: Any, dtype: torch.dtype) -> _Layer:
    attention = layer.attention
    qkv = (attention.self.query, attention.self.key, attention.self.value)
    return _Layer(
        qkv=_linear(qkv, dtype),
        out=_linear((attention.output.dense,), dtype),
        norm=attention.output.LayerNorm,
        up=_linear((layer.intermediate.dense,), dtype),
        down=_linear((layer.output.dense,), dtype),
        last_norm=layer.output.LayerNorm,
    )


def _linear(parts: Sequence[nn.Linear], dtype: torch.dtype) -> _Linear:
    with torch.no_grad():
        weight = torch.cat([part.weight for part in parts]).to(dtype)
        bias = torch.cat([part.bias for part in parts]).to(dtype)
    return _Linear(weight, bias)
