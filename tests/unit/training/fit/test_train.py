"""Runs of training on tiny encoders: what they leave, and that a stopped run goes on exactly."""

import itertools
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import multiprocessing
from transformers import AutoModel

from summarizer.bertsum.config import COUNT, HeadConfig
from summarizer.bertsum.document import prepare
from summarizer.bertsum.folder import read_bertsum
from summarizer.bertsum.heads import members_of
from summarizer.checkpoint import export_checkpoint, import_checkpoint, load_checkpoint
from summarizer.engines.base import Salience
from summarizer.engines.bertsum import BertSumEngine
from summarizer.errors import UnsupportedModelError
from summarizer.selection.select import select
from summarizer.types import SplitDocument, round_scores
from tests.unit.summarizer.tiny_models import WORDS
from tests.unit.training.fit.conftest import WEIGHTS, quiet
from training.errors import RunError
from training.fit.calibration import calibrate, sigmoid
from training.fit.length import find_threshold
from training.fit.run import TrainJob, train
from training.fit.run_folder import read_log
from training.fit.settings import NOTHING, TrainSettings
from training.fit.validation import Reference


@pytest.mark.parametrize(
    ("head", "freeze"), [("linear", "encoder"), ("transformer", 1), ("transformer", NOTHING)]
)
def test_a_run_leaves_a_model_a_log_and_a_card(
    make_job: Callable[..., TrainJob], head: str, freeze: int | str
) -> None:
    job = make_job(head=head, freeze=freeze, accumulate=2)
    result = train(job, quiet)

    log = read_log(job.out / "training.jsonl")
    kinds = [line["event"] for line in log]
    assert kinds[0] == "begin"
    assert kinds.count("step") == result.steps > 2
    assert kinds.count("validation") == 2
    assert kinds[-1] == "end"
    assert log[-1]["sha256"] == result.sha256
    assert log[0]["training"][0]["sha256"] in (job.out / "README.md").read_text("utf-8")
    assert (job.out / "training.svg").read_text("utf-8").startswith("<?xml")
    engine = BertSumEngine.from_pretrained(job.out, device="cpu")
    assert engine.model.sha256 == result.sha256
    [salience] = engine.score([SplitDocument(("fever today", "lung clear", "no pain"))], [1])
    assert all(0 <= score <= 1 for score in salience.scores)


@pytest.mark.parametrize("depth", [0, 1])
def test_the_folder_scores_as_the_model_did(make_job: Callable[..., TrainJob], depth: int) -> None:
    """The whole batch, with windows grouped by width, gives what the model's own forward gives."""
    from training.fit.learner import Learner
    from training.fit.vectors import Reading, build_store
    from training.labels.label_file import read_labels

    job = make_job(head="transformer", freeze=NOTHING, epochs=1, depth=depth)
    train(job, quiet)
    encoder, model = read_bertsum(job.out, "cpu", "fp32")
    learner = Learner(model, job.settings, encoder.limit, encoder.pad_id, "cpu")
    labels = next((job.out / "run" / "labels").glob("training-0*"))
    store = build_store(labels, Reading("tokens", str(job.out), "", context=8), job.out / "other")
    documents = [store[i] for i in range(len(store))]
    together = learner.logits(documents)

    for labelled, logits in zip(read_labels(labels), together, strict=True):
        found = prepare(encoder, SplitDocument(labelled.article.sentences), 8)
        found = replace(found, features=found.features.astype(np.float16).astype(np.float32))
        with torch.inference_mode():
            np.testing.assert_allclose(logits, model(found).numpy(), atol=1e-4)


@pytest.mark.parametrize(("patience", "kept"), [(5, 1), (0, 3)])
def test_without_patience_the_last_epoch_is_kept(
    make_job: Callable[..., TrainJob], patience: int, kept: int
) -> None:
    job = make_job(epochs=3, lr=1e-12, patience=patience)  # no epoch is better than the first
    assert train(job, quiet).best_epoch == kept
    card = (job.out / "README.md").read_text("utf-8")
    assert ("after the last epoch (3)" in card, "the best epoch" in card) == (not patience, bool(patience))


