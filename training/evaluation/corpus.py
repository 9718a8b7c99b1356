"""Articles with abstracts, to measure ROUGE on."""

from collections.abc import Mapping
from itertools import accumulate
from pathlib import Path
from typing import Any

from summarizer.types import Budget
from training.corpora.splitting import split_text
from training.evaluation.errors import EvaluationError
from training.evaluation.lines import UnusableLineError, file_sha256, read_objects
from training.evaluation.types import BadLine, Case, Corpus, Item

_TEXT = ("text", "article")
_SUMMARY = ("summary", "abstract")


def read_articles(path: Path, budget: Budget, limit: int | None = None) -> Corpus:
    """Reads JSON lines with `text` (or `article`) and `summary` (or `abstract`), also from .gz and .xz files.

    Each of the two is a list of sentences or a string, which is split here. A line that cannot be used is
    named in `Corpus.bad`.

    Args:
        path: the file.
        budget: how much each summary may hold.
        limit: reading ends after so many usable lines.

    Raises:
        EvaluationError: the file cannot be read, or no line of it can be used.
    """
    cases: list[Case] = []
    bad: list[BadLine] = []
    sha256 = file_sha256(path)
    for number, row in read_objects(path):
        if isinstance(row, BadLine):
            bad.append(row)
            continue
        try:
            cases.append(Case(number, (_item(row, budget),)))
        except UnusableLineError as error:
            bad.append(BadLine(number, str(error)))
        if len(cases) == limit:
            break
    if not cases:
        raise EvaluationError(f"{path} has no line with a text and a summary.")
    return Corpus(path.name, sha256, tuple(cases), tuple(bad))


def _item(row: Mapping[str, Any], budget: Budget) -> Item:
    sentences = _sentences(row, _TEXT)
    reference = _sentences(row, _SUMMARY)
    starts = accumulate((len(sentence) + 1 for sentence in sentences[:-1]), initial=0)
    return Item(sentences, tuple(starts), budget, reference=reference)


def _sentences(row: Mapping[str, Any], names: tuple[str, ...]) -> tuple[str, ...]:
    """The sentences under the first of the names that is there, each on one line."""
    name = next((name for name in names if row.get(name) is not None), None)
    if name is None:
        raise UnusableLineError(f"no {' or '.join(names)}")
    value = row[name]
    if isinstance(value, str):
        found = tuple(split_text(value))
    elif isinstance(value, list) and all(isinstance(sentence, str) for sentence in value):
        found = tuple(value)
    else:
        raise UnusableLineError(f"{name} is neither a string nor a list of strings")
    # A newline inside a sentence would count as the end of one in ROUGE-Lsum.
    found = tuple(" ".join(sentence.split()) for sentence in found if sentence.strip())
    if not found:
        raise UnusableLineError(f"{name} has no sentence")
    return found
