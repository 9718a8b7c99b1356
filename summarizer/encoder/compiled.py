"""Graphs of OpenVINO at work: several runs at a time, each in one thread, all with the same bits every time.

A sum's last bits depend on the order in which threads add. So every run has one thread, and what more
processors give is runs side by side: a result depends neither on their number nor on what else is at work.
"""

import ctypes
import sys
import threading
from collections import deque
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from openvino import CompiledModel, Core, InferRequest, Model

from summarizer.encoder.runtime import processors

Array = npt.NDArray[Any]

_WARM = 8  # runs, after which weights are laid out for the processor and what that took can go
_SHAPES = 512  # of layers whose compiled code is kept; each costs some kilobytes


class Run:
    """One run of a graph, under way or done."""

    def __init__(self, request: InferRequest) -> None:
        self.request: InferRequest | None = request
        self.output: Array | None = None

    def finish(self) -> InferRequest | None:
        """Waits for it and takes its output; gives the request back, the first time."""
        request, self.request = self.request, None
        if request is not None:
            request.wait()
            self.output = np.array(request.get_output_tensor(0).data)
        return request


class Compiled:
    """A graph of one output, made for this processor.

    Args:
        graph: with inputs of any length.
        precision: `fp32` or `bf16`, of the factors of products.
        at_once: runs at a time, each with memory of its own; as many as there are processors if None.
    """

    def __init__(self, graph: Model, precision: str, at_once: int | None = None) -> None:
        count = at_once or processors()
        self._model: CompiledModel = _core().compile_model(
            graph,
            "CPU",
            {
                "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32",
                "NUM_STREAMS": count,
                "INFERENCE_NUM_THREADS": count,
                "CPU_RUNTIME_CACHE_CAPACITY": _SHAPES,
                "ENABLE_CPU_PINNING": False,  # beside other processes a pinned thread waits for its core
            },
        )
        _give_back()
        self._idle = [self._model.create_infer_request() for _ in range(count + 1)]
        self._busy: deque[Run] = deque()
        self._turn = threading.Lock()
        self._runs = 0

    def start(self, inputs: Sequence[Array]) -> Run:
        """Begins a run; waits for the longest begun where as many as there may be are under way."""
        with self._turn:
            while not self._idle:
                self._take(self._busy.popleft())
            request = self._idle.pop()
            request.start_async(list(inputs), share_inputs=False)
            run = Run(request)
            self._busy.append(run)
        return run

    def output(self, run: Run) -> Array:
        """What a run gave; waits for it."""
        with self._turn:
            self._take(run)
        if run.output is None:
            raise RuntimeError("a run of the graph gave no output")
        return run.output

    def __call__(self, *inputs: Array) -> Array:
        """One run, from beginning to end."""
        return self.output(self.start(inputs))

    def _take(self, run: Run) -> None:
        request = run.finish()
        if request is not None:
            self._runs += 1
            if self._runs == _WARM:
                _give_back()
            self._idle.append(request)
            if run in self._busy:
                self._busy.remove(run)


def _give_back() -> None:
    """Returns what the making of a graph left free to the system, where the C library can: 40 MB."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)


@cache
def _core() -> Core:
    return Core()
