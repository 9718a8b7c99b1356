"""The head of inter-sentence layers: what it is told, and what it is not."""

import json
from dataclasses import asdict

import pytest
import torch

from summarizer.bertsum.config import HeadConfig
from summarizer.bertsum.features import COUNT, GROUPS, KINDS
from summarizer.bertsum.heads import make_head, members_of
from summarizer.bertsum.rows import from_bytes, in_bytes, round_to_bytes, unpacked_shapes

HIDDEN, SENTENCES = 12, 5


def logits(head: torch.nn.Module, features: torch.Tensor, kinds: torch.Tensor) -> torch.Tensor:
    vectors = torch.linspace(-1, 1, SENTENCES * HIDDEN).view(1, SENTENCES, HIDDEN)
    with torch.inference_mode():
        found: torch.Tensor = head.eval()(vectors, features, kinds)
    return found


@pytest.mark.parametrize("group", GROUPS)
def test_what_it_is_not_told_changes_nothing(group: str) -> None:
    torch.manual_seed(0)
    plain = make_head(HIDDEN, HeadConfig("transformer", 16, 1, 2, 16))
    blind = make_head(HIDDEN, HeadConfig("transformer", 16, 1, 2, 16, without=(group,)))
    blind.load_state_dict(plain.state_dict())
    features, kinds = torch.zeros(1, SENTENCES, COUNT), torch.ones(1, SENTENCES, dtype=torch.long)
    other, others = features.clone(), kinds.clone()
    other[0, 2, GROUPS[group]] = 1.0
    if group == "section":
        others[0, 2] = len(KINDS)
    assert torch.equal(logits(blind, features, kinds), logits(blind, other, others))
    assert not torch.equal(logits(plain, features, kinds), logits(plain, other, others))
    assert (other[0, 2, GROUPS[group]] == 1).all()  # what was given is not changed


def test_without_layers_a_sentence_knows_nothing_of_the_others() -> None:
    head = make_head(HIDDEN, HeadConfig("transformer", 16, layers=0, heads=2))
    features, kinds = torch.zeros(1, SENTENCES, COUNT), torch.zeros(1, SENTENCES, dtype=torch.long)
    other = features.clone()
    other[0, 0] = 1.0
    before, after = logits(head, features, kinds), logits(head, other, kinds)
    assert before[0, 0] != after[0, 0]
    assert torch.equal(before[0, 1:], after[0, 1:])


def test_several_heads_give_the_mean_of_their_logits() -> None:
    head = make_head(HIDDEN, HeadConfig("transformer", 16, 1, 2, 16, members=3))
    features, kinds = torch.zeros(1, SENTENCES, COUNT), torch.zeros(1, SENTENCES, dtype=torch.long)
    each = [logits(member, features, kinds) for member in members_of(head)]
    assert len(each) == 3
    assert not torch.allclose(each[0], each[1])
    torch.testing.assert_close(logits(head, features, kinds), sum(each) / 3)


def test_matrices_in_bytes_keep_each_row_within_its_own_scale() -> None:
    torch.manual_seed(0)
    matrix = torch.randn(6, 40) * torch.tensor([[1e-6], [1e-3], [1.0], [30.0], [1e4], [0.0]])
    stored = in_bytes({"a.weight": matrix.half(), "a.bias": torch.ones(6), "b.weight": matrix})
    assert stored["b.weight"].dtype == torch.int8
    back = from_bytes(stored)
    assert back.keys() == {"a.weight", "a.bias", "b.weight"}
    off = (back["b.weight"] - matrix).abs().amax(dim=1)
    assert (off <= matrix.abs().amax(dim=1) / 254 * 1.001).all()
    assert torch.equal(back["a.bias"], torch.ones(6))


def test_a_scale_belongs_to_the_rows_of_its_matrix() -> None:
    whole = {"a": (3, 2), "a.scale": (3, 1), "b": (4,)}
    assert unpacked_shapes(whole) == {"a": (3, 2), "b": (4,)}
    for wrong in ({"a": (3, 2), "a.scale": (2, 1)}, {"a.scale": (3, 1)}, {"b": (4,), "b.scale": (4, 1)}):
        assert unpacked_shapes(wrong) == wrong


def test_a_head_rounded_to_bytes_is_what_is_read_back() -> None:
    head = make_head(HIDDEN, HeadConfig("transformer", 16, 1, 2, 16))
    before = {name: tensor.clone() for name, tensor in head.state_dict().items()}
    round_to_bytes(head)
    after = head.state_dict()
    assert any(not torch.equal(before[name], after[name]) for name in before)
    for name, tensor in from_bytes(in_bytes(after)).items():
        torch.testing.assert_close(tensor, after[name], rtol=1e-6, atol=1e-9)


def test_a_configuration_comes_back_from_json() -> None:
    config = HeadConfig("transformer", without=("position", "length"))
    assert HeadConfig(**json.loads(json.dumps(asdict(config)))) == config


@pytest.mark.parametrize("members", [0, True, 1.5])
def test_a_number_of_heads_that_is_none_is_refused(members: int) -> None:
    with pytest.raises(ValueError, match="members"):
        HeadConfig("transformer", members=members)


def test_an_unknown_group_is_refused() -> None:
    with pytest.raises(ValueError, match="centrality"):
        HeadConfig("transformer", without=("colour",))
