"""The packed encoder against transformers, which it must equal."""

from itertools import accumulate
from pathlib import Path

import pytest
import torch
from transformers import AutoModel

from summarizer.encoder.encoder import Encoder
from summarizer.encoder.packed import PackedBert, Sequences

LENGTHS = (3, 3, 7, 12, 12, 12, 16)


@pytest.fixture
def sequences(encoder: Encoder) -> Sequences:
    words = int(encoder.module.config.vocab_size)
    count = sum(LENGTHS)
    ids = tuple((i * 7919) % (words - 5) + 5 for i in range(count))
    return Sequences(ids, tuple(i // 4 % 2 for i in range(count)), LENGTHS)


def alone(model: torch.nn.Module, sequences: Sequences) -> list[torch.Tensor]:
    """Each sequence in a pass of its own, by transformers."""
    found, end = [], 0
    with torch.inference_mode():
        for length in sequences.lengths:
            ids, segments = (
                torch.tensor([part[end : end + length]]) for part in (sequences.ids, sequences.segments)
            )
            found.append(model(input_ids=ids, token_type_ids=segments).last_hidden_state[0])
            end += length
    return found


def test_it_gives_what_transformers_gives_for_each_sequence_alone(
    encoder: Encoder, sequences: Sequences
) -> None:
    packed = PackedBert(encoder.module, torch.float32)(sequences)
    assert packed.shape == (sum(LENGTHS), encoder.hidden)
    parts = [packed[end - n : end] for n, end in zip(LENGTHS, accumulate(LENGTHS), strict=True)]
    for part, expected in zip(parts, alone(encoder.module, sequences), strict=True):
        assert torch.allclose(part, expected, atol=2e-5)


def test_a_sequence_is_not_touched_by_its_neighbours(encoder: Encoder, sequences: Sequences) -> None:
    model = PackedBert(encoder.module, torch.float32)
    n = LENGTHS[0]
    other = Sequences((5,) * n + sequences.ids[n:], sequences.segments, LENGTHS)
    before, after = model(sequences), model(other)
    assert not torch.allclose(before[:n], after[:n], atol=1e-3)
    assert torch.allclose(before[n:], after[n:], atol=2e-5)


def test_lower_precision_is_near_and_leaves_the_output_in_fp32(
    encoder: Encoder, sequences: Sequences
) -> None:
    exact = PackedBert(encoder.module, torch.float32)(sequences)
    rounded = PackedBert(encoder.module, torch.bfloat16)(sequences)
    assert rounded.dtype == torch.float32
    assert not torch.equal(exact, rounded)
    assert (exact - rounded).abs().max() < 0.1


def test_only_a_plain_bert_fits(tiny_model: Path) -> None:
    config = AutoModel.from_pretrained(tiny_model).config
    assert PackedBert.fits(config)
    config.hidden_act = "relu"
    assert not PackedBert.fits(config)
    config.hidden_act, config.model_type = "gelu", "roberta"
    assert not PackedBert.fits(config)
