"""The words that segmentation knows: data files that a clinician can read and change, and their reader.

Each file says in comments what a list is for, with an example. A list of patterns has a table for each:
`pattern`, `why`, and an `example` that it must match, which a test holds.
"""

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def read(name: str) -> dict[str, Any]:
    """The tables and lists of `name.toml`."""
    return tomllib.loads(files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8"))


def words(name: str, *keys: str) -> frozenset[str]:
    """The words of one list of a file, or of several together."""
    return frozenset(word for key in keys for word in read(name)[key])


def alternatives(name: str, *keys: str) -> str:
    """The words of lists as a regular expression that matches any of them, the longest first."""
    return "|".join(map(re.escape, sorted(words(name, *keys), key=lambda word: (-len(word), word))))


def patterns(name: str, key: str) -> str:
    """The patterns of one list as one regular expression that matches any of them."""
    return "|".join(f"(?:{entry['pattern']})" for entry in read(name)[key])
