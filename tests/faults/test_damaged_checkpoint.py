"""A bare `.pt` that is damaged gives its weights or one sentence that says what is wrong."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from summarizer.checkpoint import export_checkpoint, load_checkpoint
from summarizer.errors import ModelError
from tests.faults.damages import CANARY, WHOLE_FILE, cut_at_its_end, longer
from tests.unit.summarizer.conftest import make_bertsum, make_model

__all__ = ["make_bertsum", "make_model"]  # fixtures


@pytest.fixture(scope="module")
def whole(make_bertsum: Callable[..., Path]) -> Path:
    return make_bertsum()


@pytest.fixture(scope="module")
def bare(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bare") / "a-model.pt"
    export_checkpoint(whole, path)
    return path


def attempt_bare(path: Path, encoder: Path) -> str:
    try:
        load_checkpoint(path, encoder, "cpu")
    except ModelError as error:
        said = str(error)
        assert "\n" not in said
        assert said.endswith(".")
        assert "a-model" in said
        assert CANARY not in said
        return said
    return ""


@pytest.mark.parametrize("damage", WHOLE_FILE, ids=lambda damage: damage.__name__)
def test_a_damaged_checkpoint(
    damage: Callable[[Path], None], bare: Path, whole: Path, tmp_path: Path
) -> None:
    path = Path(shutil.copy(bare, tmp_path))
    damage(path)
    assert attempt_bare(path, whole) or damage in (longer, cut_at_its_end)


@pytest.mark.parametrize(
    "found",
    [
        None,
        [],
        {},
        {"bert.x": torch.zeros(1)},
        {"state_dict": {"state_dict": {}}},
        {"classifier.weight": torch.zeros(1, 32), "classifier.bias": torch.zeros(1)},
        {1: torch.zeros(1)},
        {"bert.a": CANARY},
        {"head.vector.weight": torch.zeros(()), "head.layers.0.inner.weight": torch.zeros(())},
        {"head.layers.x.y": torch.zeros(1), "head.vector.weight": torch.zeros(2, 2)},
        {"bert.a": torch.zeros(2).to_sparse()},
    ],
)
def test_a_checkpoint_of_something_else(found: object, whole: Path, tmp_path: Path) -> None:
    torch.save(found, tmp_path / "a-model.pt")
    assert attempt_bare(tmp_path / "a-model.pt", whole)


@pytest.mark.parametrize(
    "change",
    [
        lambda tensor: tensor * float("nan"),
        lambda tensor: tensor + float("inf"),
        lambda tensor: tensor.to(torch.int64),
        lambda tensor: tensor.to(torch.complex64),
        lambda tensor: tensor.to_sparse(),
        lambda tensor: tensor[..., :-1],
        lambda tensor: tensor.to("meta"),
    ],
)
def test_a_checkpoint_of_other_tensors(
    change: Callable[[torch.Tensor], torch.Tensor], bare: Path, whole: Path, tmp_path: Path
) -> None:
    tensors = torch.load(bare, weights_only=True)
    torch.save({name: change(tensor) for name, tensor in tensors.items()}, tmp_path / "a-model.pt")
    assert attempt_bare(tmp_path / "a-model.pt", whole)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(places=st.lists(st.floats(0, 1), min_size=1, max_size=8), seed=st.integers())
def test_bytes_of_a_checkpoint_that_changed(
    places: list[float], seed: int, bare: Path, whole: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = bytearray(bare.read_bytes())
    for place in places:
        data[int(place * (len(data) - 1))] = random.Random(seed).randrange(256)
    path = tmp_path_factory.mktemp("damaged") / "a-model.pt"
    path.write_bytes(data)
    attempt_bare(path, whole)
