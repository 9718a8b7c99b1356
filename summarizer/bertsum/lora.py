"""An adapter of torch for the layers below the head for notes: what is trained of it, saved and loaded."""

import copy
import math
from collections.abc import Mapping
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from summarizer.encoder.adapter import DOWN, Adapter, adapted, adapter_shapes
from summarizer.encoder.bert import BertShape


class Lora(nn.Module):
    """The tensors of an adapter, which change nothing to begin with (`summarizer.encoder.adapter`)."""

    def __init__(self, config: Any, depth: int, rank: int) -> None:
        """Makes them.

        Args:
            config: of the encoder, a plain BERT of transformers.
            depth: of how many layers.
            rank: of the change of a matrix.
        """
        super().__init__()
        self.depth = depth
        shape = BertShape(**{name: getattr(config, name) for name in BertShape.__slots__})
        for name, size in adapter_shapes(shape, depth, rank).items():
            values = torch.zeros(size)
            if name.endswith(DOWN):
                nn.init.kaiming_uniform_(values, a=math.sqrt(5))
            _place(self, name, nn.Parameter(values))

    def values(self) -> Adapter:
        """As an encoder reads it."""
        found = {name: part.detach().float().cpu().numpy() for name, part in self.tensors().items()}
        return Adapter(self.depth, found)

    def tensors(self) -> dict[str, Tensor]:
        """By name, with gradients where they are trained."""
        return dict(self.named_parameters())


class Lowest:
    """The lowest layers of an encoder, which reads the weights of that and holds none of its own."""

    def __init__(self, encoder: Any, depth: int) -> None:
        shared = {id(part): part for part in chain(encoder.parameters(), encoder.buffers())}
        self._encoder: Any = copy.deepcopy(encoder, shared)
        self._encoder.encoder.layer = self._encoder.encoder.layer[:depth]

    def __call__(self, tensors: Mapping[str, Tensor], training: bool, **inputs: Tensor) -> Tensor:
        """Hidden states after the last of them, changed by an adapter: shape (rows, width, hidden).

        Args:
            tensors: of the adapter.
            training: with dropout in the layers; the embeddings, which are not trained, and the weights of
                attention have none, for these would otherwise be made one by one and not by a fused kernel.
            inputs: `input_ids`, `attention_mask`, `token_type_ids`.
        """
        self._encoder.train(training)
        self._encoder.embeddings.eval()
        for layer in self._encoder.encoder.layer:
            layer.attention.self.eval()
        changed = adapted(dict(self._encoder.named_parameters()), tensors)
        found: Tensor = functional_call(self._encoder, changed, kwargs=inputs).last_hidden_state
        return found


def _place(root: nn.Module, name: str, parameter: nn.Parameter) -> None:
    """Under a name with dots, for which torch wants modules inside modules."""
    *path, last = name.split(".")
    for part in path:
        if part not in dict(root.named_children()):
            root.add_module(part, nn.Module())
        root = root.get_submodule(part)
    root.register_parameter(last, parameter)
