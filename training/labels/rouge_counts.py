"""ROUGE-1 and ROUGE-2 of growing sentence sets, by counts that change instead of texts that are read again.

The numbers are those of `rouge_score` 0.1.2 to the last bit: the tokens are made by its own tokenizer, and
precision, recall and F1 by the same operations on the same integers in the same order. Its text is the
chosen sentences in document order joined by newlines, its n-grams run over the whole token sequence of that
text; so bigrams cross the borders of chosen sentences, and choosing a sentence between two others removes
the bigram that ran from one to the other.

Lin, "ROUGE: A Package for Automatic Evaluation of Summaries", 2004.
"""

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from importlib import import_module
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from rouge_score import tokenize

Metric = Literal["rouge1", "rouge2", "mean"]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_STEMS_KEPT = 1_000_000


class CachedStemmer:
    """The Porter stemmer that `rouge_score` uses, each word stemmed once."""

    def __init__(self) -> None:
        porter = import_module("nltk.stem.porter")  # here, since nltk takes 2 s and brings pandas and sklearn
        self.stem = lru_cache(maxsize=_STEMS_KEPT)(porter.PorterStemmer().stem)


@lru_cache(maxsize=1)
def _stemmer() -> CachedStemmer:
    return CachedStemmer()


def tokens_of(text: str, stemmer: bool) -> list[str]:
    """The tokens of `rouge_score`'s default tokenizer."""
    tokens: list[str] = tokenize.tokenize(text, _stemmer() if stemmer else None)
    return tokens


def fmeasure(hits: Floats, found: Floats, wanted: int) -> Floats:
    """F1 as `rouge_score` computes it.

    Args:
        hits: [n] n-grams in common, clipped by their number in the reference.
        found: [n] n-grams of the candidates.
        wanted: n-grams of the reference.

    Returns:
        [n] 2pr / (p + r), 0 where both are 0.
    """
    precision = hits / np.maximum(found, 1)
    recall = hits / max(wanted, 1)
    both = precision + recall
    return np.divide(2 * precision * recall, both, out=np.zeros_like(both), where=both > 0)