class StopError(Exception):
    """Stands for whatever ends a process."""


@pytest.mark.parametrize("freeze", ["encoder", 1])
@pytest.mark.parametrize("lines", [1, 2])
def test_a_stopped_run_goes_on_exactly(
    make_job: Callable[..., TrainJob], monkeypatch: pytest.MonkeyPatch, freeze: str | int, lines: int
) -> None:
    from training.fit.fitting import Trainer

    how: dict[str, Any] = {"head": "transformer", "freeze": freeze, "job": {"checkpoint_steps": 2}}
    train(make_job("whole", **how), quiet)
    step = Trainer._step
    calls = itertools.count(1)

    def stopping(self: Trainer, batches: Any) -> float:
        if next(calls) > 2 * lines + 1:
            raise StopError
        return step(self, batches)

    monkeypatch.setattr(Trainer, "_step", stopping)
    with pytest.raises(StopError):
        train(make_job("cut", **how), quiet)
    monkeypatch.undo()
    assert not (make_job("cut").out / "model.safetensors").exists()
    how["job"] = how["job"] | {"resume": True}
    train(make_job("cut", **how), quiet)

    for name in WEIGHTS:
        whole, cut = (make_job(out).out / name for out in ("whole", "cut"))
        assert whole.read_bytes() == cut.read_bytes(), name


def test_a_folder_that_holds_another_run_is_left_alone(make_job: Callable[..., TrainJob]) -> None:
    train(make_job(epochs=1), quiet)
    with pytest.raises(RunError, match="holds a run"):
        train(make_job(epochs=1), quiet)
    with pytest.raises(RunError, match="was begun with another seed"):
        train(make_job(epochs=1, seed=1, job={"resume": True}), quiet)


def _process(rank: int, job: TrainJob, port: int) -> None:
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_RANK": str(rank)}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    torch.set_num_threads(1)
    train(job, quiet)


def test_two_processes_are_one_that_accumulates(make_job: Callable[..., TrainJob]) -> None:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    one, two = make_job("one", accumulate=2, freeze=NOTHING), make_job("two", freeze=NOTHING)
    train(one, quiet)
    multiprocessing.spawn(_process, (two, port), nprocs=2)

    losses = [
        [
            line["loss"]
            for line in read_log(job.out / "training.jsonl")
            if line["event"] in ("step", "validation")
        ]
        for job in (one, two)
    ]
    assert len(losses[0]) > 4
    np.testing.assert_allclose(losses[0], losses[1], atol=1e-4)


def test_bare_checkpoints_go_both_ways(
    make_job: Callable[..., TrainJob], encoder: Path, tmp_path: Path
) -> None:
    document = SplitDocument(("fever today", "lung clear", "no pain"))
    for head in ("linear", "transformer"):
        job = make_job(head, head=head, epochs=1, freeze="encoder")
        train(job, quiet)
        file = tmp_path / f"{head}.pt"
        export_checkpoint(job.out, file)
        import_checkpoint(file, str(encoder), tmp_path / f"{head}-again")
        wanted = BertSumEngine.from_pretrained(job.out, "cpu").score([document], [1])[0].scores
        again = BertSumEngine.from_pretrained(tmp_path / f"{head}-again", "cpu").score([document], [1])
        direct = load_checkpoint(file, str(encoder), "cpu")
        # The transformer's context is not in the file; with three sentences it plays no part.
        np.testing.assert_allclose(again[0].scores, wanted, atol=1e-4)
        assert direct.score([document], [1]) == again
        assert direct.model.name == head
    tensors = torch.load(tmp_path / "linear.pt", weights_only=True)
    assert tensors["classifier.weight"].shape == (1, 32)
    assert "bert.embeddings.word_embeddings.weight" in tensors


