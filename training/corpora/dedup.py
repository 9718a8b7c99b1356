"""Articles that share their content, found across and within splits by sequences of eight words.

Two documents are compared by containment: the share of the shorter one's word sequences ("shingles") that
the other has too (Broder, "On the resemblance and containment of documents", 1997). Words are runs of
letters and digits in lower case, with placeholders and citations out, so that one article is recognised in
every form of text.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray
from rouge_score.tokenize import NON_ALPHANUM_RE

from training.corpora.article import Article
from training.corpora.text_form import fill_numbers, remove_citations

__all__ = ["WIDTH", "ContentIndex", "Match", "distinct", "shingles"]

WIDTH = 8
THRESHOLD = 0.05
_RECENT = 500_000  # shingles in the dictionary before they move to the sorted arrays
_FACTOR = 0x9E3779B97F4A7C15  # odd, so that multiplying by it modulo 2**64 loses nothing

Hashes = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Match:
    """The indexed article that shares most, and the share (0 to 1) of the shorter one's shingles."""

    id: str
    share: float


def shingles(article: Article, width: int = WIDTH) -> Hashes:
    """The distinct word sequences of an article's document and reference, as sorted 64-bit hashes.

    A text shorter than `width` words is one sequence.
    """
    parts = []
    for text in (" ".join(article.sentences), " ".join(article.summary)):
        words = NON_ALPHANUM_RE.sub(" ", remove_citations(fill_numbers(text)).lower()).split()
        if words:
            parts.append(_rolled(words, min(width, len(words))))
    return np.unique(np.concatenate(parts)) if parts else np.empty(0, np.uint64)


def _rolled(words: list[str], width: int) -> Hashes:
    """One hash for each run of `width` words; the same on every machine."""
    known = {
        word: int.from_bytes(blake2b(word.encode(), digest_size=8).digest(), "big") for word in set(words)
    }
    hashes = np.array([known[word] for word in words], np.uint64)
    count = len(words) - width + 1
    rolled = np.zeros(count, np.uint64)
    for at in range(width):
        rolled = rolled * np.uint64(_FACTOR) + hashes[at : at + count]
    return rolled ^ (rolled >> np.uint64(29))


class ContentIndex:
    """Shingles of the articles seen, 12 bytes each; a shingle belongs to the first article that has it.

    What many articles share, such as stock phrases, so counts for the first alone, and a later article's
    copy is still found by what only these two have.
    """

    def __init__(self, articles: Iterable[Article] = ()) -> None:
        self._ids: list[str] = []
        self._sizes: list[int] = []
        self._hashes = np.empty(0, np.uint64)
        self._owners = np.empty(0, np.int32)
        self._recent: dict[int, int] = {}
        for article in articles:
            self.add(article)

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, article: Article) -> None:
        """Indexes one more article."""
        self._insert(article.id, shingles(article))

    def _insert(self, name: str, hashes: Hashes) -> None:
        owner = len(self._ids)
        self._ids.append(name)
        self._sizes.append(len(hashes))
        old = self._owned(hashes) >= 0
        self._recent |= dict.fromkeys(hashes[~old].tolist(), owner)
        if len(self._recent) > max(_RECENT, len(self._hashes) // 2):
            self._settle()

    def _settle(self) -> None:
        count = len(self._recent)
        hashes = np.concatenate([self._hashes, np.fromiter(self._recent.keys(), np.uint64, count)])
        owners = np.concatenate([self._owners, np.fromiter(self._recent.values(), np.int32, count)])
        order = np.argsort(hashes)
        self._hashes, self._owners = hashes[order], owners[order]
        self._recent = {}

    def _owned(self, hashes: Hashes) -> NDArray[np.int32]:
        """[n] the owner of each shingle, -1 where it is new."""
        owners = np.array([self._recent.get(value, -1) for value in hashes.tolist()], np.int32)
        if len(self._hashes):
            at = np.minimum(np.searchsorted(self._hashes, hashes), len(self._hashes) - 1)
            owners = np.where(self._hashes[at] == hashes, self._owners[at], owners)
        return owners

    def match(self, article: Article) -> Match | None:
        """The indexed article that shares most with this one; None if none shares anything."""
        return self._match(shingles(article))

    def _match(self, hashes: Hashes) -> Match | None:
        owners = self._owned(hashes)
        owners = owners[owners >= 0]
        if not len(owners):
            return None
        candidates, counts = np.unique(owners, return_counts=True)
        smaller = np.minimum(len(hashes), np.array([self._sizes[owner] for owner in candidates]))
        shares = counts / smaller
        best = int(shares.argmax())
        return Match(self._ids[candidates[best]], float(shares[best]))

    def shares(self, article: Article, threshold: float = THRESHOLD) -> bool:
        """Whether an indexed article shares more than `threshold` with this one."""
        found = self.match(article)
        return found is not None and found.share > threshold


def distinct(
    articles: Iterable[Article], held_out: ContentIndex | None = None, threshold: float = THRESHOLD
) -> Iterator[Article]:
    """The articles that share no more than `threshold` with one held out or one given before.

    Args:
        articles: a split, read one by one.
        held_out: the splits that must stay apart; it is not changed.
        threshold: containment above which two articles count as one.
    """
    seen = ContentIndex()
    for article in articles:
        if not seen.shares(article, threshold) and not (held_out and held_out.shares(article, threshold)):
            seen.add(article)
            yield article
