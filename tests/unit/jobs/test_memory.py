"""What the C library keeps of memory that was freed."""

import subprocess
import sys

import pytest

KEPT = """
from pathlib import Path
from jobs.memory import keep_little

def held():
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:")) // 1024

def work():
    before = held()
    blocks = [bytearray(2 << 20) for _ in range(40)]
    small = [bytes(600) for _ in range(20_000)]  # keeps the end of the heap
    del blocks
    return held() - before

if LITTLE:
    keep_little()
bytes_of_one = bytearray(16 << 20); del bytes_of_one  # after which such blocks are taken from the heap
print(work())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only there is the C library asked")
def test_large_blocks_go_back_to_the_system() -> None:
    def kept(little: bool) -> int:
        code = f"LITTLE = {little}\n{KEPT}"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        return int(done.stdout)

    assert kept(little=True) < 30
