"""Training a low-rank change of the layers below a head, beside an encoder that stays as it is."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from summarizer.bertsum.folder import read_bertsum
from summarizer.checkpoint import export_checkpoint, load_checkpoint
from summarizer.engines.bertsum import BertSumEngine
from summarizer.types import SplitDocument
from tests.unit.training.fit.conftest import quiet
from training.fit.learner import Learner
from training.fit.optimiser import rate_of
from training.fit.run import TrainJob, train
from training.fit.settings import NOTHING, TrainSettings
from training.fit.vectors import Reading, build_store
from training.labels.label_file import read_labels

HOW = {"head": "transformer", "depth": 1, "lora": 2, "lora_lr": 0.05, "encoder_lr": 0.01}


def test_the_encoder_stays_and_what_changes_it_lies_beside_it(
    make_job: Callable[..., TrainJob], tmp_path: Path
) -> None:
    articles = make_job("articles", head="transformer", job={"compact": True})
    train(articles, quiet)
    job = make_job("notes", **HOW, job={"articles": str(articles.out), "compact": True})
    train(job, quiet)

    before, after = (load_file(one.out / "model.safetensors") for one in (articles, job))
    assert all(torch.equal(before[name], after[name]) for name in before)
    stored = load_file(job.out / "lora.safetensors")
    assert stored["encoder.layer.0.output.dense.lora_B"].dtype == torch.int8
    assert {name.split(".")[2] for name in stored} == {"0"}  # the head reads one layer
    assert all(tensor.float().abs().max() > 0 for tensor in stored.values())
    document = SplitDocument(("fever today", "lung clear", "no pain"), article=True)
    engines = [BertSumEngine.from_pretrained(one.out, "cpu") for one in (articles, job)]
    wanted, found = (engine.score([document], [1])[0].scores for engine in engines)
    assert found == pytest.approx(wanted, abs=1e-3)  # its head was rounded to bytes twice


def test_the_folder_scores_as_the_model_did(make_job: Callable[..., TrainJob], tmp_path: Path) -> None:
    job = make_job(**HOW)
    train(job, quiet)
    encoder, model = read_bertsum(job.out, "cpu", "fp32")
    learner = Learner(model, job.settings, encoder.limit, encoder.pad_id, "cpu")
    labels = next((job.out / "run" / "labels").glob("training-0*"))
    store = build_store(labels, Reading("tokens", str(job.out), "", context=8), tmp_path / "store")
    engine = BertSumEngine.from_pretrained(job.out, "cpu", "fp32")
    config = model.config

    for place, labelled in enumerate(read_labels(labels)):
        [logits] = learner.logits([store[place]])
        wanted = torch.sigmoid(config.scale * torch.from_numpy(logits) + config.shift)
        [found] = engine.score([SplitDocument(labelled.article.sentences)], [1])
        assert found.scores == pytest.approx(wanted.tolist(), abs=2e-3)  # features are kept in half precision

    export_checkpoint(job.out, tmp_path / "model.pt")
    document = SplitDocument(("fever today", "lung clear", "no pain"))
    [bare] = load_checkpoint(tmp_path / "model.pt", job.out).score([document], [1])
    assert bare.scores == pytest.approx(engine.score([document], [1])[0].scores, abs=1e-3)


def test_a_run_goes_on_from_the_adapter_of_the_model_that_it_begins_from(
    make_job: Callable[..., TrainJob],
) -> None:
    first = make_job("first", **HOW)
    train(first, quiet)
    rates = {"lr": 1e-9, "lora_lr": 1e-9, "encoder_lr": 1e-9}
    second = replace(make_job("second", **(HOW | rates)), encoder=str(first.out))
    train(second, quiet)

    stored = [load_file(job.out / "lora.safetensors") for job in (first, second)]
    assert all(torch.allclose(stored[0][name], stored[1][name], atol=1e-3) for name in stored[0])


def test_the_change_has_rates_of_its_own() -> None:
    settings = TrainSettings(lora=4, lora_lr=0.3, encoder_lr=0.2, lr=0.1)
    names = ("head.out.weight", "adapter.encoder.layer.0.output.dense.lora_A")
    names += ("adapter.encoder.layer.0.output.dense.bias_added",)
    assert [rate_of(name, 5, settings) for name in names] == [0.1, 0.3, 0.2]


def test_it_is_refused_where_it_makes_no_sense() -> None:
    with pytest.raises(ValueError, match="lora"):
        TrainSettings(lora=4, freeze=NOTHING)
    with pytest.raises(ValueError, match="lora"):
        TrainSettings(lora=-1)
