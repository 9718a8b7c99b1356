"""Model folders that are damaged, file by file: each gives scores or one sentence that says what is wrong."""

import json
import random
import shutil
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from summarizer import Document, Summarizer
from summarizer.errors import ModelError
from tests.faults.damages import CANARY, GONE, WHOLE_FILE, cut_at_its_end
from tests.unit.summarizer.conftest import make_bertsum, make_model

__all__ = ["make_bertsum", "make_model"]  # fixtures

TEXT = "The patient denies fever. No cough today.\n\nASSESSMENT:\nStable, mild pain in the left chest.\n"


@pytest.fixture(scope="module")
def whole(make_bertsum: Callable[..., Path]) -> Path:
    return make_bertsum()


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    return shutil.copytree(whole, tmp_path / "a-model")


def attempt(folder: Path) -> str:
    """ "" where the model gives scores that are numbers; else what was said. Anything else is a fault."""
    try:
        summarizer = Summarizer.from_pretrained(folder, "bertsum", "cpu")
        summary = summarizer.summarize([Document(TEXT)])[0]
    except ModelError as error:
        said = str(error)
        assert "\n" not in said
        assert said.endswith(".")
        assert said[:-1].count(". ") == 0, said
        assert "a-model" in said
        assert CANARY not in said
        return said
    assert all(0 <= sentence.score <= 1 for sentence in summary.sentences)
    return ""


FILES = (
    "bertsum.json",
    "config.json",
    "head.safetensors",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.txt",
)


def test_the_files_are_all(whole: Path) -> None:
    assert sorted(path.name for path in whole.iterdir()) == sorted(FILES)
    assert attempt(whole) == ""


# The last byte of JSON may be a line's end, and the words of a tokenizer are in `vocab.txt` too.
LEFT_OUT = {(name, cut_at_its_end) for name in FILES[:2]} | {("tokenizer.json", damage) for damage in GONE}
UNNEEDED = frozenset(("tokenizer_config.json", "vocab.txt"))  # what they say is in other files too


