import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from summarizer.encoder.files import BASE_NAME, PRETRAINED_NAME, find_model
from summarizer.errors import HubError, ModelNotFoundError, UnsupportedModelError


def test_the_model_that_ships_is_whole_and_small() -> None:
    files = find_model(None)

    assert files.name == PRETRAINED_NAME
    assert files.config["model_type"] == "bert"
    assert [path.name for path in files.weights] == [
        "articles.safetensors",
        "head.safetensors",
        "lora.safetensors",
        "model.safetensors",
    ]
    assert sum(path.stat().st_size for path in files.weights) <= 48_000_000


def test_the_base_encoder_is_found_without_running_its_package() -> None:
    files = find_model(BASE_NAME)

    assert files.name == BASE_NAME
    assert files.sha256() == hashlib.sha256((files.folder / "model.safetensors").read_bytes()).hexdigest()


def test_the_hash_of_several_weight_files_is_that_of_their_concatenation(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model-00002-of-00002.safetensors").write_bytes(b"second")
    (tmp_path / "model-00001-of-00002.safetensors").write_bytes(b"first")
    (tmp_path / "pytorch_model.bin").write_bytes(b"the same in the older format")

    assert find_model(tmp_path).sha256() == hashlib.sha256(b"firstsecond").hexdigest()


def test_the_hash_names_the_declaration_too(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "bertsum.json").write_bytes(b'{"shift": 1}')

    assert find_model(tmp_path).sha256() == hashlib.sha256(b'weights{"shift": 1}').hexdigest()


def test_the_older_weight_format_is_taken_where_there_is_no_other(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").write_bytes(b"weights")

    assert find_model(tmp_path).sha256() == hashlib.sha256(b"weights").hexdigest()


def test_a_model_is_named_after_its_folder(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tiny_model)

    assert find_model(".").name == tiny_model.name


@pytest.mark.parametrize("name", ["./missing", "/no/such/folder", "~/no-such-model", "a/b/c", Path("a/b")])
def test_a_missing_folder_is_said_so(
    name: str | Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ModelNotFoundError, match="There is no model folder"):
        find_model(name)


def test_the_hub_out_of_reach_is_said_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))

    with pytest.raises(HubError, match="'someone/some-bert', and the hub"):
        find_model("someone/some-bert")


@pytest.mark.parametrize("config", [None, "not json", "[]", b"\xff"])
def test_a_folder_that_is_no_model_is_refused(config: str | bytes | None, tmp_path: Path) -> None:
    if config is not None:
        (tmp_path / "config.json").write_bytes(config if isinstance(config, bytes) else config.encode())

    with pytest.raises(UnsupportedModelError, match=r"config\.json"):
        find_model(tmp_path)


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))

    with pytest.raises(ModelNotFoundError, match="no weights"):
        find_model(tmp_path)


def test_different_weights_have_different_hashes(make_model: Callable[..., Path]) -> None:
    first, again, other = (find_model(make_model(seed=seed)).sha256() for seed in (1, 1, 2))

    assert first == again != other
