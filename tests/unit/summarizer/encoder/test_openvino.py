"""The runtime without torch against torch, which it must equal."""

import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from transformers import AutoTokenizer

from summarizer.encoder.encoder import Encoder
from summarizer.encoder.files import find_model
from summarizer.encoder.network import TokenSequence
from summarizer.encoder.openvino_network import groups, padded_width
from summarizer.encoder.runtime import choose
from summarizer.encoder.tokenizer import Tokenizer
from summarizer.engines.bertsum import BertSumEngine
from summarizer.types import SplitDocument
from tests.unit.summarizer.tiny_models import CONFIGS, WORDS

ODD = ["", "\x00", "é🩺‮", "[CLS] x", "Ca²⁺ 1,5 µg/dl", "日本語のノート", "don't", "naïve Ångström", "a" * 300]


def document(count: int, seed: int = 0) -> SplitDocument:
    chance = random.Random(seed)
    return SplitDocument(tuple(" ".join(chance.choices(WORDS, k=chance.randint(1, 9))) for _ in range(count)))


@pytest.mark.parametrize("depth", [0, 1])
def test_token_vectors_are_those_of_torch(tiny_model: Path, encoder: Encoder, depth: int) -> None:
    quick = Encoder.from_pretrained(tiny_model, "cpu")
    rows = [TokenSequence((2, *range(5, 5 + n), 3), (0, *[1] * n, 0)) for n in (1, 1, 3, 9, 18, 18, 18, 18)]

    found, wanted = dict(quick.encode(rows, depth)), dict(encoder.encode(rows, depth))

    assert (quick.runtime, encoder.runtime) == ("openvino", "torch")
    for index in range(len(rows)):
        np.testing.assert_allclose(found[index], wanted[index], atol=2e-5)


@pytest.mark.parametrize("article", [False, True])
def test_scores_of_the_model_that_ships_are_those_of_torch(article: bool) -> None:
    """Notes of both heads, longer than a window and than the padding of the head."""
    documents = [document(n, n) for n in (1, 15, 17, 120)]
    documents = [SplitDocument(d.sentences, article=article) for d in documents]
    scores = [
        BertSumEngine.from_pretrained(None, "cpu", "fp32", runtime).score(documents, [1] * 4)
        for runtime in (None, "torch")
    ]
    for found, wanted in zip(*scores, strict=True):
        np.testing.assert_allclose(found.scores, wanted.scores, atol=2e-4)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_note_has_the_same_bits_beside_any_other(precision: str) -> None:
    documents = [document(n, n) for n in (3, 40, 90, 1, 64, 40)]
    engine = BertSumEngine.from_pretrained(None, "cpu", precision)
    together = engine.score(documents, [1] * 6)

    assert [engine.score([d], [1])[0] for d in documents] == together
    assert engine.score(documents[::-1], [1] * 6)[::-1] == together


def test_words_have_the_ids_that_transformers_gives_them() -> None:
    files = find_model(None)
    reference = AutoTokenizer.from_pretrained(files.folder, split_special_tokens=True)
    ours = Tokenizer(files)

    wanted = reference(ODD, add_special_tokens=False, truncation=False)["input_ids"]
    assert ours.ids(ODD) == [tuple(ids) for ids in wanted]
    assert (ours.cls_id, ours.sep_id, ours.pad_id) == (101, 102, 0)


@pytest.mark.parametrize("kind", sorted(CONFIGS))
def test_torch_reads_what_is_no_plain_bert(kind: str, make_model: Callable[..., Path]) -> None:
    choice = choose(find_model(make_model(kind)), "cpu", "auto")
    assert choice.runtime == ("openvino" if kind == "bert" else "torch")
    assert choice.precision == "fp32"


def test_sequences_go_together_in_few_shapes() -> None:
    lengths = [random.Random(n).randint(1, 512) for n in range(300)]
    shapes = set()
    seen = []
    for group, width in groups(lengths):
        seen += group
        shapes.add((len(group), width))
        assert len(group) * width <= 1024
        assert all(width - 32 < lengths[i] <= width for i in group)
        assert len(group) & (len(group) - 1) == 0
    assert sorted(seen) == list(range(300))
    assert len(shapes) <= 60
    assert [padded_width(n) for n in (1, 16, 17, 64, 65, 512)] == [16, 16, 32, 64, 96, 512]


_WITHOUT_TORCH = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "transformers"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
import importlib.util
real = importlib.util.find_spec
importlib.util.find_spec = lambda n, p=None: None if n in ("torch", "transformers") else real(n, p)
from summarizer import EngineError, Summarizer
from summarizer.types import Budget
notes = ["Fever for two days. No cough. Plan: paracetamol.", "Chest pain since noon. Troponin is high."]
for engine in ("bertsum", "lexrank", "kmeans"):
    for precision in ("fp32", "mixed"):
        summarizer = Summarizer.from_pretrained(engine=engine, precision=precision)
        summaries = summarizer.summarize(notes, Budget(sentences=1))
        assert all(len(summary.summary) == 1 for summary in summaries)
for options in ({"device": "cuda"}, {"model": sys.argv[1], "engine": "lexrank"}):
    try:
        Summarizer.from_pretrained(**options)
    except EngineError as error:
        print(error)
"""


def test_every_engine_works_without_torch(make_model: Callable[..., Path]) -> None:
    """And what cannot says what to install."""
    command = [sys.executable, "-c", _WITHOUT_TORCH, str(make_model("electra"))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    said = done.stdout.splitlines()
    assert len(said) == 2
    assert all(line.endswith("needs torch; install clinical-ai-summarizer[torch].") for line in said)
