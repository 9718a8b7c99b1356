"""What a run leaves on the way: its log, its checkpoint and its best weights so far."""

import json
import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from summarizer.files import placed, replaced
from training.errors import RunError

LOG = "training.jsonl"
WORK = "run"


class RunFolder:
    """The output folder of a run.

    Attributes:
        log: one JSON object a line: settings, data, each step, each validation, the outcome. It holds no
            times, so that a run made again, or stopped and resumed, gives the same file.
        writes: whether this process does.
        work: what can be removed once the run is done.
    """

    def __init__(self, out: Path, *, resume: bool, writes: bool = True) -> None:
        """Opens the folder.

        Raises:
            RunError: it holds a run and `resume` is not said, or cannot be written.
        """
        self.out, self.log, self.work = out, out / LOG, out / WORK
        self._checkpoint, self._best = self.work / "checkpoint.pt", self.work / "best.pt"
        self.writes = writes
        if writes and self.log.exists() and not resume:
            raise RunError(f"{out} holds a run: go on with it by --resume, or give another --out.")
        if writes:
            try:
                self.work.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise RunError(f"{out} cannot be written: {os.strerror(error.errno or 0)}.") from None

    def begin(self, lines: list[dict[str, Any]]) -> None:
        """Begins the log anew."""
        if self.writes:
            with replaced(self.log, private=False) as file:
                file.writelines(map(_line, lines))

    def add(self, **line: Any) -> None:
        """One line more in the log."""
        if self.writes:
            with self.log.open("a", encoding="utf-8") as file:
                file.write(_line(line))

    def save(self, state: dict[str, Any]) -> None:
        """Writes a checkpoint, with the log's length at this moment; whole or not at all."""
        if self.writes:
            _save(state | {"log_bytes": self.log.stat().st_size}, self._checkpoint)

    def load(self) -> dict[str, Any] | None:
        """The checkpoint, with the log brought back to its moment; None if there is none.

        Raises:
            RunError: it is damaged.
        """
        if not self._checkpoint.exists():
            return None
        state = _load(self._checkpoint)
        if self.writes:
            os.truncate(self.log, state["log_bytes"])
        return state

    def save_best(self, weights: dict[str, Tensor]) -> None:
        """Keeps the weights of the best epoch."""
        if self.writes:
            _save(weights, self._best)

    def load_best(self) -> dict[str, Tensor]:
        """The weights of the best epoch, on the CPU.

        Raises:
            RunError: they are damaged or not there.
        """
        return _load(self._best)


def read_log(path: Path) -> list[dict[str, Any]]:
    """The lines of a log."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _line(values: dict[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False) + "\n"


def _save(state: dict[str, Any], path: Path) -> None:
    with placed(path) as beside:
        torch.save(state, beside)


def _load(path: Path) -> dict[str, Any]:
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # many kinds, by what is damaged
        raise RunError(f"{path.name} cannot be read ({type(error).__name__}); begin the run anew.") from None
    return state
