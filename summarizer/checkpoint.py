"""The bare `.pt` of the first BERTSum experiments, both ways.

Such a file is a state dict and nothing else: no configuration, no tokenizer.

| name | tensor |
|---|---|
| `bert.*` | the encoder, named as in `transformers.BertModel` (`bert.encoder.layer.0.…`) |
| `classifier.weight`, `classifier.bias` | the linear head: (1, hidden) and (1,) |
| `head.*` | instead of the classifier, the tensors of `summarizer.bertsum.heads.TransformerHead` |
| `head.heads` | with these, a single whole number: their attention heads |
| `head.pooling` | another: the place of what they read in `summarizer.bertsum.config.POOLINGS`; 0 if absent |
| `head.depth` | another: after how many layers of the encoder they read; all if absent |
| `head.members.0.*` and so on | instead of `head.*`, those of several heads, whose mean scores |

That is what a module with `self.bert = AutoModel…` and `self.classifier = nn.Linear(hidden, 1)` saves.
Reading also takes `encoder.` for `bert.`, a `module.` before every name (from data parallel training), and a
state dict under `state_dict`, `model_state_dict` or `model`; `bert.pooler.*` and `position_ids` have no part
in it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from summarizer.bertsum.config import POOLINGS, BertSumConfig, HeadConfig
from summarizer.bertsum.export import write_model_folder
from summarizer.bertsum.folder import read_bertsum, read_encoder
from summarizer.bertsum.model import BertSum
from summarizer.encoder.adapter import adapted
from summarizer.encoder.encoder import Encoder
from summarizer.encoder.files import find_model
from summarizer.encoder.weights import check_numbers
from summarizer.engines.bertsum import BertSumEngine
from summarizer.errors import UnsupportedModelError
from summarizer.files import placed

_WRAPPERS = ("state_dict", "model_state_dict", "model")
_UNUSED = ("pooler.", "embeddings.position_ids")
_HEADS = "head.heads"
_POOLING = "head.pooling"
_DEPTH = "head.depth"
_MEMBERS = "members."
_NO_STATE_DICT = "is no bare state dict of tensors; save it with torch.save(model.state_dict(), path)."


def load_checkpoint(
    path: str | Path, encoder: str | Path | None, device: str = "auto", precision: str = "auto"
) -> BertSumEngine:
    """An engine from a bare `.pt`; its `model` names the file and the SHA-256 of its bytes.

    Args:
        path: the file.
        encoder: a model folder or hub name whose configuration and tokenizer the weights belong to; None for
            the encoder that ships.
        device: as for `Encoder`.
        precision: as for `Encoder`.

    Raises:
        UnsupportedModelError: the file is no such state dict, or does not fit the encoder.
        ModelError: the encoder cannot be used.
    """
    path = Path(path)
    skeleton, model = _read(path, encoder, device, precision)
    with path.open("rb") as file:
        skeleton.name, skeleton.sha256 = path.stem, hashlib.file_digest(file, "sha256").hexdigest()
    return BertSumEngine.of_module(skeleton, model)


def import_checkpoint(path: Path, encoder: str | Path | None, out: Path, *, half: bool = False) -> None:
    """Writes a model folder from a bare `.pt`; errors as for `load_checkpoint`."""
    _, model = _read(path, encoder, "cpu", "fp32")
    write_model_folder(model, find_model(encoder), out, half=half)


def export_checkpoint(model: str | Path, out: Path) -> None:
    """Writes the bare `.pt` of a model folder, in single precision.

    The calibration goes into the last layer, so that the logits are those of calibrated probabilities.

    Raises:
        ModelError: it is no model of BERTSum, or its calibration weighs features, which has no place.
        OSError: the file cannot be written.
    """
    _, bertsum = read_bertsum(model, "cpu", "fp32")
    if bertsum.config.features:
        raise UnsupportedModelError("The calibration of this model weighs features, which a .pt cannot hold.")
    head = {name: tensor.clone() for name, tensor in bertsum.head.state_dict().items()}
    last = "classifier" if bertsum.config.head.kind == "linear" else "out"
    for name, tensor in head.items():
        if name.split(".")[-2] == last:  # of each member
            tensor *= bertsum.config.scale
            if name.endswith("bias"):
                tensor += bertsum.config.shift
    encoder = bertsum.encoder.state_dict()
    if bertsum.adapter is not None:  # a .pt has one encoder, that which its head reads
        encoder = adapted(encoder, bertsum.adapter.state_dict())
    tensors = {f"bert.{name}": tensor for name, tensor in encoder.items()}
    if bertsum.config.head.kind == "linear":
        tensors |= head
    else:
        tensors |= {f"head.{name}": tensor for name, tensor in head.items()}
        tensors[_HEADS] = torch.tensor(bertsum.config.head.heads)
        if bertsum.config.head.pooling != POOLINGS[0]:
            tensors[_POOLING] = torch.tensor(POOLINGS.index(bertsum.config.head.pooling))
        if bertsum.config.head.depth:
            tensors[_DEPTH] = torch.tensor(bertsum.config.head.depth)
    with placed(Path(out)) as beside:
        torch.save({name: tensor.contiguous() for name, tensor in tensors.items()}, beside)


def _read(path: Path, encoder: str | Path | None, device: str, precision: str) -> tuple[Encoder, BertSum]:
    encoder_part, head_part = _parts(_state_dict(path), path.name)
    skeleton = read_encoder(find_model(encoder), device, precision, "torch")
    model = BertSum(skeleton.module, BertSumConfig(head=_head_config(head_part, path.name)))
    model.head.to(skeleton.device)
    _fill(skeleton.module, encoder_part, "bert.", path.name, skeleton.name)
    prefix = "" if model.config.head.kind == "linear" else "head."
    _fill(model.head, head_part, prefix, path.name, skeleton.name)
    return skeleton, model


def _state_dict(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise UnsupportedModelError(f"There is no file {str(path)!r}.")
    try:
        found: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # a damaged one may end anywhere in pickle, ZIP and torch
        raise UnsupportedModelError(f"{path.name} {_NO_STATE_DICT}") from None
    for name in _WRAPPERS:
        if isinstance(found, Mapping) and isinstance(found.get(name), Mapping):
            found = found[name]
    if not isinstance(found, Mapping) or not all(isinstance(tensor, Tensor) for tensor in found.values()):
        raise UnsupportedModelError(f"{path.name} {_NO_STATE_DICT}")
    tensors = {str(name): tensor for name, tensor in found.items()}
    for name, tensor in tensors.items():
        if tensor.layout != torch.strided or tensor.is_meta:
            raise UnsupportedModelError(f"{path.name} {_NO_STATE_DICT}")
        counts = name.endswith((_HEADS, _POOLING, _DEPTH, "position_ids"))
        if not (counts or tensor.is_floating_point()):
            raise UnsupportedModelError(
                f"{path.name} holds {tensor.dtype} where weights are floating point numbers."
            )
    check_numbers(tensors, path.name, path.name)
    return tensors


def _parts(tensors: Mapping[str, Tensor], file: str) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Encoder without its prefix, and head with `head.` taken off (but for the number of heads)."""
    encoder: dict[str, Tensor] = {}
    head: dict[str, Tensor] = {}
    unknown: list[str] = []
    for full, tensor in tensors.items():
        name = full.removeprefix("module.")
        start, _, rest = name.partition(".")
        if start in ("bert", "encoder") and rest:
            if not rest.startswith(_UNUSED):
                encoder[rest] = tensor
        elif start == "classifier" or name in (_HEADS, _POOLING, _DEPTH):
            head[name] = tensor
        elif start == "head":
            head[rest] = tensor
        else:
            unknown.append(name)
    if unknown:
        raise UnsupportedModelError(f"{file} has tensors that BERTSum has not: {_some(unknown)}.")
    return encoder, head


