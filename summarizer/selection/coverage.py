"""What chosen sentences say together: which words to expect in a summary, and what a sentence adds.

A word of a note is expected in a summary as often as the probabilities of its sentences say. Of a word
expected q times, the k-th mention is worth the probability that a summary mentions it k times or more, with
counts distributed after Poisson. So a sentence gains by its own probability and by the words that those
already chosen do not cover.

The gain is monotone and submodular, for which greedy choice by gain per length is near the best one (Lin and
Bilmes 2011, "A Class of Submodular Functions for Document Summarization"); values of words stand in for the
concepts of Gillick and Favre 2009, "A Scalable Global Model for Summarization".
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

_SUMMARY = 200  # words of the summary whose counts are expected, or
_SHARE = 1 / 3  # of the note's, whichever is less
_LEAST = 1e-3  # mentions worth less are worth nothing
_FLOOR = 1e-4  # of the probability of a sentence, since scores have four decimals
_STEM = 6  # letters by which inflections of a word are taken for the same

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Terms:
    """How a gain is weighed, by what a budget counts; measured in docs/training.md.

    Attributes:
        salience: what a sentence of probability 1 is worth by itself, in words.
        salience_length: exponent of a sentence's words by which that is divided.
        length: the same for what it adds to the words covered.
    """

    salience: float
    salience_length: float
    length: float


PER_WORD = Terms(salience=10.0, salience_length=0.9, length=0.9)
# A long sentence takes no more of the budget here, but by the bare words it adds the longest would always be
# first. Its probability counts as it is: else of equal ones a fragment would come before what says something.
PER_SENTENCE = Terms(salience=10.0, salience_length=0.0, length=0.6)


class Coverage:
    """What each sentence of one document would add to those taken so far; starts with none.

    Args:
        sentences: of the document.
        probabilities: of each to belong into the summary.
        terms: how gains are weighed.
    """

    def __init__(self, sentences: Sequence[str], probabilities: Sequence[float], terms: Terms) -> None:
        split = [_words(sentence) for sentence in sentences]
        self._counts = [Counter(sentence) for sentence in split]
        words = [max(1, len(sentence)) for sentence in split]
        self._own: list[float] = [
            terms.salience * probability / count**terms.salience_length
            for count, probability in zip(words, probabilities, strict=True)
        ]
        self._cost: list[float] = [count**terms.length for count in words]
        self._worth = {w: _mentions(q) for w, q in _expected(self._counts, probabilities).items()}
        self._taken: Counter[str] = Counter()

    def gain(self, sentence: int) -> float:
        """Of a sentence beside those taken, for its length; it never grows as more are taken."""
        covered = 0.0
        for word, count in self._counts[sentence].items():
            before = self._taken[word]
            covered += sum(self._worth[word][before : before + count])
        return self._own[sentence] + covered / self._cost[sentence]

    def take(self, sentence: int) -> None:
        """Covers what a sentence says."""
        self._taken.update(self._counts[sentence])


def _words(text: str) -> list[str]:
    return [word[:_STEM] for word in _WORD.findall(text.casefold())]


def _expected(sentences: Sequence[Counter[str]], probabilities: Sequence[float]) -> dict[str, float]:
    """How often each word can be expected in a summary."""
    expected: dict[str, float] = {}
    for counts, probability in zip(sentences, probabilities, strict=True):
        weight = max(probability, _FLOOR)
        for word, count in counts.items():
            expected[word] = expected.get(word, 0.0) + weight * count
    length = min(_SUMMARY, _SHARE * sum(counts.total() for counts in sentences))
    share = length / (sum(expected.values()) or 1.0)
    return {word: share * weight for word, weight in expected.items()}


def _mentions(expected: float) -> list[float]:
    """The probabilities of at least 1, 2, 3, … mentions of a word expected so often."""
    worth: list[float] = []
    exactly = math.exp(-expected)
    more = 1.0 - exactly
    while more > _LEAST:
        worth.append(more)
        exactly *= expected / len(worth)
        more -= exactly
    return worth
