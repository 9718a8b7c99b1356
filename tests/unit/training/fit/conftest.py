"""Runs of training on tiny encoders and invented documents."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModel

from summarizer.bertsum.config import HeadConfig
from tests.unit.summarizer.tiny_models import CONFIGS, WORDS, write_tokenizer
from tests.unit.training.invented import write_lines
from training.fit.data import Sources
from training.fit.run import TrainJob
from training.fit.settings import TrainSettings

SMALL = {"epochs": 2, "batch_sentences": 40, "batch_tokens": 300, "context": 8, "words": 12, "lr": 0.01}
WEIGHTS = ("model.safetensors", "head.safetensors", "bertsum.json", "training.jsonl")


def quiet(line: str) -> None:
    pass


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tiny"
    write_tokenizer(folder)
    torch.manual_seed(0)
    AutoModel.from_config(CONFIGS["bert"]).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Documents of 3 to 12 sentences, of which those with `fever` are the summary."""
    draw = np.random.default_rng(0)
    records = []
    for i in range(24):
        lines = [" ".join(draw.choice(WORDS[1:], 5)) for _ in range(2 + i % 10)]
        lines.insert(int(draw.integers(len(lines))), f"fever {' '.join(draw.choice(WORDS[1:], 4))}")
        records.append({"article": lines, "abstract": [line for line in lines if "fever" in line]})
    return write_lines(tmp_path_factory.mktemp("corpus") / "articles.jsonl", records)


@pytest.fixture
def make_job(corpus: Path, encoder: Path, tmp_path: Path) -> Callable[..., TrainJob]:
    def make(
        out: str = "out",
        head: str = "linear",
        job: dict[str, Any] | None = None,
        members: int = 1,
        depth: int = 0,
        **more: Any,
    ) -> TrainJob:
        config = HeadConfig(head, 16, 1, 2, 16, depth=depth, members=members)  # type: ignore[arg-type]
        settings = TrainSettings(head=config, **(SMALL | more))
        sources = Sources((str(corpus),), share=0.25)
        return TrainJob(sources, settings, tmp_path / out, str(encoder), **(job or {}))

    return make
