"""Other summarizers side by side with ours, run by `peers` under an interpreter that has them.

    python -m venv peers && peers/bin/pip install sumy==0.12.0
    python -m venv bert && bert/bin/pip install bert-extractive-summarizer==0.10.1 'transformers<5' torch
    clinsum evaluate articles.jsonl --peers-python peers/bin/python --peers-python bert/bin/python

`bert-extractive-summarizer` gets the encoder that our engines use, so that methods are compared and not
encoders.
"""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from summarizer.encoder.files import ModelFiles, find_model
from summarizer.types import ModelInfo
from training.evaluation import peers
from training.evaluation.errors import EvaluationError
from training.evaluation.systems import Choices
from training.evaluation.types import Item

PEERS = tuple(peers.TOOLS)
_WITH_MODEL = "bert-extractive-summarizer"


class PeerSystem:
    """One of `PEERS`, in a process of its own."""

    def __init__(self, name: str, version: str, python: Path, files: ModelFiles) -> None:
        self.name = name
        weights = files.sha256() if name == _WITH_MODEL else ""
        own = f"{name} {version}"
        self.model = ModelInfo(f"{own}, {files.name}" if weights else own, weights, name)
        self._python = python
        self._folder = files.folder

    def choose(self, items: Sequence[Item]) -> Choices:
        """Indices in ascending order, for each item by itself."""
        result = _run(self._python, [self.name], self._folder, items)[self.name]
        return Choices(tuple(tuple(chosen) for chosen in result["chosen"]), result["seconds"])


def find_peers(pythons: Sequence[Path], model: str | None = None) -> list[PeerSystem]:
    """The summarizers that the interpreters have, each from the first that has it.

    Args:
        pythons: interpreters.
        model: a model folder or hub name for `bert-extractive-summarizer`; None for the encoder that ships.

    Raises:
        EvaluationError: an interpreter cannot run or has none of them.
        ModelError: the model cannot be found.
    """
    if not pythons:
        return []
    files = find_model(model)
    found: dict[str, PeerSystem] = {}
    for python in pythons:
        results = _run(python, PEERS, files.folder, [])
        if not results:
            raise EvaluationError(f"{python} has none of {', '.join(PEERS)} installed.")
        for name, result in results.items():
            found.setdefault(name, PeerSystem(name, result["version"], python, files))
    return [found[name] for name in PEERS if name in found]


def _run(python: Path, tools: Sequence[str], folder: Path, items: Sequence[Item]) -> dict[str, Any]:
    documents = [
        {
            "sentences": item.sentences,
            "budget_sentences": item.budget.sentences,
            "budget_words": item.budget.words,
        }
        for item in items
    ]
    job = {"tools": list(tools), "model": str(folder), "documents": documents}
    try:
        # -I: nothing of this project can be imported, whose `summarizer` has the name of a peer's package.
        done = subprocess.run(  # noqa: S603
            [str(python), "-I", "-W", "ignore", str(Path(peers.__file__))],
            input=json.dumps(job),
            capture_output=True,
            text=True,
            check=True,
        )
    except OSError as error:
        raise EvaluationError(f"{python} cannot be run: {error.strerror}.") from None
    except subprocess.CalledProcessError as error:
        # Its last line names the exception; what follows the name may hold text of the documents.
        last = (error.stderr.strip().splitlines() or [""])[-1].partition(":")[0]
        raise EvaluationError(f"{python} failed on {' and '.join(tools)} ({last or 'killed'}).") from None
    try:
        results: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise EvaluationError(f"{python} is no Python interpreter: its answer cannot be read.") from None
    return results
