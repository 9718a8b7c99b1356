"""Whether a note seems to be in another language than English, told by its small words."""

import tomllib
from functools import cache
from importlib.resources import files

NOTICE = "the note seems not to be in English, and the model was made for English"
"""What readers are told; one remark of `NoteText.notice`, so without a semicolon."""
_SAMPLE = 20_000
"""In so many characters a note shows its language."""
_LEAST_WORDS, _LEAST_DIFFERENT = 6, 4
"""Fewer small words could be a name, a title or a quotation."""
_LATIN = "\u024f"
"""The last letter of the Latin blocks; what comes behind it is of other scripts."""
_LEAST_LETTERS = 40


def language_notice(text: str) -> str:
    """`NOTICE` where a text is certainly not in English, "" otherwise.

    It is where it holds many small words of one other language and twice as many as English ones, or where
    most of its letters are of another script. Lists of drugs, tables and names hold too few to tell.
    """
    sample = text[:_SAMPLE]
    if not sample.isascii() and _of_other_script(sample):
        return NOTICE
    words = sample.lower().split()
    different = set(words)
    english, others = _small_words()
    for small in others:
        if len(small & different) < _LEAST_DIFFERENT:
            continue
        count = sum(word in small for word in words)
        if count >= _LEAST_WORDS and count > 2 * sum(word in english for word in words):
            return NOTICE
    return ""


def _of_other_script(text: str) -> bool:
    letters = [letter for letter in text if letter.isalpha()]
    return len(letters) >= _LEAST_LETTERS and 2 * sum(letter > _LATIN for letter in letters) > len(letters)


@cache
def _small_words() -> tuple[frozenset[str], tuple[frozenset[str], ...]]:
    """Those of English, and those of each other language."""
    read = tomllib.loads(files(__package__).joinpath("languages.toml").read_text(encoding="utf-8"))
    return frozenset(read["english"]), tuple(frozenset(words) for words in read["others"].values())
