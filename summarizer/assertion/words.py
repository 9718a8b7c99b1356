"""Words of a statement as the rules see them, and the lists of `words.txt`."""

import re
from functools import lru_cache
from importlib.resources import files

START = "\x02"
END = "\x04"
CELL = "\x03"
_TOKEN = re.compile(r"\t| {3,}|\w+(?:['’]\w+)*|['’]\w+|\.{2,}|[^\w\s]")
# A sign right before a word says whether a finding is there: where a plus stands too, or at the beginning,
# from which a bullet was taken already. The rules know such a minus as a sign of its own.
_MINUS = "⊖"
_SIGNED = re.compile(r"\s*[-–−](?=[A-Za-z])|.*(?<![^\s,;(/])\+(?=[A-Za-z])", re.S)
_GLUED_MINUS = re.compile(r"(?<![^\s,;(/])[-–−](?=[A-Za-z])")
_ANSWER_BELOW = re.compile(r"\n(?=[ ]*(?:no|none|nil|never|denies|denied|negative|absent)\.?\s*\Z)", re.I)
_CLASSES = {"<n>": r"\d+", "<year>": r"(?:19|20)\d\d", "~": r"\w.*"}
CLASSES = ("<n>", "<year>", "<past>")


def tokens(text: str) -> list[str]:
    """The words and marks of a text in lower case, without white space but for the gap between two cells.

    >>> tokens("No h/o DVT.")
    ['no', 'h', '/', 'o', 'dvt', '.']
    """
    found = _TOKEN.findall(_as_read(text))
    return [CELL if token[0] in "\t " else token.lower() for token in found]


def token_spans(text: str) -> list[tuple[int, int]]:
    """Where each of `tokens(text)` stands."""
    return [match.span() for match in _TOKEN.finditer(_as_read(text))]


def _as_read(text: str) -> str:
    """The text with one apostrophe, signs told from dashes, an answer below as a cell; as long as before."""
    text = _ANSWER_BELOW.sub("\t", text.replace("’", "'"))
    return _GLUED_MINUS.sub(_MINUS, text) if _SIGNED.match(text) else text


def class_regex(name: str) -> str:
    """The regular expression that a whole word of a class, or of `~`, matches.

    `<past>` is a verb that tells what was done: one in -ed or of the list @past, and none of @arranged.
    """
    if name == "<past>":
        past, arranged = ("|".join(word_lists()[which]) for which in ("past", "arranged"))
        return rf"(?!(?:{arranged})$)(?:\w{{2,30}}ed|{past})"
    return _CLASSES[name]


def data_lines(name: str) -> list[str]:
    """The lines of a data file of this folder without comments and blank ones."""
    text = files("summarizer.assertion").joinpath(name).read_text(encoding="utf-8")
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


@lru_cache(maxsize=1)
def word_lists() -> dict[str, tuple[str, ...]]:
    """The named lists of `words.txt`, in the order of the file."""
    lists: dict[str, tuple[str, ...]] = {}
    for line in data_lines("words.txt"):
        name, _, words = line.partition(":")
        lists[name] = lists.get(name, ()) + tuple(words.split())
    return lists