def test_a_checkpoint_that_does_not_fit_is_refused(encoder: Path, tmp_path: Path) -> None:
    good = {
        f"bert.{name}": tensor for name, tensor in AutoModel.from_pretrained(encoder).state_dict().items()
    }
    good |= {"classifier.weight": torch.zeros(1, 32), "classifier.bias": torch.zeros(1)}
    layer = "bert.encoder.layer.1.output.dense.bias"
    damaged = {
        "no head": {name: tensor for name, tensor in good.items() if not name.startswith("classifier")},
        f"lacks {layer}": {name: tensor for name, tensor in good.items() if name != layer},
        f"{layer} has the shape .7,. and not .32,.": good | {layer: torch.zeros(7)},
        "tensors that BERTSum has not: decoder.weight": good | {"decoder.weight": torch.zeros(1)},
        "no bare state dict": {"state": "words"},
    }
    torch.save({f"module.{name}": tensor for name, tensor in good.items()}, tmp_path / "good.pt")
    assert load_checkpoint(tmp_path / "good.pt", str(encoder), "cpu").model.name == "good"
    for words, tensors in damaged.items():
        torch.save(tensors, tmp_path / "bad.pt")
        with pytest.raises(UnsupportedModelError, match=words):
            load_checkpoint(tmp_path / "bad.pt", str(encoder), "cpu")
    (tmp_path / "bad.pt").write_bytes(b"PK not a checkpoint")
    with pytest.raises(UnsupportedModelError, match="no bare state dict"):
        load_checkpoint(tmp_path / "bad.pt", str(encoder), "cpu")


def test_calibration_finds_the_scale_that_was_taken_away() -> None:
    draw = np.random.default_rng(0)
    true = [draw.normal(-1, 2, 400) for _ in range(20)]
    labels = [(draw.random(400) < sigmoid(x)).astype(np.int8) for x in true]
    found = calibrate([4 * x + 2 for x in true], labels)
    assert found
    np.testing.assert_allclose((found.scale, found.shift), (0.25, -0.5), atol=0.12)
    assert found.error < 0.03 < found.raw_error
    assert sum(part.count for part in found.bins) == 8000
    assert calibrate([-x for x in true], labels) is None
    assert calibrate(true[:1], labels[:1]) is None


def test_features_that_the_logit_misses_have_their_weight_in_the_calibration() -> None:
    draw = np.random.default_rng(0)
    logits = [draw.normal(-1, 2, 400) for _ in range(20)]
    features = [draw.normal(0, 1, (400, 2)) for _ in logits]
    labels = [(draw.random(400) < sigmoid(x + 1.5 * f[:, 1])) for x, f in zip(logits, features, strict=True)]
    found, held = calibrate(logits, labels, features, 1.0), calibrate(logits, labels, features, 1e9)
    assert found
    assert held
    np.testing.assert_allclose((found.scale, found.shift, *found.features), (1, 0, 0, 1.5), atol=0.12)
    assert found.error < 0.03
    np.testing.assert_allclose(held.features, 0, atol=1e-3)
    without = calibrate(logits, labels, features)
    assert without
    assert (without.features, without.scale) == ((), pytest.approx(held.scale, abs=1e-3))


def test_a_model_keeps_the_weights_of_features_and_a_bare_file_cannot(
    make_job: Callable[..., TrainJob], tmp_path: Path
) -> None:
    job = make_job(head="transformer", calibrate_features=1.0, own_words=10)
    train(job, quiet)
    _, model = read_bertsum(job.out, "cpu", "fp32")
    assert len(model.config.features) == COUNT
    assert any(model.config.features)
    assert model.config.threshold is not None
    with pytest.raises(UnsupportedModelError, match="weighs features"):
        export_checkpoint(job.out, tmp_path / "model.pt")


