"""Attention within each of several sequences that are laid end to end.

Where torch has a kernel for sequences of any length (`torch.nn.attention.varlen`: Dao 2023,
"FlashAttention-2"), it takes all at once. Elsewhere sequences of like lengths are padded to one width.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, groupby
from typing import cast

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor

from summarizer.encoder.transfer import Transfer

Attention = Callable[[Tensor], Tensor]
"""From (tokens, 3, heads, width of a head), queries, keys and values, to (tokens, heads, width of a head)."""

_AMPERE = (8, 0)  # the first GPUs that the kernel runs on


def attention_of(lengths: Sequence[int], transfer: Transfer, dtype: torch.dtype, step: int = 1) -> Attention:
    """The attention of one pack of sequences, made once for all its layers.

    Args:
        lengths: of the sequences; equal and like ones should be neighbours.
        transfer: of the device that computes.
        dtype: of queries, keys and values.
        step: widths that sequences are padded to are multiples of it, where they are padded; 1 for none.
    """
    if transfer.on_gpu and _has_kernel(dtype):
        return any_length(lengths, transfer)
    return padded(lengths, transfer, step)


def any_length(lengths: Sequence[int], transfer: Transfer) -> Attention:
    """By one kernel over all sequences, in half precision on a GPU."""
    from torch.nn.attention.varlen import varlen_attn

    ends = transfer.send(np.array([0, *accumulate(lengths)], np.int32))
    longest = max(lengths)

    def attend(qkv: Tensor) -> Tensor:
        q, k, v = qkv.unbind(1)
        attended = varlen_attn(q, k, v, ends, ends, longest, longest)
        return cast("Tensor", attended)  # alone, where nothing more is asked for

    return attend


def padded(lengths: Sequence[int], transfer: Transfer, step: int) -> Attention:
    """By a pass for each run of neighbours that are padded to one width."""
    runs = _runs(lengths, transfer, step)

    def attend(qkv: Tensor) -> Tensor:
        attended = qkv.new_empty(qkv.shape[0], *qkv.shape[2:])
        for run in runs:
            part = qkv[run.start : run.end]
            part = part.view(run.rows, -1, *part.shape[1:]) if run.places is None else part[run.places]
            q, k, v = part.permute(2, 0, 3, 1, 4)  # each (rows, heads, width, width of a head)
            there = None if run.there is None else run.there[:, None, None]
            values = F.scaled_dot_product_attention(q, k, v, there).transpose(1, 2)
            attended[run.start : run.end] = (
                values.flatten(0, 1) if run.kept is None else values.flatten(0, 1)[run.kept]
            )
        return attended

    return attend


@dataclass(frozen=True, slots=True)
class _Run:
    """Neighbours of one width.

    Attributes:
        start, end: their tokens.
        rows: how many they are.
        places: (rows, width), of each position its token, counted from `start`; None where none is padded.
        there: (rows, width), true where there is a token.
        kept: of the positions row by row those with a token.
    """

    start: int
    end: int
    rows: int
    places: Tensor | None = None
    there: Tensor | None = None
    kept: Tensor | None = None


def _runs(lengths: Sequence[int], transfer: Transfer, step: int) -> list[_Run]:
    found, start = [], 0
    for width, group in groupby(lengths, key=lambda n: -(-n // step) * step):
        counts = np.array(list(group))
        end = start + int(counts.sum())
        if (counts == width).all():
            found.append(_Run(start, end, len(counts)))
        else:
            within = np.arange(width)
            there = within < counts[:, None]
            places = np.where(there, (np.cumsum(counts) - counts)[:, None] + within, 0)
            tensors = (transfer.send(array) for array in (places, there, np.flatnonzero(there)))
            found.append(_Run(start, end, len(counts), *tensors))
        start = end
    return found


@cache
def _has_kernel(dtype: torch.dtype) -> bool:
    """Whether this GPU and this kind of numbers are of those that the kernel is made for."""
    nvidia = torch.version.hip is None and torch.cuda.get_device_capability() >= _AMPERE
    return nvidia and dtype in (torch.bfloat16, torch.float16)