class RougeCounts:
    """A document, its reference and a set of chosen sentences that grows.

    Attributes:
        sizes: [n] tokens of each sentence.
    """

    def __init__(self, sentences: Sequence[str], reference: str, *, stemmer: bool = True) -> None:
        wanted = tokens_of(reference, stemmer)
        vocabulary = {token: i for i, token in enumerate(dict.fromkeys(wanted))}
        ids = [vocabulary[token] for token in wanted]
        # a token that the reference lacks is -1; all of them alike, as none can ever count
        self._sentences = [
            [vocabulary.get(token, -1) for token in tokens_of(sentence, stemmer)] for sentence in sentences
        ]
        self.sizes = np.array([len(tokens) for tokens in self._sentences], np.int64)
        self._width = len(vocabulary)
        self._wanted = (len(ids), max(len(ids) - 1, 0))
        self._first = np.array([tokens[0] if tokens else -1 for tokens in self._sentences], np.int64)
        self._last = np.array([tokens[-1] if tokens else -1 for tokens in self._sentences], np.int64)
        self._left1 = np.bincount(np.array(ids, np.int64), minlength=self._width)
        self._rows1, self._grams1, self._counts1 = self._unigrams()
        self._bigrams = {gram: i for i, gram in enumerate(dict.fromkeys(pairwise(ids)))}
        self._followers: dict[int, list[int]] = {}
        self._leaders: dict[int, list[int]] = {}
        for before, after in self._bigrams:
            self._followers.setdefault(before, []).append(after)
            self._leaders.setdefault(after, []).append(before)
        places = np.array([self._bigrams[gram] for gram in pairwise(ids)], np.int64)
        self._wanted2 = np.bincount(places, minlength=len(self._bigrams))
        self._inside = self._bigrams_inside()
        self._rows2, self._grams2, self._counts2 = _columns(self._inside)
        self._have2 = np.zeros(len(self._bigrams), np.int64)
        self._starts, self._ends = self._border_rows()
        self._with_tokens: list[int] = []  # the chosen sentences that have tokens, in document order
        self._tokens = 0
        self._hits = [0, 0]

    def _unigrams(self) -> tuple[Integers, Integers, Integers]:
        """Parallel columns (sentence, unigram of the reference, count), ordered by sentence."""
        flat = np.array([token for tokens in self._sentences for token in tokens], np.int64)
        rows = np.repeat(np.arange(len(self._sentences)), self.sizes)
        known = flat >= 0
        keys, counts = np.unique(rows[known] * max(self._width, 1) + flat[known], return_counts=True)
        return keys // max(self._width, 1), keys % max(self._width, 1), counts

    def _bigrams_inside(self) -> list[dict[int, int]]:
        """For each sentence the bigrams of the reference inside it, with their counts."""
        known = self._bigrams
        return [
            Counter(known[gram] for gram in pairwise(tokens) if gram in known) for tokens in self._sentences
        ]

    def _border_rows(self) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
        """Sentences by their first token and by their last, where a border bigram may count."""
        starts: dict[int, list[int]] = {}
        ends: dict[int, list[int]] = {}
        for row, tokens in enumerate(self._sentences):
            if tokens:
                starts.setdefault(tokens[0], []).append(row)
                ends.setdefault(tokens[-1], []).append(row)
        return starts, ends

    def scores(self, metric: Metric) -> Floats:
        """[n] the ROUGE of the chosen sentences with each sentence added.

        For a sentence without tokens that is the present score; for one that is chosen already the value
        has no meaning.
        """
        found = self._tokens + self.sizes
        if metric == "rouge1":
            return self._rouge1(found)
        if metric == "rouge2":
            return self._rouge2(found)
        return (self._rouge1(found) + self._rouge2(found)) / 2

    def _rouge1(self, found: Integers) -> Floats:
        gained = np.minimum(self._counts1, self._left1[self._grams1])
        hits = np.bincount(self._rows1, gained, len(self.sizes)).astype(np.float64) + self._hits[0]
        return fmeasure(hits, found.astype(np.float64), self._wanted[0])

    def _rouge2(self, found: Integers) -> Floats:
        left = np.maximum(self._wanted2 - self._have2, 0)
        gained = np.minimum(self._counts2, left[self._grams2])
        hits = np.bincount(self._rows2, gained, len(self.sizes)).astype(np.float64) + self._hits[1]
        for row in self._border_candidates():
            hits[row] = self._hits[1] + self._gain2(row)
        return fmeasure(hits, np.maximum(found - 1, 0).astype(np.float64), self._wanted[1])

    def _border_candidates(self) -> set[int]:
        """Sentences whose addition makes or breaks a bigram of the reference at a border."""
        rows: set[int] = set()
        chosen = self._with_tokens
        for at in range(len(chosen) + 1):
            low = chosen[at - 1] if at else -1
            high = chosen[at] if at < len(chosen) else len(self.sizes)
            before = int(self._last[low]) if at else -1
            after = int(self._first[high]) if at < len(chosen) else -1
            if (before, after) in self._bigrams:
                rows.update(row for row in range(low + 1, high) if self.sizes[row])
                continue
            rows.update(_between(self._starts, self._followers.get(before, ()), low, high))
            rows.update(_between(self._ends, self._leaders.get(after, ()), low, high))
        return rows

    def _change2(self, row: int) -> dict[int, int]:
        """How the counts of the reference's bigrams change when a sentence with tokens is added."""
        at = bisect_left(self._with_tokens, row)
        before = int(self._last[self._with_tokens[at - 1]]) if at else -1
        after = int(self._first[self._with_tokens[at]]) if at < len(self._with_tokens) else -1
        change = dict(self._inside[row])
        first, last = int(self._first[row]), int(self._last[row])
        for gram, by in (((before, first), 1), ((last, after), 1), ((before, after), -1)):
            place = self._bigrams.get(gram)
            if place is not None:
                change[place] = change.get(place, 0) + by
        return change

    def _gain2(self, row: int) -> int:
        """By how much the clipped bigrams in common grow; below 0 where a broken border costs more."""
        gain = 0
        for place, by in self._change2(row).items():
            wanted, have = int(self._wanted2[place]), int(self._have2[place])
            gain += min(wanted, have + by) - min(wanted, have)
        return gain

    def add(self, row: int) -> None:
        """Chooses a sentence; to choose one again is an error of the caller."""
        if not self.sizes[row]:
            return
        self._hits[1] += self._gain2(row)
        for place, by in self._change2(row).items():
            self._have2[place] += by
        start, end = np.searchsorted(self._rows1, [row, row + 1])
        grams = self._grams1[start:end]
        used = np.minimum(self._counts1[start:end], self._left1[grams])
        self._left1[grams] -= used
        self._hits[0] += int(used.sum())
        self._tokens += int(self.sizes[row])
        insort(self._with_tokens, row)


def _columns(counts: Sequence[dict[int, int]]) -> tuple[Integers, Integers, Integers]:
    """Parallel columns (sentence, n-gram, count)."""
    flat = [(row, gram, count) for row, grams in enumerate(counts) for gram, count in grams.items()]
    table = np.array(flat, np.int64).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2]


def _between(rows_of: dict[int, list[int]], tokens: Sequence[int], low: int, high: int) -> list[int]:
    """The rows above `low` and below `high` that are filed under one of the tokens."""
    found: list[int] = []
    for token in tokens:
        rows = rows_of.get(token, ())
        found += rows[bisect_left(rows, low + 1) : bisect_left(rows, high)]
    return found
