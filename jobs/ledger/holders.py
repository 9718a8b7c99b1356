"""Names of those who hold leases, by which another process of the same machine sees that one is dead.

A name says which process it is: a hash of the boot and of the process and time namespaces, the process id,
and when it started, as Linux shows them in /proc (proc(5)). Only a process that sees the same processes under
the same numbers can tell, so one in another container or on another machine leaves the lease to run out.
Where /proc is not there, names say nothing, and none is taken for dead.
"""

import hashlib
import itertools
import os
import re
import uuid
from pathlib import Path

_PROC = Path("/proc")
_NAMED = re.compile(r"p([0-9a-f]{8})\.([0-9a-f]{1,7})\.([0-9a-f]{1,10})\.[0-9a-f]{1,4}")  # 32 characters
_STATE, _STARTED = 0, 19  # fields behind the name in /proc/<pid>/stat
_GONE = ("Z", "X", "x")  # nothing of it runs any more
_numbers = itertools.count()


def new_holder() -> str:
    """A name for a holder in this process, at most 32 characters; one that says nothing where it cannot."""
    place, started = _place(), _stat(os.getpid())
    if not place or started is None:
        return uuid.uuid4().hex
    return f"p{place}.{os.getpid():x}.{int(started[_STARTED]):x}.{next(_numbers) & 0xFFFF:x}"


def is_dead(holder: str) -> bool:
    """Whether a holder's process is known to have ended; False where that cannot be told."""
    named = _NAMED.fullmatch(holder)
    if named is None or named[1] != _place():
        return False
    pid, started = int(named[2], 16), int(named[3], 16)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        pass  # it is there, and somebody else's
    shown = _stat(pid)
    return shown is not None and (int(shown[_STARTED]) != started or shown[_STATE] in _GONE)


def _place() -> str:
    """Eight digits that are the same for all who see the same processes since the same boot; "" for none."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text("ascii")
        spaces = [os.readlink(_PROC / "self/ns" / name) for name in ("pid", "time")]
    except OSError:
        return ""
    return hashlib.sha256(" ".join([boot, *spaces]).encode()).hexdigest()[:8]


def _stat(pid: int) -> list[str] | None:
    """State and what follows of a process; None where it cannot be seen."""
    try:
        fields = (_PROC / str(pid) / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return None
    return fields if len(fields) > _STARTED and fields[_STARTED].isdecimal() else None
