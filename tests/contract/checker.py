"""The independent checker of `docs/`, called as its command line calls it."""

from typing import Any

from tests.contract.remembered import Answers
from tests.places import ROOT

_FILE = ROOT / "docs" / "check_offsets.py"
_CODE = compile(_FILE.read_text("utf-8"), str(_FILE), "exec")


def check(address: str, answers: Answers | None = None) -> int:
    """The exit code for the Composition at an address; what was checked is printed.

    Each call begins as a new process does: what an earlier one has read is not remembered, but by `answers`.
    """
    names: dict[str, Any] = {"__name__": "check_offsets"}
    exec(_CODE, names)
    if answers:
        names["get"] = names["get_once"] = answers.of(names["get"])
    code: int = names["main"]([address])
    return code