@pytest.mark.parametrize("damage", WHOLE_FILE, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file(name: str, damage: Callable[[Path], None], folder: Path) -> None:
    damage(folder / name)
    said = attempt(folder)
    if name not in UNNEEDED and (name, damage) not in LEFT_OUT:
        assert said
    if not said:  # nor is it refused where it is looked at without its weights
        Summarizer.from_pretrained(folder, "bertsum", "cpu", defer=True)


JSON_VALUES: tuple[Any, ...] = (None, True, -1, 0, 3, 10**12, 1.5, float("nan"), "other", [], {}, [[CANARY]])


def json_damages() -> Iterator[tuple[str, str, Any]]:
    yield from (
        ("bertsum.json", key, value) for key in ("version", "head", "context") for value in JSON_VALUES
    )
    for key in ("scale", "shift", "threshold", "calibrated", "articles"):
        yield from (("bertsum.json", key, value) for value in JSON_VALUES)
    for key in (
        "model_type",
        "vocab_size",
        "hidden_size",
        "num_hidden_layers",
        "num_attention_heads",
        "intermediate_size",
        "max_position_embeddings",
        "type_vocab_size",
        "hidden_act",
        "layer_norm_eps",
        "pad_token_id",
        "dtype",
    ):
        yield from (("config.json", key, value) for value in JSON_VALUES)


@pytest.mark.parametrize("name", ["bertsum.json", "config.json"])
def test_values_that_are_none(name: str, folder: Path) -> None:
    stated = json.loads((folder / name).read_text())
    wrong = {}
    for file, key, value in json_damages():
        if file != name:
            continue
        (folder / name).write_text(json.dumps(stated | {key: value}))
        wrong[key, str(value)] = attempt(folder)
    impossible = [key for key in wrong if key[0] in ("version", "head", "vocab_size", "hidden_size")]
    assert impossible
    assert all(wrong[key] for key in impossible if key != ("head", "{}"))  # a head of the usual shape


@pytest.mark.parametrize("name", ["bertsum.json", "config.json", "tokenizer.json", "tokenizer_config.json"])
@pytest.mark.parametrize(
    "text",
    ["null", "[]", "1", '"a"', "{", "{}", "\ufeff{}", "NaN", pytest.param("[" * 100_000, id="deep")],
)
def test_json_that_is_none_or_another(name: str, text: str, folder: Path) -> None:
    (folder / name).write_text(text)
    said = attempt(folder)
    assert said or name == "tokenizer_config.json"


def rewritten(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    tensors = dict(load_file(path))
    change(tensors)
    save_file(tensors, path)


def of_kind(kind: type) -> Callable[[dict[str, Any]], None]:
    def change(tensors: dict[str, Any]) -> None:
        tensors.update({name: tensor.astype(kind) for name, tensor in tensors.items()})

    return change


def filled(value: float, every: int) -> Callable[[dict[str, Any]], None]:
    def change(tensors: dict[str, Any]) -> None:
        for tensor in tensors.values():
            tensor.reshape(-1)[::every] = value

    return change


def narrower(tensors: dict[str, Any]) -> None:
    tensors.update({name: np.ascontiguousarray(tensor[..., :-1]) for name, tensor in tensors.items()})


def without_the_first(tensors: dict[str, Any]) -> None:
    del tensors[min(tensors)]


def renamed(tensors: dict[str, Any]) -> None:
    for name in list(tensors):
        tensors[f"other.{name}"] = tensors.pop(name)


def none_at_all(tensors: dict[str, Any]) -> None:
    tensors.clear()


TENSORS = {
    "int8": of_kind(np.int8),
    "bool": of_kind(np.bool_),
    "int64": of_kind(np.int64),
    "some NaN": filled(float("nan"), 97),
    "all NaN": filled(float("nan"), 1),
    "infinite": filled(float("inf"), 97),
    "beyond numbers": filled(3e38, 1),
    "narrower": narrower,
    "without the first": without_the_first,
    "renamed": renamed,
    "none at all": none_at_all,
}


@pytest.mark.parametrize("name", ["head.safetensors", "model.safetensors"])
@pytest.mark.parametrize("change", TENSORS.values(), ids=TENSORS.keys())
def test_tensors_that_are_none(name: str, change: Callable[[dict[str, Any]], None], folder: Path) -> None:
    rewritten(folder / name, change)
    assert attempt(folder)


@pytest.mark.parametrize("kind", [np.float16, np.float64])
def test_floating_point_of_another_size_is_taken(kind: type, folder: Path) -> None:
    for name in ("head.safetensors", "model.safetensors"):
        rewritten(folder / name, of_kind(kind))
    assert attempt(folder) == ""


@pytest.mark.parametrize("length", [0, 1, 7, 2**20, 2**63, 2**64 - 1])
@pytest.mark.parametrize("name", ["head.safetensors", "model.safetensors"])
def test_a_list_of_tensors_of_another_length(name: str, length: int, folder: Path) -> None:
    path = folder / name
    path.write_bytes(struct.pack("<Q", length) + path.read_bytes()[8:])
    assert attempt(folder)


def test_the_tokenizer_of_another_encoder(folder: Path) -> None:
    shutil.copy(Path(__file__).parents[2] / "summarizer/pretrained/tokenizer.json", folder)
    assert "more words" in attempt(folder)


def test_the_encoder_of_another_tokenizer(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"vocab_size": 4000}))
    rewritten(
        folder / "model.safetensors",
        lambda tensors: tensors.update(
            {
                name: np.resize(tensor, (4000, tensor.shape[1]))
                for name, tensor in tensors.items()
                if name.endswith("word_embeddings.weight")
            }
        ),
    )
    assert "lacks words" in attempt(folder)


@pytest.mark.parametrize(
    "name", ["a" * 5000, "no\0name", "~nobody-of-this-name/x", "/proc/self/mem", "/dev/null"]
)
def test_a_folder_that_cannot_be_one(name: str) -> None:
    with pytest.raises(ModelError) as refused:
        Summarizer.from_pretrained(name, "bertsum", "cpu")
    assert "\n" not in str(refused.value)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    name=st.sampled_from(FILES), places=st.lists(st.floats(0, 1), min_size=1, max_size=8), seed=st.integers()
)
def test_bytes_that_changed(
    name: str, places: list[float], seed: int, whole: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = shutil.copytree(whole, tmp_path_factory.mktemp("damaged") / "a-model")
    data = bytearray((folder / name).read_bytes())
    for place in places:
        data[int(place * (len(data) - 1))] = random.Random(seed).randrange(256)
    (folder / name).write_bytes(data)
    attempt(folder)
