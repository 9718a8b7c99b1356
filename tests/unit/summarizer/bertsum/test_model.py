import shutil
from collections.abc import Callable
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file
from transformers import AutoModel, AutoTokenizer

from summarizer import Budget, Summarizer, UnsupportedModelError
from summarizer.bertsum.config import COUNT, GROUPS, Pooling
from summarizer.bertsum.document import prepare, sentence_vectors
from summarizer.bertsum.export import write_model_folder
from summarizer.bertsum.folder import read_bertsum
from summarizer.bertsum.heads import make_head
from summarizer.encoder.encoder import Encoder
from summarizer.encoder.files import find_model
from summarizer.engines.bertsum import BertSumEngine
from summarizer.types import SplitDocument
from tests.unit.summarizer.tiny_models import HIDDEN, WORDS

SHORT = ["patient denies fever.", "lung clear", "no chest pain, no cough."]


def cls_by_transformers(folder: Path, sentences: list[str]) -> np.ndarray:
    """[CLS] vectors of a document that fits one window, made as BERTSum's authors describe."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder).eval()
    ids: list[int] = []
    segments: list[int] = []
    places = []
    for i, sentence in enumerate(sentences):
        own = tokenizer(sentence)["input_ids"]
        places.append(len(ids))
        ids += own
        segments += [i % 2] * len(own)
    with torch.inference_mode():
        out = model(input_ids=torch.tensor([ids]), token_type_ids=torch.tensor([segments]))
    return out.last_hidden_state[0, places].numpy()


def vectors_of(encoder: Encoder, sentences: list[str], context: int) -> np.ndarray:
    return sentence_vectors(encoder, prepare(encoder, SplitDocument(tuple(sentences)), context))


def test_sentence_vectors_are_those_of_the_published_layout(tiny_model: Path, encoder: Encoder) -> None:
    np.testing.assert_allclose(
        vectors_of(encoder, SHORT, 16), cls_by_transformers(tiny_model, SHORT), atol=1e-5
    )


@settings(max_examples=25)
@given(
    st.lists(st.lists(st.sampled_from(WORDS), max_size=150).map(" ".join), min_size=1, max_size=20),
    st.integers(0, 90),
)
def test_every_sentence_of_any_document_has_a_vector(
    encoder: Encoder, sentences: list[str], context: int
) -> None:
    vectors = vectors_of(encoder, sentences, context)

    assert vectors.shape == (len(sentences), HIDDEN)
    assert np.isfinite(vectors).all()
    assert (np.abs(vectors).sum(axis=1) > 0).all()


@pytest.mark.parametrize(("pooling", "depth"), [("mean", 0), ("sum", 0), ("mean", 1)])
def test_a_sentence_can_be_the_mean_over_its_tokens(
    pooling: Pooling, depth: int, tiny_model: Path, encoder: Encoder
) -> None:
    """Of [CLS], words and [SEP] as they were read among the other sentences, after one layer or all."""
    found = sentence_vectors(encoder, prepare(encoder, SplitDocument(tuple(SHORT)), 16), pooling, depth)
    tokenizer, model = AutoTokenizer.from_pretrained(tiny_model), AutoModel.from_pretrained(tiny_model).eval()
    own = [tokenizer(sentence)["input_ids"] for sentence in SHORT]
    segments = [i % 2 for i, ids in enumerate(own) for _ in ids]
    with torch.inference_mode():
        out = model(
            input_ids=torch.tensor([list(chain.from_iterable(own))]),
            token_type_ids=torch.tensor([segments]),
            output_hidden_states=True,
        )
    pieces = torch.split(out.hidden_states[depth or -1][0], [len(ids) for ids in own])
    first = torch.stack([piece[0] for piece in pieces]) * (pooling == "sum")
    wanted = torch.stack([piece.mean(0) for piece in pieces]) + first
    np.testing.assert_allclose(found, wanted.numpy(), atol=1e-5)


def test_texts_that_are_no_notes_have_a_head_of_their_own(
    make_bertsum: Callable[..., Path], tmp_path: Path
) -> None:
    folder = make_bertsum()
    _, model = read_bertsum(folder, "cpu", "fp32")
    model.config = replace(model.config, articles=model.config, threshold=0.25)
    model.articles = make_head(HIDDEN, model.config.head)
    write_model_folder(model, find_model(folder), tmp_path / "two", half=False)

    engine = BertSumEngine.from_pretrained(tmp_path / "two", "cpu")
    own = SplitDocument(tuple(SHORT))
    note, article = engine.score([own, replace(own, article=True)], [1])
    [alone] = BertSumEngine.from_pretrained(folder, "cpu").score([own], [1])

    assert note.scores == alone.scores != article.scores
    assert (note.threshold, article.threshold) == (0.25, None)
    assert engine.model.sha256 != find_model(folder).sha256()


def test_scores_are_the_heads_probabilities(make_bertsum: Callable[..., Path]) -> None:
    folder = make_bertsum()
    head = load_file(folder / "head.safetensors")
    logits = cls_by_transformers(folder, SHORT) @ head["classifier.weight"][0] + head["classifier.bias"][0]

    [summary] = Summarizer.from_pretrained(folder, "bertsum").summarize_sentences([SHORT])

    np.testing.assert_allclose([s.score for s in summary.sentences], 1 / (1 + np.exp(-logits)), atol=1e-4)
    assert summary.model.engine == "bertsum"
    assert summary.model.sha256 == find_model(folder).sha256()


def test_a_longer_document_is_read_to_its_end(make_bertsum: Callable[..., Path]) -> None:
    document = [f"{word} {other} today." for word in WORDS for other in WORDS]
    summarizer = Summarizer.from_pretrained(make_bertsum(), "bertsum")

    [summary] = summarizer.summarize_sentences([document], Budget(sentences=5))

    assert len(summary.sentences) == len(document)
    assert len(summary.summary) == 5
    assert len({s.score for s in summary.sentences[-20:]}) > 1


def test_features_are_added_to_the_logit_with_their_weights(make_bertsum: Callable[..., Path]) -> None:
    sentences = tuple(f"{word} {' '.join(WORDS[:place])} today." for place, word in enumerate(WORDS[:8]))
    weights = [0.0] * COUNT
    weights[GROUPS["length"].start], weights[GROUPS["position"].start] = 1.5, -0.5

    def logits(more: str) -> tuple[np.ndarray, Encoder]:
        folder = make_bertsum(declaration=f'{{"version": 2, "head": {{}}, "scale": 0.05{more}}}')
        encoder, _ = read_bertsum(folder, "cpu", "fp32")
        engine = BertSumEngine.from_pretrained(folder, "cpu", "fp32")
        scores = np.array(engine.score([SplitDocument(sentences)], [1])[0].scores)
        return np.log(scores / (1 - scores)), encoder

    plain, encoder = logits("")
    weighed, _ = logits(f', "features": {weights}')
    told = prepare(encoder, SplitDocument(sentences), 64).features
    np.testing.assert_allclose(weighed - plain, told @ np.array(weights), atol=0.01)


def test_a_plain_encoder_is_no_bertsum_model(tiny_model: Path) -> None:
    with pytest.raises(
        UnsupportedModelError, match=r"'tiny-bert' is not a BERTSum model: .* no bertsum\.json"
    ):
        Summarizer.from_pretrained(tiny_model, "bertsum")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"version": 1, "head": {}}',
        '{"version": 2}',
        '{"version": 2, "head": {"kind": "other"}}',
        '{"version": 2, "head": {}, "context": -1}',
        '{"version": 2, "head": {}, "context": "1"}',
        '{"version": 2, "head": {}, "scale": 0}',
        '{"version": 2, "head": {}, "later": 1}',
        '{"version": 2, "head": {}, "features": [1.0]}',
        '{"version": 2, "head": {}, "features": 1}',
        '{"version": 2, "head": {"pooling": "max"}}',
        '{"version": 2, "head": {}, "articles": {"head": {}, "context": 8}}',
    ],
)
def test_a_declaration_of_another_version_is_refused(text: str, make_bertsum: Callable[..., Path]) -> None:
    with pytest.raises(UnsupportedModelError, match="not one that this version reads"):
        Summarizer.from_pretrained(make_bertsum(declaration=text), "bertsum")


def test_an_encoder_without_segments_is_refused(make_bertsum: Callable[..., Path]) -> None:
    with pytest.raises(UnsupportedModelError, match="no two segment ids"):
        Summarizer.from_pretrained(make_bertsum("distilbert"), "bertsum")


def test_a_head_that_does_not_fit_is_refused(make_bertsum: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(
        UnsupportedModelError, match=r"does not fit its bertsum\.json and an encoder of hidden size 32"
    ):
        Summarizer.from_pretrained(make_bertsum(weight=np.zeros((1, 8))), "bertsum")

    folder = shutil.copytree(make_bertsum(), tmp_path / "headless")
    (folder / "head.safetensors").unlink()
    with pytest.raises(UnsupportedModelError, match="is missing"):
        Summarizer.from_pretrained(folder, "bertsum")
