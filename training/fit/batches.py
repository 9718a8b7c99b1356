"""Which documents go through together: of like length, and as many as the memory holds.

The plan of an epoch follows from the seed alone, so that every process has the same and a stopped run goes on
with what would have come next.
"""

import random
from collections.abc import Sequence

_JITTER = 0.2  # how far apart in length documents may be that could come together


def plan_epoch(
    sizes: Sequence[int], indices: Sequence[int], limit: int, *, padded: bool, seed: int, epoch: int
) -> list[list[int]]:
    """Batches of one epoch in the order in which they come; every document is in exactly one.

    Args:
        sizes: length of each document.
        indices: the documents to use.
        limit: most that a batch costs, unless one document alone costs more.
        padded: whether documents of a batch are padded to the longest; else a batch costs the sum of its
            sizes.
        seed: decides with the epoch what comes together and when.
        epoch: from 0.
    """
    draw = random.Random(f"{seed}:{epoch}")
    by_length = sorted(indices, key=lambda i: (sizes[i] * (1 + _JITTER * draw.random()), i))
    batches: list[list[int]] = []
    batch: list[int] = []
    longest = total = 0
    for index in by_length:
        longest, total = max(longest, sizes[index]), total + sizes[index]
        if batch and (longest * (len(batch) + 1) if padded else total) > limit:
            batches.append(batch)
            batch, longest, total = [], sizes[index], sizes[index]
        batch.append(index)
    if batch:
        batches.append(batch)
    draw.shuffle(batches)
    return batches


def widths(lengths: Sequence[int], waste: float = 0.25) -> list[list[int]]:
    """Rows grouped so that none is padded by more than this share of the longest of its group."""
    order = sorted(range(len(lengths)), key=lambda i: (-lengths[i], i))
    groups: list[list[int]] = []
    for index in order:
        if groups and lengths[index] >= (1 - waste) * lengths[groups[-1][0]]:
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups
