"""The training loop: steps, checkpoints, early stopping.

Every batch draws its dropout from a seed of its own, and the gradient of a step is that of the mean over all
sentences of all its batches. So it makes no difference but rounding whether the batches of a step go one
after the other through one process or side by side through several, and a run that was stopped goes on
exactly.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from training.errors import RunError
from training.fit.batches import plan_epoch
from training.fit.learner import Learner, kind_of
from training.fit.optimiser import factor, make_optimiser
from training.fit.run_folder import RunFolder
from training.fit.settings import TrainSettings
from training.fit.store import Stores
from training.fit.validation import Validator
from training.fit.world import World

CHECKPOINT_STEPS = 100


@dataclass(slots=True)
class Position:
    """How far a run is.

    Attributes:
        epoch, group: the next step is that of this group of batches of this epoch.
        step: steps made.
        best, best_epoch: the highest ROUGE-1 of the validation, and after which epoch; -1 before the first.
        done: whether nothing is left to do.
    """

    epoch: int = 0
    group: int = 0
    step: int = 0
    best: float = -1.0
    best_epoch: int = -1
    done: bool = False


class Trainer:
    """Fits a learner to the documents of a store."""

    def __init__(
        self,
        learner: Learner,
        data: Stores,
        indices: Sequence[int],
        validator: Validator,
        settings: TrainSettings,
        folder: RunFolder,
        world: World | None = None,
    ) -> None:
        self._learner = learner
        self._data = data
        self._indices = indices
        self._validator = validator
        self._settings = settings
        self._folder = folder
        self._world = world or World()
        self._optimiser = make_optimiser(learner.model, settings)
        self._at = Position()
        self._steps = sum(len(self._plan(epoch)) for epoch in range(settings.epochs))

    def fit(self, progress: Callable[[str], None] | None = None, every: int = CHECKPOINT_STEPS) -> Position:
        """Trains to the end and leaves the weights of the best epoch in the model.

        Args:
            progress: called with a line now and then.
            every: steps between checkpoints; there is one after each epoch too.

        Raises:
            RunError: the loss is not a number, or a checkpoint is damaged.
        """
        while not self._at.done:
            plan = self._plan(self._at.epoch)
            while self._at.group < len(plan):
                loss = self._step(plan[self._at.group])
                self._at.group += 1
                if progress and self._at.step % 10 == 0:
                    progress(f"step {self._at.step} of {self._steps}: loss {loss:.4f}")
                if self._at.step % every == 0 and self._at.group < len(plan):
                    self._save()
            self._end_epoch(progress)
        self._world.wait()
        self._load_weights(self._folder.load_best())
        return self._at

    def resume(self) -> bool:
        """Goes back to the last checkpoint; False if there is none.

        Raises:
            RunError: the checkpoint is damaged.
        """
        state = self._folder.load()
        if state is None:
            return False
        self._load_weights(state["weights"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._at = Position(**state["position"])
        return True

    def _plan(self, epoch: int) -> list[list[list[int]]]:
        """The steps of an epoch, each as its batches."""
        frozen = kind_of(self._settings) == "vectors"
        batches = plan_epoch(
            self._data.sentences if frozen else self._data.rows,
            self._indices,
            self._settings.batch_sentences if frozen else self._settings.batch_tokens,
            padded=frozen,
            seed=self._settings.seed,
            epoch=epoch,
        )
        size = self._settings.accumulate * self._world.size
        return [batches[start : start + size] for start in range(0, len(batches), size)]

    def _step(self, batches: Sequence[Sequence[int]]) -> float:
        """One step of the optimiser; the mean loss of a sentence."""
        sentences = sum(self._data.sentences[index] for batch in batches for index in batch)
        share = factor(self._at.step, self._steps, self._settings)
        for group in self._optimiser.param_groups:
            group["lr"] = group["peak"] * share
        parameters = [p for group in self._optimiser.param_groups for p in group["params"]]
        for parameter in parameters:
            parameter.grad = torch.zeros_like(parameter)
        total = torch.zeros((), device=self._learner.device)
        self._learner.train()
        for number in range(self._world.rank, len(batches), self._world.size):
            seed = np.random.SeedSequence([self._settings.seed, self._at.step, number]).generate_state(1)
            torch.manual_seed(int(seed[0]))
            loss = self._learner.loss([self._data[index] for index in batches[number]]) / sentences
            loss.backward()  # type: ignore[no-untyped-call]
            total += loss.detach()
        self._world.sum([total, *(p.grad for p in parameters if p.grad is not None)])
        norm = float(torch.nn.utils.clip_grad_norm_(parameters, self._settings.clip))
        if not math.isfinite(norm):
            raise RunError("The loss is not a number any more; use a lower rate or fp32.")
        self._optimiser.step()
        self._at.step += 1
        values = {"loss": round(float(total), 6), "gradient": round(norm, 6), "rate": round(share, 6)}
        self._folder.add(event="step", step=self._at.step, epoch=self._at.epoch, **values)
        return float(total)

    def _end_epoch(self, progress: Callable[[str], None] | None) -> None:
        found = self._validator.measure(self._learner)
        at = self._at
        patience = self._settings.patience
        better = found.rouge1 > at.best or not patience
        if better:
            at.best, at.best_epoch = found.rouge1, at.epoch
            self._folder.save_best(self._weights())
        figures = {name: round(value, 6) for name, value in asdict(found).items()}
        self._folder.add(event="validation", step=at.step, epoch=at.epoch, **figures, best=better)
        if progress:
            progress(f"epoch {at.epoch + 1}: ROUGE-1 {found.rouge1:.4f}, ROUGE-2 {found.rouge2:.4f}")
        late = 0 < patience <= at.epoch - at.best_epoch
        at.epoch, at.group = at.epoch + 1, 0
        at.done = late or at.epoch == self._settings.epochs
        self._save()

    def _weights(self) -> dict[str, Tensor]:
        """What is trained, by name."""
        named = self._learner.model.named_parameters()
        return {name: p.detach().cpu() for name, p in named if p.requires_grad}

    def _load_weights(self, weights: dict[str, Tensor]) -> None:
        with torch.no_grad():
            for name, parameter in self._learner.model.named_parameters():
                if parameter.requires_grad:
                    parameter.copy_(weights[name])

    def _save(self) -> None:
        state: dict[str, Any] = {
            "weights": self._weights(),
            "optimiser": self._optimiser.state_dict(),
            "position": asdict(self._at),
        }
        self._folder.save(state)
