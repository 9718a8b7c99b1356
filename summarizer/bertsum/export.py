"""Writes the model folder that `BertSumEngine.from_pretrained` reads."""

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from summarizer.bertsum.folder import ARTICLES, HEAD, LORA
from summarizer.bertsum.model import BertSum
from summarizer.bertsum.rows import in_bytes
from summarizer.encoder.files import DECLARATION, ModelFiles
from summarizer.files import filled

WEIGHTS = "model.safetensors"
TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
)


def round_to_half(model: torch.nn.Module) -> None:
    """Gives every weight the value it will have when it is read back from a folder in half precision."""
    with torch.no_grad():
        for tensor in model.state_dict().values():
            if tensor.is_floating_point():
                tensor.copy_(tensor.half())


def write_model_folder(
    model: BertSum, source: ModelFiles, out: Path, *, half: bool = True, compact: bool = False
) -> None:
    """Writes weights, configuration, tokenizer and declaration, all or none; what else is there stays.

    Args:
        model: encoder (of transformers), heads and adapter, with its `config`.
        source: the folder that the encoder came from: its tokenizer files are copied.
        out: made if it is not there.
        half: weights in half precision; else in single.
        compact: matrices of the heads and of the adapter in bytes, half as much again.

    Raises:
        OSError: the folder cannot be written.
    """
    dtype = torch.float16 if half else torch.float32
    config: Any = copy.deepcopy(model.encoder.config)
    config.dtype, config.architectures = dtype, [type(model.encoder).__name__]
    with filled(out) as beside:
        config.save_pretrained(beside)
        save_file(_tensors(model.encoder, dtype), beside / WEIGHTS, {"format": "pt"})
        for head, name in ((model.head, HEAD), (model.articles, ARTICLES), (model.adapter, LORA)):
            if head is not None:
                tensors = _tensors(head, dtype)
                save_file(in_bytes(tensors) if compact else tensors, beside / name, {"format": "pt"})
        declared = json.dumps(model.config.to_json(), indent=2) + "\n"
        (beside / DECLARATION).write_text(declared, encoding="utf-8")
        for name in TOKENIZER_FILES:
            if (there := source.folder / name).is_file():
                shutil.copyfile(there, beside / name)


def _tensors(module: torch.nn.Module, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """What is saved of a module; whole numbers stay as they are."""
    return {
        name: tensor.detach().to("cpu", dtype if tensor.is_floating_point() else tensor.dtype).contiguous()
        for name, tensor in module.state_dict().items()
    }
