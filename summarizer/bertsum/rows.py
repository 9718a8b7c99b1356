"""Weights of heads in bytes: each row of a matrix as whole numbers from -127 to 127 and one scale."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor, nn

SCALE = ".scale"
_MOST = 127


def in_bytes(tensors: "Mapping[str, Tensor]") -> "dict[str, Tensor]":
    """Matrices as int8 with their rows' scales beside them, named `NAME.scale`; the rest as it is."""
    found: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if tensor.ndim == 2 and tensor.is_floating_point():
            found[name], found[name + SCALE] = _packed(tensor)
        else:
            found[name] = tensor
    return found


def from_bytes(tensors: Mapping[str, Any]) -> dict[str, Any]:
    """What `in_bytes` was given, rounded; tensors without a scale are as they were. Of torch or of numpy."""
    return {
        name: _single(tensor) * tensors[name + SCALE] if name + SCALE in tensors else tensor
        for name, tensor in tensors.items()
        if not name.endswith(SCALE)
    }


def unpacked_shapes(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """Shapes of what `from_bytes` gives; a scale that does not belong to the rows of a matrix stays."""

    def belongs(name: str, shape: tuple[int, ...]) -> bool:
        matrix = shapes.get(name.removesuffix(SCALE), ())
        return name.endswith(SCALE) and len(matrix) == 2 and shape == (matrix[0], 1)

    return {name: shape for name, shape in shapes.items() if not belongs(name, shape)}


def round_to_bytes(module: "nn.Module") -> None:
    """Gives every matrix the values that it will have when it is read back."""
    import torch

    with torch.no_grad():
        for name, tensor in from_bytes(in_bytes(module.state_dict())).items():
            module.state_dict()[name].copy_(tensor)


def _single(tensor: Any) -> Any:
    return tensor.astype(np.float32) if isinstance(tensor, np.ndarray) else tensor.float()


def _packed(matrix: "Tensor") -> "tuple[Tensor, Tensor]":
    import torch

    scale = matrix.float().abs().amax(dim=1, keepdim=True) / _MOST
    whole = (matrix.float() / scale.clamp_min(torch.finfo(torch.float32).tiny)).round()
    return whole.clamp(-_MOST, _MOST).to(torch.int8), scale
