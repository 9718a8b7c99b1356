"""How the C library keeps memory: less than it does by itself, since one pass after another asks for much."""

import ctypes
import sys

_MMAP_THRESHOLD, _ARENA_MAX = -3, -8  # of `mallopt`, in glibc's malloc.h
_LARGE = 1 << 20  # bytes of a block that goes back to the system when it is freed
_ARENAS = 2  # pools that threads share; by itself there are eight for each processor


def keep_little() -> None:
    """Has this process give back what it frees, where the C library can; call it before threads begin.

    It takes 40 to 50 MB from a pass with a model, and nothing from its speed (`clinsum bench poll`).
    """
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    if library is not None and hasattr(library, "mallopt"):
        library.mallopt(_MMAP_THRESHOLD, _LARGE)
        library.mallopt(_ARENA_MAX, _ARENAS)
