"""A plain BERT by its folder: what its `config.json` asks for, and its weights as arrays, without torch."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from summarizer.encoder.files import ModelFiles
from summarizer.encoder.tokenizer import serves
from summarizer.encoder.weights import arrays, kinds
from summarizer.errors import UnsupportedModelError

if TYPE_CHECKING:
    import numpy.typing as npt

_PREFIX = "bert."  # before every name where the model was saved with a head on it
_OLD = (".gamma", ".beta")  # of norms in files of 2018
_NUMPY = frozenset(("F64", "F32", "F16"))


@dataclass(frozen=True, slots=True)
class BertShape:
    """The numbers of a `config.json`, with what transformers takes where one is not stated."""

    vocab_size: int = 30522
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    layer_norm_eps: float = 1e-12

    @classmethod
    def of(cls, files: ModelFiles) -> "BertShape":
        """Reads it.

        Raises:
            UnsupportedModelError: a number is none, or they do not go together.
        """
        stated = {name: files.config[name] for name in cls.__slots__ if name in files.config}
        for name, value in stated.items():
            right = float if name == "layer_norm_eps" else int
            if isinstance(value, bool) or not isinstance(value, right) or not 0 < value < 1e9:
                raise UnsupportedModelError(f"The config.json of {files.name!r} states no usable {name}.")
        shape = cls(**stated)
        if shape.hidden_size % shape.num_attention_heads:
            raise UnsupportedModelError(
                f"The config.json of {files.name!r} has a hidden_size that its attention heads do not divide."
            )
        return shape

    def tensors(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of every tensor that is needed."""
        hidden, inner = self.hidden_size, self.intermediate_size
        found: dict[str, tuple[int, ...]] = {
            "embeddings.word_embeddings.weight": (self.vocab_size, hidden),
            "embeddings.position_embeddings.weight": (self.max_position_embeddings, hidden),
            "embeddings.token_type_embeddings.weight": (self.type_vocab_size, hidden),
        }
        norms = ["embeddings.LayerNorm"]
        for number in range(self.num_hidden_layers):
            layer = f"encoder.layer.{number}."
            parts = {f"attention.self.{part}": (hidden, hidden) for part in ("query", "key", "value")}
            parts |= {"attention.output.dense": (hidden, hidden)}
            parts |= {"intermediate.dense": (inner, hidden), "output.dense": (hidden, inner)}
            for name, shape in parts.items():
                found |= {f"{layer}{name}.weight": shape, f"{layer}{name}.bias": shape[:1]}
            norms += [f"{layer}attention.output.LayerNorm", f"{layer}output.LayerNorm"]
        for norm in norms:
            found |= {f"{norm}.weight": (hidden,), f"{norm}.bias": (hidden,)}
        return found


def unlike_bert(files: ModelFiles) -> str:
    """Why a folder is not a plain BERT with a `tokenizer.json` and safetensors; "" where it is one.

    What is wrong with the numbers of one is found when it is loaded, not here.
    """
    config = files.config
    if config.get("model_type") != "bert":
        return "no BERT"
    if config.get("hidden_act", "gelu") != "gelu":
        return "with another activation than gelu"
    if config.get("position_embedding_type", "absolute") not in (None, "absolute"):
        return "with relative positions"
    if files.weights[0].suffix != ".safetensors":
        return "with weights in a format of torch"
    if not serves(files):
        return f"without a {'tokenizer.json'} that says all"
    held = kinds(files)
    if not set(held.values()) <= _NUMPY or any(name.endswith(_OLD) for name in held):
        return "with weights that torch alone reads"
    return ""


def read_weights(
    files: ModelFiles, shape: BertShape, depth: int, tables: bool = True
) -> "dict[str, npt.NDArray[Any]]":
    """The tensors of the embeddings and of so many layers as they are stored; those of heads are left.

    Args:
        files: of the model.
        shape: of the whole.
        depth: number of layers.
        tables: with the embeddings of words, positions and segments.

    Raises:
        UnsupportedModelError: some are missing, damaged or of another shape.
    """
    needed = replace(shape, num_hidden_layers=depth).tensors()
    wanted = {name: size for name, size in needed.items() if tables or "_embeddings." not in name}
    found: dict[str, npt.NDArray[Any]] = {}
    for path in files.weights:
        found |= {
            name.removeprefix(_PREFIX): tensor
            for name, tensor in arrays(path, files.name, lambda n: n.removeprefix(_PREFIX) in wanted).items()
        }
    absent = [name for name, size in wanted.items() if name not in found or found[name].shape != size]
    if absent:
        raise UnsupportedModelError(
            f"The weights of {files.name!r} lack {len(absent)} of the tensors that its config.json asks for."
        )
    return found
