"""Marked notes as the training reads them: what a sentence is worth, and the kinds of its sections."""

from pathlib import Path

import torch
from transformers import AutoModel

from summarizer.bertsum.config import Pooling
from summarizer.bertsum.features import KINDS
from summarizer.types import SectionKind
from tests.unit.summarizer.tiny_models import CONFIGS, write_tokenizer
from tests.unit.training.marked import write_marked
from training.corpora.mustknow import Part
from training.corpora.records import Corpus
from training.fit.store import Store
from training.fit.vectors import Reading, build_store
from training.labels.label_file import read_labels
from training.labels.mustknow import MarkedJob, label_marked


def test_targets_of_marked_notes_are_graded_and_know_their_sections(tmp_path: Path) -> None:
    marks, notes = write_marked(tmp_path)
    job = MarkedJob(Corpus(str(marks)), Corpus(str(notes)), tuple(Part), framed=0)
    label_marked(job, tmp_path / "l.jsonl")
    write_tokenizer(tmp_path / "tiny")
    torch.manual_seed(0)
    AutoModel.from_config(CONFIGS["bert"]).save_pretrained(tmp_path / "tiny")

    def read(pooling: Pooling) -> Store:
        reading = Reading("vectors", str(tmp_path / "tiny"), "", context=8, pooling=pooling)
        return build_store(tmp_path / "l.jsonl", reading, tmp_path / "cache")

    store, other = read("mean"), read("cls")

    [first, second] = read_labels(tmp_path / "l.jsonl")
    worth = dict(zip(first.article.sentences, store[0].labels.tolist(), strict=True))
    assert worth["Cough for two days."] == 0
    assert worth["He smokes."] == 0.5
    assert worth["Return to clinic in two weeks."] == 1
    known = [KINDS[kind - 1] for kind in store[1].kinds.tolist()]
    assert known == [SectionKind.FINDINGS, SectionKind.IMPRESSION]
    assert store[1].labels.tolist() == [0, 1]
    assert len(second.article.sentences) == 2
    assert (store[0].values != other[0].values).any()
