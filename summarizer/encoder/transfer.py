"""What goes to a device and comes back while it computes: on a GPU by pinned memory, on a CPU as it lies."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Array = npt.NDArray[Any]


class Transfer:
    """Copies between this process and one device.

    Results come back on a stream of their own, so that the next pass runs while those of the last are copied.

    Args:
        device: `cpu` or `cuda`.
    """

    def __init__(self, device: str) -> None:
        self._device = device
        self._back = torch.cuda.Stream() if device == "cuda" else None  # type: ignore[no-untyped-call]
        self.on_gpu = self._back is not None

    def send(self, values: Array) -> Tensor:
        """The array as a tensor of the device; nobody waits for the copy."""
        tensor = torch.from_numpy(np.ascontiguousarray(values))
        # The allocator of pinned memory keeps a block until the copies from it are done.
        return tensor if self._back is None else tensor.pin_memory().to(self._device, non_blocking=True)

    def fetch(self, tensor: Tensor) -> Callable[[], Array]:
        """Begins to bring a tensor back when it is computed; calling what is returned waits for it."""
        if self._back is None:
            return tensor.numpy
        self._back.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._back):
            host = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
            host.copy_(tensor, non_blocking=True)
            copied = torch.cuda.Event()  # type: ignore[no-untyped-call]
            copied.record(self._back)
        tensor.record_stream(self._back)

        def taken() -> Array:
            copied.synchronize()
            return host.numpy()

        return taken