def test_the_command_says_what_came_of_it(
    corpus: Path, encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from jobs.cli import run

    out = tmp_path / "model"
    arguments = ["--data", str(corpus), "--encoder", str(encoder), "--head", "linear", "--out", str(out)]
    arguments += ["--freeze", "encoder", "--epochs", "1", "--records", "12", "--workers", "1", "--json"]
    assert run(["train", *arguments]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["documents"], said["validation_documents"]) == (11, 1)
    assert said["out"] == str(out)
    assert run(["export", str(out), str(tmp_path / "m.pt")]) == 0
    assert run(["import", str(tmp_path / "m.pt"), str(tmp_path / "back"), "--encoder", str(encoder)]) == 0
    assert run(["train", "--head", "linear"]) == 2
    assert run(["train", *arguments, "--freeze", "some"]) == 2


def test_settings_that_make_no_sense_are_refused() -> None:
    shallow = HeadConfig("transformer", depth=1)
    with pytest.raises(ValueError, match="freeze"):
        replace(TrainSettings(), head=shallow, freeze=2)
    for wrong in ({"epochs": 0}, {"lr": 0.0}, {"warmup": 2.0}, {"freeze": -2}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            replace(TrainSettings(), **wrong)


def test_a_model_takes_the_head_for_articles_along_and_has_a_length_of_its_own(
    make_job: Callable[..., TrainJob], encoder: Path
) -> None:
    first = make_job("first", head="transformer")
    train(first, quiet)
    second = make_job("second", own_words=6, job={"articles": str(first.out)})
    train(second, quiet)

    _, articles = read_bertsum(first.out, "cpu", "fp32")
    _, both = read_bertsum(second.out, "cpu", "fp32")
    assert both.config.threshold is not None
    assert both.config.articles == articles.config
    assert both.articles is not None
    theirs = articles.head.state_dict()
    assert all(torch.equal(own, theirs[name]) for name, own in both.articles.state_dict().items())


def test_several_heads_learn_side_by_side_and_are_kept_in_bytes(
    make_job: Callable[..., TrainJob], tmp_path: Path
) -> None:
    job = make_job(head="transformer", members=3, depth=1, job={"compact": True})
    result = train(job, quiet)

    stored = load_file(job.out / "head.safetensors")
    assert stored["members.2.vector.weight"].dtype == torch.int8
    _, model = read_bertsum(job.out, "cpu", "fp32")
    weights = [head.state_dict()["vector.weight"] for head in members_of(model.head)]
    assert len(weights) == 3
    assert not any(torch.equal(weights[0], other) for other in weights[1:])
    log = read_log(job.out / "training.jsonl")
    assert log[-1]["sha256"] == result.sha256 == BertSumEngine.from_pretrained(job.out).model.sha256

    export_checkpoint(job.out, tmp_path / "model.pt")
    document = SplitDocument(("fever today", "lung clear", "no pain"))
    [kept] = BertSumEngine.from_pretrained(job.out).score([document], [1])
    [bare] = load_checkpoint(tmp_path / "model.pt", job.out).score([document], [1])
    assert bare.scores == pytest.approx(kept.scores, abs=1e-3)


def test_a_head_reads_no_deeper_than_there_are_layers(make_job: Callable[..., TrainJob]) -> None:
    with pytest.raises(RunError, match="cannot read deeper"):
        train(make_job(head="transformer", depth=3), quiet)


def test_a_head_for_articles_on_another_encoder_is_refused(make_job: Callable[..., TrainJob]) -> None:
    first = make_job("first", head="transformer", freeze=1, encoder_lr=0.1)
    train(first, quiet)
    with pytest.raises(RunError, match="another encoder"):
        train(make_job("second", job={"articles": str(first.out)}), quiet)


def test_a_threshold_gives_the_length_asked_for_on_average() -> None:
    draw = np.random.default_rng(0)
    documents = [tuple(f"{draw.choice(WORDS)} number {i} of {k}." for i in range(20)) for k in range(30)]
    logits = [draw.normal(size=20).astype(np.float32) for _ in documents]
    references = [Reference(sentences, sentences[:1]) for sentences in documents]

    threshold = find_threshold(references, logits, 1.0, 0.0, 25)

    used = [
        len(select(sentences, Salience(round_scores(sigmoid(x).tolist()), threshold=threshold)))
        for sentences, x in zip(documents, logits, strict=True)
    ]
    assert 22 < 5 * sum(used) / len(used) <= 25
    assert len(set(used)) > 1
