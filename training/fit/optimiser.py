"""AdamW with a rate for each layer, and the course of the rates."""

import math
import re
from collections import defaultdict

import torch
from torch import nn

from summarizer.encoder.adapter import ADDED
from training.fit.settings import TrainSettings

_LAYER = re.compile(r"^encoder\.encoder\.layer\.(\d+)\.")


def make_optimiser(model: nn.Module, settings: TrainSettings) -> torch.optim.AdamW:
    """Of the parameters that have gradients; each group keeps its highest rate as `peak`."""
    names = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    depths = [int(found[1]) for name, _ in model.named_parameters() if (found := _LAYER.match(name))]
    top = max(depths, default=-1)
    groups: defaultdict[tuple[float, float], list[nn.Parameter]] = defaultdict(list)
    parameters = dict(model.named_parameters())
    for name in names:
        decay = settings.weight_decay if parameters[name].ndim > 1 else 0.0
        groups[rate_of(name, top, settings), decay].append(parameters[name])
    return torch.optim.AdamW(
        [
            {"params": group, "lr": rate, "peak": rate, "weight_decay": decay}
            for (rate, decay), group in groups.items()
        ],
        betas=(0.9, 0.98),
    )


def rate_of(name: str, top: int, settings: TrainSettings) -> float:
    """The highest learning rate of a parameter.

    Args:
        name: as `BertSum` names it.
        top: number of the encoder's last layer.
        settings: `lr`, `encoder_lr`, `layer_decay` and `lora_lr`.
    """
    if name.startswith("head."):
        return settings.lr
    if name.startswith("adapter."):
        return settings.encoder_lr if name.endswith(ADDED) else settings.lora_lr
    found = _LAYER.match(name)
    below = top - int(found[1]) if found else top + 1  # the embeddings are below them all
    return settings.encoder_lr * settings.layer_decay**below


def factor(step: int, steps: int, settings: TrainSettings) -> float:
    """Share of its highest rate at which a step is made: up in the warm-up, down after it.

    Args:
        step: from 0.
        steps: of the whole run.
        settings: `warmup` and `decay`.
    """
    warm = settings.warmup * steps
    if step + 1 < warm:
        return (step + 1) / warm
    done = max(0.0, step - warm) / max(1.0, steps - warm)
    if settings.decay == "linear":
        return max(0.0, 1 - done)
    return max(0.01, 0.5 * (1 + math.cos(math.pi * min(1.0, done))))
