import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModel, AutoTokenizer

from summarizer.encoder.batches import BATCH, padded_batches
from summarizer.encoder.encoder import Encoder
from summarizer.encoder.files import find_model
from summarizer.errors import EngineError, UnsupportedModelError
from tests.unit.summarizer.tiny_models import CONFIGS, HIDDEN, POSITIONS, WORDS


def mean_by_transformers(folder: Path, sentence: str) -> np.ndarray:
    """The same vector made the plain way."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder).eval()
    with torch.inference_mode():
        hidden = model(**tokenizer(sentence, return_tensors="pt")).last_hidden_state[0]
    return hidden.mean(dim=0).numpy()


@pytest.mark.parametrize("kind", sorted(CONFIGS))
def test_every_kind_of_the_family_gives_the_mean_of_its_token_vectors(
    kind: str, make_model: Callable[..., Path]
) -> None:
    folder = make_model(kind)
    encoder = Encoder.from_pretrained(folder, device="cpu")

    sentences = ["patient denies fever.", "lung clear", "no chest pain, no cough, heart stable today."]
    vectors = encoder.sentence_vectors(sentences)

    assert encoder.limit == POSITIONS
    assert vectors.shape == (3, HIDDEN)
    for sentence, vector in zip(sentences, vectors, strict=True):
        np.testing.assert_allclose(vector, mean_by_transformers(folder, sentence), atol=1e-5)


@pytest.mark.parametrize("kind", sorted(CONFIGS))
def test_a_sentence_longer_than_the_model_is_read_to_its_end(
    kind: str, make_model: Callable[..., Path]
) -> None:
    encoder = Encoder.from_pretrained(make_model(kind), device="cpu")
    long = "fever cough " * 500

    vectors = encoder.sentence_vectors([long, long + "pain", long.strip()])

    assert np.isfinite(vectors).all()
    assert not np.array_equal(vectors[0], vectors[1])
    np.testing.assert_array_equal(vectors[0], vectors[2])


def test_pieces_of_a_long_sentence_are_pooled_by_their_lengths(encoder: Encoder) -> None:
    first, second = ["fever"] * 50, ["cough"] * 49
    rows = encoder.sentence_vectors([" ".join(first[:49]), " ".join([*first[49:], *second])])

    whole = encoder.sentence_vectors([" ".join(first + second)])[0]

    np.testing.assert_allclose(whole, (rows[0] * 51 + rows[1] * 52) / 103, atol=1e-5)


def test_no_sentence_no_vector(encoder: Encoder) -> None:
    assert encoder.sentence_vectors([]).shape == (0, HIDDEN)


@pytest.mark.parametrize("odd", ["", " ", "\x00", "\ud800", "\u200b", "é🩺‮", "[CLS]", "[SEP] [PAD]"])
def test_any_text_has_a_vector(odd: str, encoder: Encoder) -> None:
    vectors = encoder.sentence_vectors([odd, "fever"])

    assert np.isfinite(vectors).all()
    np.testing.assert_allclose(vectors[1], encoder.sentence_vectors(["fever"])[0], atol=1e-6)


def test_a_special_token_in_the_text_is_read_as_words(encoder: Encoder) -> None:
    special = {encoder.cls_id, encoder.sep_id}

    [ids] = encoder.tokenize(["[SEP] fever"])

    assert not special & set(ids)
    assert len(ids) == 5  # [ se ##p ] fever


def test_equal_sentences_get_equal_vectors(encoder: Encoder) -> None:
    vectors = encoder.sentence_vectors(["no fever.", "cough", "No  fever.", "no fever."])

    assert np.array_equal(vectors[0], vectors[2])
    assert np.array_equal(vectors[0], vectors[3])


@settings(max_examples=25)
@given(st.lists(st.lists(st.sampled_from(WORDS), max_size=90).map(" ".join), max_size=12))
def test_vectors_are_the_same_bits_every_time_and_in_place(encoder: Encoder, sentences: list[str]) -> None:
    once = encoder.sentence_vectors(sentences)

    assert np.array_equal(once, encoder.sentence_vectors(sentences))
    assert np.array_equal(once[::-1], encoder.sentence_vectors(sentences[::-1]))


@given(st.lists(st.integers(1, 600), max_size=200))
def test_batches_hold_every_row_once_and_little_padding(lengths: list[int]) -> None:
    batches = padded_batches(lengths)

    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(lengths[i] for i in batch) <= BATCH


def test_a_model_of_another_family_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_model, tmp_path / "other")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "gpt2"}))

    with pytest.raises(UnsupportedModelError, match="'other' is of type 'gpt2'"):
        Encoder.from_pretrained(folder)


@pytest.mark.parametrize(
    "damage", ["missing tensors", "other size", "cut file", "no tokenizer", "other tokenizer"]
)
def test_a_damaged_model_is_refused(
    damage: str, make_model: Callable[..., Path], capfd: pytest.CaptureFixture[str]
) -> None:
    folder = make_model()
    config = json.loads((folder / "config.json").read_text())
    weights = folder / "model.safetensors"
    if damage == "missing tensors":
        (folder / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 3}))
    elif damage == "other size":
        (folder / "config.json").write_text(json.dumps(config | {"intermediate_size": 64}))
    elif damage == "cut file":
        weights.write_bytes(weights.read_bytes()[:1000])
    elif damage == "no tokenizer":
        for path in [*folder.glob("*tok*"), folder / "vocab.txt"]:
            path.unlink()
    else:
        shutil.copy(find_model(None).folder / "tokenizer.json", folder)
    capfd.readouterr()

    with pytest.raises(UnsupportedModelError, match="tiny-bert"):
        Encoder.from_pretrained(folder)
    assert capfd.readouterr() == ("", "")


def test_loading_prints_nothing(tiny_model: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Encoder.from_pretrained(tiny_model)

    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("device", "precision"), [("tpu", "auto"), ("auto", "fp8")])
def test_an_unknown_device_or_precision_is_refused(device: str, precision: str, tiny_model: Path) -> None:
    with pytest.raises(
        EngineError, match=r"the devices are auto, cpu, cuda, the precisions auto, fp32, bf16"
    ):
        Encoder.from_pretrained(tiny_model, device, precision)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_cuda_without_a_device_is_refused(tiny_model: Path) -> None:
    with pytest.raises(EngineError, match="No CUDA device"):
        Encoder.from_pretrained(tiny_model, "cuda")


def test_lower_precision_gives_nearly_the_same_vectors(tiny_model: Path, encoder: Encoder) -> None:
    low = Encoder.from_pretrained(tiny_model, "cpu", "bf16")
    sentences = ["patient denies fever.", "chest pain today"]

    exact, near = encoder.sentence_vectors(sentences), low.sentence_vectors(sentences)

    assert near.dtype == np.float32
    assert not np.array_equal(exact, near)
    np.testing.assert_allclose(near, exact, atol=0.1)


def test_the_encoder_that_ships_knows_what_sentences_mean() -> None:
    encoder = Encoder.from_pretrained(device="cpu")
    vectors = encoder.sentence_vectors(
        ["The patient has a fever.", "Her temperature was high.", "He works as a teacher."]
    )
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    assert encoder.limit == 512
    assert unit[0] @ unit[1] > unit[0] @ unit[2] + 0.2
