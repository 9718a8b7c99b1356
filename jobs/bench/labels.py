"""The oracle's labels by counts and by a loop over `rouge_score`, on the same articles in the same run."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

from rich.table import Table

from jobs.bench.oracle_reference import ReferenceOracle
from training.corpora.article import Article
from training.corpora.records import Corpus
from training.corpora.schemas import articles
from training.labels.oracle import Labels, OracleSettings, label

_REPEATS = 3
_WORDS = 4000  # an invented vocabulary, so that the bench needs no corpus


@dataclass(frozen=True, slots=True)
class Figures:
    """Processor time of one thread.

    Attributes:
        articles, sentences: how much was labelled both ways.
        identical: articles whose labels and soft targets agree to the last bit.
        loop: seconds an article, looping over `rouge_score`.
        counts: seconds an article by counts, best of three, stems cached.
        first: seconds an article by counts the first time, with no stem cached.
    """

    articles: int
    sentences: int
    identical: int
    loop: float
    counts: float
    first: float

    @property
    def ratio(self) -> float:
        """How many times as fast the counts are, stems cached."""
        return self.loop / self.counts

    def to_json(self) -> dict[str, float]:
        """The figures as the command line prints them."""
        return {
            "articles": self.articles,
            "sentences": self.sentences,
            "identical": self.identical,
            "loop_seconds": self.loop,
            "counts_seconds": self.counts,
            "counts_seconds_first": self.first,
            "ratio": self.ratio,
            "ratio_first": self.loop / self.first,
        }


def sample(data: str | None, count: int) -> list[Article]:
    """The first articles of a corpus, or invented ones of the length of a PubMed article.

    Raises:
        CorpusError: the corpus cannot be read.
    """
    if data is not None:
        return list(islice(articles(Corpus(data), form="as-is"), count))
    return [_invented(seed) for seed in range(count)]


def _invented(seed: int) -> Article:
    draw = random.Random(seed)
    ends = ("ation", "ing", "ed", "s", "al", "")
    words = [
        f"{draw.choice('bcdfglmnprst')}{draw.choice('aeiou')}{i:x}{draw.choice(ends)}" for i in range(_WORDS)
    ]
    weights = [1 / (rank + 1) for rank in range(_WORDS)]  # Zipf's law

    def sentence() -> str:
        return " ".join(draw.choices(words, weights, k=draw.randint(8, 40))) + "."

    sentences = tuple(sentence() for _ in range(85))
    summary = tuple(sentence() for _ in range(7))
    return Article(f"invented-{seed}", sentences, None, summary, "invented")


def _timed(work: Callable[[], list[Labels]]) -> tuple[float, list[Labels]]:
    began = time.process_time()
    found = work()
    return time.process_time() - began, found


def measure(found: Sequence[Article], settings: OracleSettings) -> Figures:
    """Labels the articles both ways.

    Raises:
        ValueError: there is no article.
    """
    if not found:
        raise ValueError("there is no article to label")
    reference = ReferenceOracle(settings)

    def by_counts() -> list[Labels]:
        return [label(article.sentences, article.summary, settings) for article in found]

    first, fast = _timed(by_counts)
    counts = min(_timed(by_counts)[0] for _ in range(_REPEATS))
    loop, slow = _timed(lambda: [reference.label(article.sentences, article.summary) for article in found])
    return Figures(
        articles=len(found),
        sentences=sum(len(article.sentences) for article in found),
        identical=sum(one == other for one, other in zip(fast, slow, strict=True)),
        loop=loop / len(found),
        counts=counts / len(found),
        first=first / len(found),
    )


def table(figures: Figures) -> Table:
    """The figures for people."""
    shown = Table("labels by", "ms an article", "times as fast", box=None)
    shown.add_row("loop over rouge_score", f"{figures.loop * 1e3:.1f}", "1")
    shown.add_row(
        "counts, no stem cached", f"{figures.first * 1e3:.2f}", f"{figures.loop / figures.first:.0f}"
    )
    shown.add_row("counts", f"{figures.counts * 1e3:.2f}", f"{figures.ratio:.0f}")
    shown.caption = f"{figures.identical} of {figures.articles} articles identical"
    return shown
