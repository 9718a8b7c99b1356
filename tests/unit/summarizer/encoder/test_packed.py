"""The packed encoder against transformers, which it must equal."""

from collections.abc import Callable
from inspect import signature
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AutoModel

from summarizer.encoder.attention import any_length, padded
from summarizer.encoder.encoder import Encoder
from summarizer.encoder.network import TokenSequence
from summarizer.encoder.packed import PackedBert, Sequences
from summarizer.encoder.transfer import Transfer

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
    packed = PackedBert(encoder.module, torch.float32, Transfer("cpu"))(sequences)
    assert packed.shape == (sum(LENGTHS), encoder.hidden)
    parts = [packed[end - n : end] for n, end in zip(LENGTHS, accumulate(LENGTHS), strict=True)]
    for part, expected in zip(parts, alone(encoder.module, sequences), strict=True):
        assert torch.allclose(part, expected, atol=2e-5)


def test_a_sequence_is_not_touched_by_its_neighbours(encoder: Encoder, sequences: Sequences) -> None:
    model = PackedBert(encoder.module, torch.float32, Transfer("cpu"))
    n = LENGTHS[0]
    other = Sequences((5,) * n + sequences.ids[n:], sequences.segments, LENGTHS)
    before, after = model(sequences), model(other)
    assert not torch.allclose(before[:n], after[:n], atol=1e-3)
    assert torch.allclose(before[n:], after[n:], atol=2e-5)


def test_lower_precision_is_near_and_leaves_the_output_in_fp32(
    encoder: Encoder, sequences: Sequences
) -> None:
    exact = PackedBert(encoder.module, torch.float32, Transfer("cpu"))(sequences)
    rounded = PackedBert(encoder.module, torch.bfloat16, Transfer("cpu"))(sequences)
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


@pytest.mark.parametrize("step", [8, 32])
def test_padding_for_attention_changes_no_more_than_rounding(
    encoder: Encoder, sequences: Sequences, step: int
) -> None:
    exact = PackedBert(encoder.module, torch.float32, Transfer("cpu"))(sequences)
    wider = PackedBert(encoder.module, torch.float32, Transfer("cpu"), step)(sequences)
    assert torch.allclose(exact, wider, atol=2e-5)


def test_the_kernel_for_any_length_is_called_as_it_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel runs on GPUs alone; one of our own stands in, under the signature of torch's."""
    from torch.nn.attention import varlen  # and torch's compiler: seconds of start

    made = signature(varlen.varlen_attn)

    def stand_in(*arguments: Any) -> torch.Tensor:
        q, k, v, starts, same, longest, _ = made.bind(*arguments).args
        assert (starts.dtype, longest) == (torch.int32, max(LENGTHS))
        assert torch.equal(starts, same)
        parts = [[x[a:b].transpose(0, 1) for x in (q, k, v)] for a, b in pairwise(starts.tolist())]
        return torch.cat([scaled_dot_product_attention(*part).transpose(0, 1) for part in parts])

    monkeypatch.setattr(varlen, "varlen_attn", stand_in)
    torch.manual_seed(0)
    qkv = torch.randn(sum(LENGTHS), 3, 2, 16)

    attended = any_length(LENGTHS, Transfer("cpu"))(qkv)

    assert torch.allclose(attended, padded(LENGTHS, Transfer("cpu"), 1)(qkv), atol=1e-6)


@pytest.mark.parametrize("kind", ["bert", "electra"])
def test_sequences_of_many_documents_are_read_together(kind: str, make_model: Callable[..., Path]) -> None:
    alone = Encoder.from_pretrained(make_model(kind), "cpu", runtime="torch")
    rows = [TokenSequence((2, *range(5, 5 + n), 3), (0, *[1] * n, 0)) for n in (1, 9, 3, 18, 12, 1, 17)]

    together = dict(alone.packed(64).encode(rows))

    assert sorted(together) == list(range(len(rows)))
    for index, row in enumerate(rows):
        ((_, vectors),) = alone.encode([row])
        np.testing.assert_allclose(together[index], vectors, atol=2e-5)
