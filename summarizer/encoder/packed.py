"""A BERT over sequences laid end to end: no padding, no mask, products in the precision that is asked for.

The arithmetic is that of `transformers.BertModel` (Devlin et al. 2019). With bf16 the factors of every
product are rounded to it, while the residual stream and its normalisation stay in fp32 (mixed precision,
Micikevicius et al. 2018); weights are rounded once, when the model is loaded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor, nn

from summarizer.encoder.attention import attention_of
from summarizer.encoder.transfer import Transfer


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
    """For inference; keeps weights of its own, on the device of the model.

    Args:
        model: a `transformers.BertModel`; see `fits`.
        dtype: of the factors of products.
        transfer: to and from that device.
        step: see `summarizer.encoder.attention.attention_of`.
    """

    def __init__(self, model: Any, dtype: torch.dtype, transfer: Transfer, step: int = 1) -> None:
        self._embeddings = model.embeddings
        self._heads = int(model.config.num_attention_heads)
        self._dtype, self._transfer, self._step = dtype, transfer, step
        self._layers = [_layer(layer, dtype) for layer in model.encoder.layer]

    @staticmethod
    def fits(config: Any) -> bool:
        """Whether a model of this configuration is a plain BERT."""
        absolute = getattr(config, "position_embedding_type", "absolute") in (None, "absolute")
        return bool(config.model_type == "bert" and config.hidden_act == "gelu" and absolute)

    @torch.inference_mode()
    def __call__(self, sequences: Sequences, depth: int = 0) -> Tensor:
        """The hidden states after so many layers; the last ones if 0. A GPU is not waited for.

        Returns:
            Shape (tokens of all sequences, hidden), fp32.
        """
        x = self._embedded(sequences)
        attend = attention_of(sequences.lengths, self._transfer, self._dtype, self._step)
        for layer in self._layers[: depth or None]:
            qkv = layer.qkv(x.to(self._dtype)).view(len(x), 3, self._heads, -1)
            x = layer.norm(layer.out(attend(qkv).flatten(1)).float() + x)
            inner = F.gelu(layer.up(x.to(self._dtype)))
            x = layer.last_norm(layer.down(inner).float() + x)
        return x

    def _embedded(self, sequences: Sequences) -> Tensor:
        parts = self._embeddings
        positions = np.concatenate([np.arange(length) for length in sequences.lengths])
        ids, segments, places = self._transfer.send(
            np.stack([np.array(sequences.ids), np.array(sequences.segments), positions])
        )
        summed = (
            parts.word_embeddings(ids)
            + parts.token_type_embeddings(segments)
            + parts.position_embeddings(places)
        )
        embedded: Tensor = parts.LayerNorm(summed)
        return embedded


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
