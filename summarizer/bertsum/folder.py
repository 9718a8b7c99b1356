"""The folder that a BERTSum model is kept in.

It is one of transformers (encoder and tokenizer) with two files more: `bertsum.json`, by which it declares
itself, and `head.safetensors` with the head's tensors; `articles.safetensors` where there is a second head
for articles. Matrices of heads may be stored in bytes (`summarizer.bertsum.rows`). The declaration is read
without torch.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from summarizer.bertsum.config import BertSumConfig, HeadConfig
from summarizer.encoder.files import ModelFiles, find_model
from summarizer.encoder.weights import check_numbers, shapes
from summarizer.errors import UnsupportedModelError

if TYPE_CHECKING:
    import torch

    from summarizer.bertsum.model import BertSum
    from summarizer.encoder.encoder import Encoder

DECLARATION = "bertsum.json"
HEAD = "head.safetensors"
ARTICLES = "articles.safetensors"


def read_bertsum(
    model: str | Path | None, device: str = "auto", precision: str = "auto"
) -> "tuple[Encoder, BertSum]":
    """The model of a folder, and its encoder as a service; both hold the same network.

    Raises:
        ModelError: there is no such model, or it is not one of BERTSum.
    """
    from summarizer.bertsum.model import BertSum
    from summarizer.encoder.encoder import Encoder

    files = find_model(model)
    config = read_config(files)
    encoder = Encoder(files, device, precision)
    if encoder.segments < 2:
        raise UnsupportedModelError(
            f"The encoder of {files.name!r} has no two segment ids, which BERTSum needs; use a BERT."
        )
    bertsum = BertSum(encoder.module, config)
    bertsum.head = _read_head(files, HEAD, encoder.hidden, config.head).to(encoder.device)
    if config.articles:
        second = _read_head(files, ARTICLES, encoder.hidden, config.articles.head)
        bertsum.articles = second.to(encoder.device)
    return encoder, bertsum


def read_config(files: ModelFiles) -> BertSumConfig:
    """The `bertsum.json` of a model folder.

    Raises:
        UnsupportedModelError: there is none, or not one that this version reads.
    """
    try:
        if not (files.folder / DECLARATION).is_file():
            raise FileNotFoundError
        values = json.loads((files.folder / DECLARATION).read_text(encoding="utf-8"))
        return BertSumConfig.from_json(values)
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


def _read_head(files: ModelFiles, name: str, hidden: int, config: HeadConfig) -> "torch.nn.Module":
    import torch
    from safetensors.torch import load_file

    from summarizer.bertsum.heads import make_head
    from summarizer.bertsum.rows import from_bytes, unpacked_shapes

    held = unpacked_shapes(shapes(files.folder / name, files.name, packed=True))
    with torch.device("meta"):  # shapes alone: what is declared may be more than fits into memory
        asked = {key: tuple(tensor.shape) for key, tensor in make_head(hidden, config).state_dict().items()}
    if held != asked:
        raise UnsupportedModelError(
            f"The {name} of {files.name!r} does not fit its {DECLARATION} and an encoder of hidden size "
            f"{hidden}."
        )
    tensors = from_bytes(load_file(files.folder / name))
    check_numbers(tensors, name, files.name)
    head = make_head(hidden, config)
    head.load_state_dict(tensors)
    return head
