"""Tiny models with random weights, made in the layout of transformers, for a quick suite without network."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from transformers import (
    AutoModel,
    BertConfig,
    BertTokenizerFast,
    DistilBertConfig,
    ElectraConfig,
    RobertaConfig,
)

from summarizer.encoder.encoder import Encoder

WORDS = [
    "fever",
    "cough",
    "pain",
    "chest",
    "patient",
    "denies",
    "no",
    "stable",
    "mild",
    "left",
    "lung",
    "clear",
]
WORDS += ["heart", "today"]
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", ",", "[", "]", "se", "##p", *WORDS]
HIDDEN = 32
POSITIONS = 64

_SIZES = {"vocab_size": len(VOCABULARY), "hidden_size": HIDDEN, "intermediate_size": 48}
_LAYERS = {"num_hidden_layers": 2, "num_attention_heads": 2}
CONFIGS = {
    "bert": BertConfig(**_SIZES, **_LAYERS, max_position_embeddings=POSITIONS),
    "electra": ElectraConfig(**_SIZES, **_LAYERS, embedding_size=16, max_position_embeddings=POSITIONS),
    "distilbert": DistilBertConfig(
        vocab_size=len(VOCABULARY), dim=HIDDEN, hidden_dim=48, n_layers=2, n_heads=2,
        max_position_embeddings=POSITIONS,
    ),
    # Its positions begin after the padding id, so it can take one less than it has.
    "roberta": RobertaConfig(
        **_SIZES, **_LAYERS, max_position_embeddings=POSITIONS + 1, type_vocab_size=1, pad_token_id=0
    ),
}  # fmt: skip


def write_tokenizer(folder: Path) -> None:
    vocabulary = folder / "vocab.txt"
    vocabulary.parent.mkdir(parents=True, exist_ok=True)
    vocabulary.write_text("\n".join(VOCABULARY) + "\n", encoding="utf-8")
    BertTokenizerFast(vocab={word: i for i, word in enumerate(VOCABULARY)}).save_pretrained(folder)


@pytest.fixture(scope="session")
def make_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes a model folder of a kind of `CONFIGS`, the same weights for the same seed."""

    def make(kind: str = "bert", seed: int = 0) -> Path:
        folder = tmp_path_factory.mktemp("models") / f"tiny-{kind}"
        write_tokenizer(folder)
        torch.manual_seed(seed)
        AutoModel.from_config(CONFIGS[kind]).save_pretrained(folder)
        return folder

    return make


@pytest.fixture(scope="session")
def make_bertsum(make_model: Callable[..., Path]) -> Callable[..., Path]:
    """Makes a BERTSum folder with a head of random weights."""

    def make(
        kind: str = "bert",
        declaration: str = '{"version": 2, "head": {"kind": "linear"}, "context": 16}',
        **head: Any,
    ) -> Path:
        folder = make_model(kind)
        random = np.random.default_rng(0)
        tensors = {"weight": random.normal(size=(1, HIDDEN)), "bias": random.normal(size=1)} | head
        save_file(
            {f"classifier.{k}": v.astype(np.float32) for k, v in tensors.items()}, folder / "head.safetensors"
        )
        (folder / "bertsum.json").write_text(declaration, encoding="utf-8")
        return folder

    return make


@pytest.fixture(scope="session")
def tiny_model(make_model: Callable[..., Path]) -> Path:
    return make_model()


@pytest.fixture(scope="session")
def encoder(tiny_model: Path) -> Encoder:
    return Encoder.from_pretrained(tiny_model, device="cpu")
