"""Which library computes, with which precision, and why: chosen once, by the model and the processor.

Measured on single windows, OpenVINO reads 1.1 to 2.2 times as many tokens a second as torch on a processor
with AMX, in less than half of its memory; torch computes on GPUs, and reads what is no plain BERT.
"""

import importlib.util
import os
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from summarizer.encoder.files import ModelFiles
from summarizer.errors import EngineError

Runtime = Literal["openvino", "torch"]

DEVICES = ("auto", "cpu", "cuda")
PRECISIONS = ("auto", "fp32", "bf16")
MIXED = "mixed"  # bf16, and fp32 where that decides: see `summarizer.summarizer.Summarizer`

_BF16 = frozenset(("amx_bf16", "avx512_bf16", "bf16"))  # the last is ARM's
_DRIVERS = ("/proc/driver/nvidia", "/dev/kfd", "/dev/dxg")  # NVIDIA, AMD, Windows' own Linux


@dataclass(frozen=True, slots=True)
class Choice:
    """What computes.

    Attributes:
        runtime: the library.
        device: `cpu` or `cuda`.
        precision: `fp32` or `bf16`.
        why: in a few words, for people.
    """

    runtime: Runtime
    device: str
    precision: str
    why: str


def choose(files: ModelFiles, device: str, precision: str, runtime: Runtime | None = None) -> Choice:
    """Chooses for a model on this machine, without loading anything heavy where there is no accelerator.

    Args:
        files: of the model.
        device: one of `DEVICES`.
        precision: one of `PRECISIONS`.
        runtime: None to choose by model, device and what is installed.

    Raises:
        EngineError: it is not possible, or needs what is not installed.
    """
    if device not in DEVICES or precision not in PRECISIONS:
        raise EngineError(
            f"Device {device!r} with precision {precision!r} is not possible: "
            f"the devices are {', '.join(DEVICES)}, the precisions {', '.join(PRECISIONS)}."
        )
    cuda = device != "cpu" and has_cuda()
    if device == "cuda" and not cuda:
        need_torch("The device cuda")
        raise EngineError("No CUDA device is there; use the device cpu or auto.")
    factors = "fp32" if precision == "auto" else precision
    if cuda or runtime == "torch":
        need_torch("This")
        return Choice("torch", "cuda" if cuda else "cpu", factors, "a GPU" if cuda else "as asked")
    if reason := _foreign(files):
        need_torch(f"The model {files.name!r}, {reason},")
        return Choice("torch", "cpu", factors, reason)
    return Choice("openvino", "cpu", factors, f"a plain BERT on {processor()}")


def installed(package: str) -> bool:
    """Whether a package could be imported."""
    return importlib.util.find_spec(package) is not None


def need_torch(what: str) -> None:
    """Raises EngineError where torch or transformers are not installed."""
    if not (installed("torch") and installed("transformers")):
        raise EngineError(f"{what} needs torch; install clinical-ai-summarizer[torch].")


def has_cuda() -> bool:
    """Whether torch sees a GPU; it is asked only where a driver is there, since that takes seconds."""
    if not installed("torch"):
        return False
    if sys.platform == "linux" and not any(Path(driver).exists() for driver in _DRIVERS):
        return False
    import torch

    return torch.cuda.is_available()


def quick_in_bf16(choice: Choice) -> bool:
    """Whether what computes is much quicker with bf16 than with fp32 there."""
    if choice.device == "cuda":
        import torch

        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return choice.runtime == "openvino" and has_bf16()


@cache
def has_bf16() -> bool:
    """Whether the processor multiplies bf16 by itself; False where it does not say."""
    return bool(_BF16 & _flags())


def processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def processor() -> str:
    """The processor in the words that matter here."""
    flags = _flags()
    if "amx_bf16" in flags:
        return "a processor with AMX"
    if "avx512_bf16" in flags:
        return "a processor with AVX-512 BF16"
    return "a processor with bf16" if "bf16" in flags else "this processor"


@cache
def _flags() -> frozenset[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return frozenset()
    words = [line.partition(":")[2] for line in lines if line.startswith(("flags", "Features"))]
    return frozenset(words[0].split()) if words else frozenset()


def _foreign(files: ModelFiles) -> str:
    """Why a model is none that OpenVINO's graph is made for; "" for a plain BERT."""
    from summarizer.encoder.bert import unlike_bert

    if not installed("openvino"):
        return "without OpenVINO"
    return unlike_bert(files)
