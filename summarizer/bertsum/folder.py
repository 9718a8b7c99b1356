"""The folder that a BERTSum model is kept in.

It is one of transformers (encoder and tokenizer) with two files more: `bertsum.json`, by which it declares
itself, and `head.safetensors` with the head's tensors; `articles.safetensors` where there is a second head
for articles, and `lora.safetensors` where the head for notes reads layers of its own. Matrices of these may
be stored in bytes (`summarizer.bertsum.rows`). The declaration is read without torch.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from summarizer.bertsum.config import BertSumConfig, HeadConfig
from summarizer.bertsum.shapes import head_shapes
from summarizer.encoder.adapter import Adapter, adapter_shapes
from summarizer.encoder.bert import BertShape
from summarizer.encoder.files import DECLARATION, ModelFiles, find_model
from summarizer.encoder.weights import arrays, shapes
from summarizer.errors import UnsupportedModelError

if TYPE_CHECKING:
    import torch

    from summarizer.bertsum.model import BertSum
    from summarizer.bertsum.scoring import Head
    from summarizer.encoder.encoder import Encoder
    from summarizer.encoder.runtime import Runtime

HEAD = "head.safetensors"
ARTICLES = "articles.safetensors"
LORA = "lora.safetensors"


def read_bertsum(
    model: str | Path | None, device: str = "auto", precision: str = "auto"
) -> "tuple[Encoder, BertSum]":
    """The model of a folder in torch, and its encoder as a service; both hold the same network.

    Raises:
        ModelError: there is no such model, or it is not one of BERTSum.
        EngineError: torch is not installed, or the device is not there.
    """
    files = find_model(model)
    config = read_config(files)
    encoder = read_encoder(files, device, precision, "torch")
    from summarizer.bertsum.model import BertSum

    bertsum = BertSum(encoder.module, config)
    bertsum.head = _module(files, HEAD, encoder.hidden, config.head).to(encoder.device)
    if bertsum.adapter is not None:
        import torch

        found = _adapter_tensors(files, config)
        bertsum.adapter.load_state_dict({name: torch.from_numpy(part) for name, part in found.items()})
        bertsum.adapter.to(encoder.device)
    if config.articles:
        second = _module(files, ARTICLES, encoder.hidden, config.articles.head)
        bertsum.articles = second.to(encoder.device)
    return encoder, bertsum


def read_encoder(
    files: ModelFiles, device: str, precision: str, runtime: "Runtime | None" = None
) -> "Encoder":
    """The encoder of a folder of BERTSum; errors as for `Encoder.of_files`."""
    from summarizer.encoder.encoder import Encoder

    encoder = Encoder.of_files(files, device, precision, runtime)
    if encoder.segments < 2:
        raise UnsupportedModelError(
            f"The encoder of {files.name!r} has no two segment ids, which BERTSum needs; use a BERT."
        )
    return encoder


def read_heads(files: ModelFiles, encoder: "Encoder", config: BertSumConfig) -> "tuple[Head, Head | None]":
    """The head for notes and, where there is one, that for articles, in the runtime of the encoder.

    Raises:
        UnsupportedModelError: a file is missing, damaged, or does not fit the declaration.
    """

    def read(name: str, head: HeadConfig) -> "Head":
        if encoder.runtime == "torch":
            from summarizer.bertsum.scoring import ModuleHead

            return ModuleHead(_module(files, name, encoder.hidden, head), encoder.device)
        from summarizer.bertsum.head_graph import GraphHead

        return GraphHead(_tensors(files, name, encoder.hidden, head), encoder.hidden, head)

    articles = read(ARTICLES, config.articles.head) if config.articles else None
    return read(HEAD, config.head), articles


def read_adapter(files: ModelFiles, config: BertSumConfig) -> Adapter | None:
    """What changes the layers below the head for notes; None where nothing does.

    Raises:
        UnsupportedModelError: a file is missing, damaged, or does not fit the declaration.
    """
    if not config.adapter:
        return None
    return Adapter(_depth(BertShape.of(files), config), _adapter_tensors(files, config))


def read_config(files: ModelFiles) -> BertSumConfig:
    """The `bertsum.json` of a model folder.

    Raises:
        UnsupportedModelError: there is none, or not one that this version reads.
    """
    try:
        if not (files.folder / DECLARATION).is_file():
            raise FileNotFoundError
        values = json.loads((files.folder / DECLARATION).read_text(encoding="utf-8"))
        config = BertSumConfig.from_json(values)
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            how = f"is not a BERTSum model: its folder has no {DECLARATION}"
        else:
            how = f"has a {DECLARATION} that cannot be read"
        raise UnsupportedModelError(f"The model {files.name!r} {how}.") from None
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        raise UnsupportedModelError(
            f"The {DECLARATION} of {files.name!r} is not one that this version reads."
        ) from None
    if config.adapter and files.config.get("model_type") != "bert":
        raise UnsupportedModelError(
            f"The {DECLARATION} of {files.name!r} has an adapter, which is for the layers of a BERT alone."
        )
    return config


def _tensors(files: ModelFiles, name: str, hidden: int, config: HeadConfig) -> dict[str, Any]:
    """The arrays of a head's file, held against its declaration before anything is read."""
    return _checked(files, name, head_shapes(hidden, config), f"an encoder of hidden size {hidden}")


def _adapter_tensors(files: ModelFiles, config: BertSumConfig) -> dict[str, Any]:
    """Likewise those of the adapter, in single precision."""
    shape = BertShape.of(files)
    if config.head.depth > shape.num_hidden_layers:
        raise UnsupportedModelError(
            f"The {DECLARATION} of {files.name!r} reads deeper than its encoder has layers."
        )
    wanted = adapter_shapes(shape, _depth(shape, config), config.adapter)
    found = _checked(files, LORA, wanted, f"an encoder of hidden size {shape.hidden_size}")
    return {name: array.astype("float32") for name, array in found.items()}


def _depth(shape: BertShape, config: BertSumConfig) -> int:
    return config.head.depth or shape.num_hidden_layers


def _checked(files: ModelFiles, name: str, wanted: dict[str, tuple[int, ...]], other: str) -> dict[str, Any]:
    from summarizer.bertsum.rows import from_bytes, unpacked_shapes

    held = unpacked_shapes(shapes(files.folder / name, files.name, packed=True))
    if held != wanted:
        raise UnsupportedModelError(
            f"The {name} of {files.name!r} does not fit its {DECLARATION} and {other}."
        )
    return from_bytes(arrays(files.folder / name, files.name))


def _module(files: ModelFiles, name: str, hidden: int, config: HeadConfig) -> "torch.nn.Module":
    import torch

    from summarizer.bertsum.heads import make_head

    tensors = _tensors(files, name, hidden, config)
    head = make_head(hidden, config)
    head.load_state_dict({name: torch.from_numpy(tensor) for name, tensor in tensors.items()})
    return head
