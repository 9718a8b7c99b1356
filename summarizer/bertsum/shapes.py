"""The tensors of a head by its declaration, so that a file can be held against it before it is read."""

from summarizer.bertsum.config import COUNT, HeadConfig
from summarizer.types import SectionKind


def head_shapes(hidden: int, config: HeadConfig) -> dict[str, tuple[int, ...]]:
    """Name and shape of each tensor of a head, as its file holds them."""
    if config.kind == "linear":
        one = _linear("classifier", hidden, 1)
    else:
        width = config.width
        one = _norm("norm", hidden) | _linear("vector", hidden, width) | _linear("feature", COUNT, width)
        one |= {"kind.weight": (len(SectionKind) + 1, width)}
        for number in range(config.layers):
            layer = f"layers.{number}."
            one |= _norm(f"{layer}attention_norm", width) | _linear(f"{layer}qkv", width, 3 * width)
            one |= _linear(f"{layer}attention_out", width, width) | _norm(f"{layer}inner_norm", width)
            one |= _linear(f"{layer}inner", width, config.inner)
            one |= _linear(f"{layer}inner_out", config.inner, width)
        one |= _norm("last_norm", width) | _linear("out", width, 1)
    if config.members == 1:
        return one
    return {
        f"members.{number}.{name}": shape for number in range(config.members) for name, shape in one.items()
    }


def _linear(name: str, inputs: int, outputs: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def _norm(name: str, width: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}
