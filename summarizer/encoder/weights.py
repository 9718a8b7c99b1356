"""What weight files hold, looked at before anything is made of them: names, kinds and shapes of tensors.

A file of safetensors begins with a list of its tensors, so this takes milliseconds whatever its size. What a
configuration asks for is compared with it first: a damaged one may ask for more than a machine has.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from summarizer.encoder.files import ModelFiles
from summarizer.errors import UnsupportedModelError

if TYPE_CHECKING:
    import numpy.typing as npt
    import torch

_FLOATS = frozenset(("F64", "F32", "F16", "BF16"))
_COUNTERS = "position_ids"  # whole numbers that older files of BERT hold beside the weights
# Of BERTSum beside the encoder; their matrices may be bytes with scales.
_BESIDE = ("head.safetensors", "articles.safetensors", "lora.safetensors")
_LIST = 100_000_000  # bytes of a list of tensors, the most that the format allows
_LAYER = re.compile(r"\blayer\.(\d+)\.")
# Of the embeddings, what numbers of a configuration their shapes are: rows, and what follows.
_ROWS = {
    "word_embeddings.weight": ("vocab_size",),
    "position_embeddings.weight": ("max_position_embeddings",),
    "token_type_embeddings.weight": ("type_vocab_size",),
    "intermediate.dense.weight": ("intermediate_size",),
}
_WIDTH = ("embedding_size", "hidden_size", "dim")
_LAYERS = ("num_hidden_layers", "n_layers")


def shapes(path: Path, model: str, *, packed: bool = False) -> dict[str, tuple[int, ...]]:
    """Name and shape of each tensor of a safetensors file; `packed`: bytes with a scale may be among them.

    Raises:
        UnsupportedModelError: it cannot be read, is damaged, or holds something else than weights.
    """
    from safetensors import SafetensorError, safe_open

    found = {}
    try:
        if not path.is_file():
            raise FileNotFoundError
        with safe_open(path, framework="numpy") as file:
            names = set(file.keys())
            for name in names:
                tensor = file.get_slice(name)
                kind = str(tensor.get_dtype())
                scaled = packed and kind == "I8" and f"{name}.scale" in names
                if kind not in _FLOATS and not scaled and not name.endswith(_COUNTERS):
                    raise UnsupportedModelError(
                        f"The {path.name} of {model!r} holds {kind} where weights are floating point numbers."
                    )
                found[name] = tuple(tensor.get_shape())
    except (OSError, SafetensorError, ValueError, OverflowError) as error:
        how = "missing" if isinstance(error, FileNotFoundError) else "damaged or cannot be read"
        raise UnsupportedModelError(f"The {path.name} of {model!r} is {how}.") from None
    return found


def kinds(files: ModelFiles) -> dict[str, str]:
    """Name and kind (`F32` and so on) of each tensor of the encoder's safetensors; {} where they are damaged.

    What is wrong with them is said by `shapes`.
    """
    found: dict[str, str] = {}
    try:
        for path in files.weights:
            if path.name not in _BESIDE:
                found |= {name: str(tensor["dtype"]) for name, tensor in _listed(path).items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
    return {name: kind for name, kind in found.items() if not name.endswith(_COUNTERS)}


def _listed(path: Path) -> dict[str, Any]:
    """The list of tensors that a safetensors file begins with: its length in 8 bytes, then JSON.

    Read here, since the library for it loads numpy, a tenth of the time to a pass's first request.
    """
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        if size > _LIST:
            raise ValueError("no list of tensors")
        listed: dict[str, Any] = json.loads(file.read(size))
    listed.pop("__metadata__", None)
    return listed


def arrays(
    path: Path, model: str, wanted: Callable[[str], bool] = lambda _: True
) -> "dict[str, npt.NDArray[Any]]":
    """The tensors of a safetensors file whose names are wanted, as they are stored.

    Raises:
        UnsupportedModelError: it cannot be read, is damaged, or some are no numbers.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            found = {name: file.get_tensor(name) for name in file.keys() if wanted(name)}  # noqa: SIM118
    except (OSError, SafetensorError, ValueError, OverflowError, TypeError):
        raise UnsupportedModelError(f"The {path.name} of {model!r} is damaged or cannot be read.") from None
    check_numbers(found, path.name, model)
    return found


def check_asked(files: ModelFiles) -> None:
    """Compares what `config.json` asks for with what the weight files hold, where they are safetensors.

    Raises:
        UnsupportedModelError: it asks for something else; the message names the first difference.
    """
    if files.weights[0].suffix != ".safetensors":
        return
    held: dict[str, tuple[int, ...]] = {}
    for path in files.weights:
        held |= shapes(path, files.name, packed=path.name in _BESIDE)
    for name, shape in held.items():
        for end, numbers in _ROWS.items():
            if name.endswith(end) and len(shape) == 2:
                _compare(files, name, shape[0], numbers)
        if name.endswith("word_embeddings.weight") and len(shape) == 2:
            _compare(files, name, shape[1], _WIDTH)
    layers = 1 + max((int(number) for name in held for number in _LAYER.findall(name)), default=-1)
    _compare(files, "the encoder's layers", layers, _LAYERS)


def _compare(files: ModelFiles, what: str, held: int, numbers: Iterable[str]) -> None:
    """The first of these numbers that the configuration states counts."""
    stated = next((name for name in numbers if name in files.config), None)
    if stated is None:
        return
    asked = files.config[stated]
    if isinstance(asked, bool) or asked != held:
        shown = asked if isinstance(asked, int) else type(asked).__name__
        raise UnsupportedModelError(
            f"The config.json of {files.name!r} asks for {stated} {shown}, and its weights hold {held} "
            f"({what})."
        )


def check_numbers(
    tensors: "Mapping[str, torch.Tensor] | Mapping[str, npt.NDArray[Any]]", file: str, model: str
) -> None:
    """Refuses weights of which some are no numbers, or infinite.

    Raises:
        UnsupportedModelError: with the name of the first such tensor.
    """
    import numpy as np

    for name, tensor in tensors.items():
        finite = np.isfinite(tensor) if isinstance(tensor, np.ndarray) else tensor.isfinite()
        if not bool(finite.all()):
            raise UnsupportedModelError(
                f"The {file} of {model!r} has values that are no numbers, first in {name[:80]}."
            )
