"""A model whose head for notes reads layers of its own: the encoder's, changed by an adapter."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from summarizer import UnsupportedModelError
from summarizer.bertsum.config import BertSumConfig, HeadConfig
from summarizer.bertsum.document import prepare
from summarizer.bertsum.export import write_model_folder
from summarizer.bertsum.folder import read_bertsum
from summarizer.bertsum.model import BertSum
from summarizer.encoder.encoder import Encoder
from summarizer.encoder.files import find_model
from summarizer.engines.bertsum import BertSumEngine
from summarizer.types import SplitDocument
from tests.unit.summarizer.tiny_models import HIDDEN, WORDS

SENTENCES = tuple(f"{word} {' '.join(WORDS[:place])} today." for place, word in enumerate(WORDS))
NOTE, ARTICLE = SplitDocument(SENTENCES), SplitDocument(SENTENCES, article=True)


@pytest.fixture
def make_adapted(make_model: Callable[..., Path], tmp_path: Path) -> Callable[..., Path]:
    """Makes a folder with an adapter of random numbers, and a head for articles."""

    def make(depth: int = 1, size: float = 0.3, **how: Any) -> Path:
        source = find_model(make_model())
        torch.manual_seed(1)
        head = HeadConfig("transformer", 16, 1, 2, 16, pooling="mean", depth=depth)
        articles = BertSumConfig(HeadConfig("linear"), 16)
        encoder = Encoder.from_pretrained(source.folder, "cpu", "fp32", "torch")
        model = BertSum(encoder.module, BertSumConfig(head, 16, adapter=3, articles=articles))
        assert model.adapter is not None
        with torch.no_grad():
            for parameter in model.adapter.parameters():
                parameter.copy_(torch.randn(parameter.shape) * size)
        folder = tmp_path / f"adapted-{len(list(tmp_path.iterdir()))}"
        write_model_folder(model, source, folder, half=False, **how)
        return folder

    return make


def scores(folder: Path, document: SplitDocument, **how: Any) -> tuple[float, ...]:
    return BertSumEngine.from_pretrained(folder, "cpu", **how).score([document], [1])[0].scores


@pytest.mark.parametrize("depth", [0, 1])
def test_every_runtime_reads_what_the_model_reads(make_adapted: Callable[..., Path], depth: int) -> None:
    folder = make_adapted(depth)
    encoder, model = read_bertsum(folder, "cpu", "fp32")
    with torch.inference_mode():
        wanted = torch.sigmoid(model.eval()(prepare(encoder, NOTE, 16))).numpy()

    np.testing.assert_allclose(scores(folder, NOTE), wanted, atol=2e-4)
    np.testing.assert_allclose(scores(folder, NOTE, runtime="torch"), wanted, atol=2e-4)
    np.testing.assert_allclose(scores(folder, NOTE, precision="bf16"), wanted, atol=0.05)
    packed = BertSumEngine.from_pretrained(folder, "cpu", "fp32", "torch").packed(64)
    found = packed.score([NOTE, ARTICLE, NOTE], [1] * 3)
    np.testing.assert_allclose(found[2].scores, wanted, atol=2e-4)
    np.testing.assert_allclose(found[1].scores, scores(folder, ARTICLE), atol=2e-4)


def test_articles_are_read_with_the_encoder_as_it_is(make_adapted: Callable[..., Path]) -> None:
    changed, unchanged = make_adapted(size=0.5), make_adapted(size=0.0)

    assert scores(changed, ARTICLE) == scores(unchanged, ARTICLE)
    assert max(np.abs(np.subtract(scores(changed, NOTE), scores(unchanged, NOTE)))) > 0.001


def test_an_adapter_of_zeros_changes_nothing(make_adapted: Callable[..., Path]) -> None:
    folder = make_adapted(size=0.0)
    with_it = scores(folder, NOTE)
    _, model = read_bertsum(folder, "cpu", "fp32")
    model.adapter, model.config = None, replace(model.config, adapter=0)
    write_model_folder(model, find_model(folder), folder.parent / "plain", half=False)

    assert scores(folder.parent / "plain", NOTE) == with_it
    assert "adapter" not in (folder.parent / "plain" / "bertsum.json").read_text("utf-8")


def test_its_matrices_may_be_kept_in_bytes(make_adapted: Callable[..., Path]) -> None:
    whole, small = make_adapted(), make_adapted(compact=True)

    assert load_file(small / "lora.safetensors")["encoder.layer.0.output.dense.lora_A"].dtype == torch.int8
    np.testing.assert_allclose(scores(small, NOTE), scores(whole, NOTE), atol=0.02)


def test_it_is_part_of_what_names_the_model(make_adapted: Callable[..., Path]) -> None:
    files = find_model(make_adapted())
    assert "lora.safetensors" in [path.name for path in files.hashed]


@pytest.mark.parametrize(
    "change",
    [
        lambda tensors: tensors.popitem(),
        lambda tensors: tensors.update({"encoder.layer.1.output.dense.bias_added": torch.zeros(HIDDEN)}),
        lambda tensors: tensors.update({"encoder.layer.0.output.dense.lora_A": torch.zeros(4, 48)}),
        None,
    ],
)
def test_one_that_does_not_fit_is_refused(make_adapted: Callable[..., Path], change: Any) -> None:
    folder = make_adapted()
    path = folder / "lora.safetensors"
    if change is None:
        path.unlink()
    else:
        tensors = load_file(path)
        change(tensors)
        save_file(tensors, path)

    for runtime in (None, "torch"):
        with pytest.raises(UnsupportedModelError, match=r"lora\.safetensors of 'adapted-0'"):
            BertSumEngine.from_pretrained(folder, "cpu", runtime=runtime)


def test_only_a_bert_takes_one(make_bertsum: Callable[..., Path]) -> None:
    declaration = '{"version": 2, "head": {"kind": "linear"}, "context": 16, "adapter": 2}'
    with pytest.raises(UnsupportedModelError, match="BERT alone"):
        BertSumEngine.from_pretrained(make_bertsum("electra", declaration), "cpu")


@pytest.mark.parametrize("rank", [-1, 0.5, True, 10**6])
def test_a_rank_that_is_none_is_refused(rank: Any) -> None:
    with pytest.raises(ValueError, match="adapter"):
        BertSumConfig(adapter=rank)
