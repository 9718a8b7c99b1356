"""The processes of one run: one, or as many as `torchrun` started."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor
from torch import distributed as dist

_PATIENCE = timedelta(days=2)  # the others wait while the first reads the corpus


@dataclass(frozen=True, slots=True)
class World:
    """Attributes: this process's number, and how many there are."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    def wait(self) -> None:
        """Until all are here."""
        if self.size > 1:
            dist.barrier()

    def sum(self, tensors: Iterable[Tensor]) -> None:
        """Adds up, in place, what every process has: one exchange for all of the tensors."""
        if self.size == 1:
            return
        found = list(tensors)
        flat = torch.cat([tensor.reshape(-1) for tensor in found])
        dist.all_reduce(flat)
        for tensor, part in zip(found, torch.split(flat, [t.numel() for t in found]), strict=True):
            tensor.copy_(part.view_as(tensor))

    def gather(self, mine: list[Any]) -> list[Any]:
        """The lists of all, one after the other."""
        if self.size == 1:
            return mine
        found: list[list[Any]] = [[] for _ in range(self.size)]
        dist.all_gather_object(found, mine)
        return [item for part in found for item in part]


@contextmanager
def joined(device: str) -> Iterator[World]:
    """Joins the processes that `torchrun` started, if it did; on GPUs each takes its own."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield World()
        return
    if device == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl" if device == "cuda" else "gloo", timeout=_PATIENCE)
    try:
        yield World(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()