def _head_config(head: dict[str, Tensor], file: str) -> HeadConfig:
    """The shape of the head by its tensors; takes the number of attention heads out of them."""
    heads, pooling, depth = (head.pop(name, None) for name in (_HEADS, _POOLING, _DEPTH))
    members = {name.split(".")[1] for name in head if name.startswith(_MEMBERS)}
    head = {name.removeprefix(f"{_MEMBERS}0."): tensor for name, tensor in head.items()}
    if "classifier.weight" in head:
        return HeadConfig("linear")
    if not {"vector.weight", "layers.0.inner.weight"} <= head.keys():
        raise UnsupportedModelError(f"{file} has no head: neither classifier.weight nor head.vector.weight.")
    try:
        layers = 1 + max(int(name.split(".")[1]) for name in head if name.startswith("layers."))
        return HeadConfig(
            "transformer",
            width=head["vector.weight"].shape[0],
            layers=layers,
            heads=HeadConfig().heads if heads is None else int(heads),
            inner=head["layers.0.inner.weight"].shape[0],
            pooling=POOLINGS[0 if pooling is None else int(pooling)],
            depth=0 if depth is None else int(depth),
            members=max(1, len(members)),
        )
    except (ValueError, RuntimeError, IndexError):
        raise UnsupportedModelError(f"{file} has a head of an impossible shape.") from None


def _fill(
    module: torch.nn.Module, tensors: Mapping[str, Tensor], prefix: str, file: str, encoder: str
) -> None:
    """Loads tensors into a module, or says which are missing, foreign or of another shape."""
    wanted = module.state_dict()
    problems = []
    if missing := sorted(wanted.keys() - tensors.keys()):
        problems.append(f"it lacks {_some([prefix + name for name in missing])}")
    if foreign := sorted(tensors.keys() - wanted.keys()):
        problems.append(f"it also has {_some([prefix + name for name in foreign])}")
    for name in sorted(wanted.keys() & tensors.keys()):
        if wanted[name].shape != tensors[name].shape:
            has, needs = tuple(tensors[name].shape), tuple(wanted[name].shape)
            problems.append(f"{prefix}{name} has the shape {has} and not {needs}")
            break
    if problems:
        raise UnsupportedModelError(f"{file} does not fit the encoder {encoder!r}: {'; '.join(problems)}.")
    module.load_state_dict(dict(tensors))


def _some(names: Sequence[str], most: int = 3) -> str:
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
