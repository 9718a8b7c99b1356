"""The head of inter-sentence layers: what it is told, and what it is not."""

import json
from dataclasses import asdict

import pytest
import torch

from summarizer.bertsum.config import HeadConfig
from summarizer.bertsum.features import COUNT, GROUPS, KINDS
from summarizer.bertsum.heads import make_head

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


def test_a_configuration_comes_back_from_json() -> None:
    config = HeadConfig("transformer", without=("position", "length"))
    assert HeadConfig(**json.loads(json.dumps(asdict(config)))) == config


def test_an_unknown_group_is_refused() -> None:
    with pytest.raises(ValueError, match="centrality"):
        HeadConfig("transformer", without=("colour",))
