"""Writes the model folder that `BertSumEngine.from_pretrained` reads."""

import copy
import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file

from summarizer.bertsum import BertSum
from summarizer.bertsum_engine import DECLARATION, HEAD
from summarizer.model_files import ModelFiles

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


def write_model_folder(model: BertSum, source: ModelFiles, out: Path, *, half: bool = True) -> None:
    """Writes weights, configuration, tokenizer and declaration; what else is in the folder stays.

    Args:
        model: encoder (of transformers) and head, with its `config`.
        source: the folder that the encoder came from: its tokenizer files are copied.
        out: made if it is not there.
        half: weights in half precision; else in single.

    Raises:
        OSError: the folder cannot be written.
    """
    dtype = torch.float16 if half else torch.float32
    out.mkdir(parents=True, exist_ok=True)
    encoder = copy.deepcopy(model.encoder).to("cpu", dtype)
    encoder.save_pretrained(out)  # type: ignore[operator]
    head = {name: tensor.to("cpu", dtype).contiguous() for name, tensor in model.head.state_dict().items()}
    save_file(head, out / HEAD)
    (out / DECLARATION).write_text(json.dumps(model.config.to_json(), indent=2) + "\n", encoding="utf-8")
    for name in TOKENIZER_FILES:
        there = source.folder / name
        if there.is_file() and there.resolve() != (out / name).resolve():
            shutil.copyfile(there, out / name)
