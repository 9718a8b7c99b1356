"""Tiny models with random weights, made in the layout of transformers, for a quick suite without network."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from transformers import AutoModel

from summarizer.encoder.encoder import Encoder
from tests.unit.summarizer.tiny_models import CONFIGS, HIDDEN, write_tokenizer


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
    return Encoder.from_pretrained(tiny_model, device="cpu", runtime="torch")
