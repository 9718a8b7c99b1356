"""Shared content is found in whatever form of text it stands."""

import random

import numpy as np
import pytest

from training.corpora import dedup
from training.corpora.article import Article
from training.corpora.dedup import ContentIndex, distinct, shingles


def invented(seed: int, words: int = 400) -> Article:
    draw = random.Random(seed)
    text = [f"{draw.choice('bcdfg')}{draw.randrange(10**6)}" for _ in range(words)]
    sentences = tuple(" ".join(text[at : at + 20]) + "." for at in range(0, words, 20))
    summary = " ".join(f"s{draw.randrange(10**6)}" for _ in range(12))
    return Article(f"a{seed}", sentences, None, (summary,), "text")


def mixed(name: str, first: Article, second: Article, count: int) -> Article:
    return Article(name, first.sentences[:count] + second.sentences, None, second.summary, "text")


def test_a_shingle_is_eight_words_in_any_form_of_text() -> None:
    printed = Article("1", ("Iron fell [3] in 12% (Roe et al., 2010), and it rose.",), None, (), "text")
    spaced = Article("2", ("iron fell in 12% , and", "it rose ."), None, (), "text")
    assert shingles(printed).tolist() == shingles(spaced).tolist()
    assert len(shingles(printed)) == 1
    assert len(shingles(Article("3", (), None, (), "text"))) == 0


def test_hashes_are_the_same_in_every_process() -> None:
    assert shingles(
        Article("1", ("one two three four five six seven eight",), None, (), "text")
    ).tolist() == [2825972275289704103]


def test_the_closest_article_and_its_share_are_told() -> None:
    index = ContentIndex(invented(seed) for seed in range(20))
    assert len(index) == 20
    copy = index.match(invented(7))
    assert copy is not None
    assert (copy.id, copy.share) == ("a7", 1.0)
    partly = index.match(mixed("m", invented(3), invented(99), 5))
    assert partly is not None
    assert partly.id == "a3"
    assert partly.share == pytest.approx(93 / len(shingles(invented(3))))
    assert index.match(invented(99)) is None


def test_a_short_piece_of_a_long_article_is_found_either_way() -> None:
    long = invented(1)
    piece = Article("piece", long.sentences[:3], None, (), "text")
    assert ContentIndex([long]).shares(piece, 0.9)
    assert ContentIndex([piece]).shares(long, 0.9)


def test_the_index_keeps_what_it_knew_when_it_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dedup, "_RECENT", 500)
    index = ContentIndex(invented(seed) for seed in range(12))
    for seed in range(12):
        found = index.match(invented(seed))
        assert found is not None
        assert (found.id, found.share) == (f"a{seed}", 1.0)
    index.add(invented(3))
    assert np.all(index._owned(shingles(invented(3))) == 3)


def test_splits_come_out_distinct() -> None:
    training = [
        invented(1),
        invented(2),
        mixed("close", invented(1), invented(50), 4),
        invented(3),
        invented(2),
    ]
    held_out = ContentIndex([mixed("test", invented(3), invented(60), 10)])
    assert [article.id for article in distinct(training, held_out)] == ["a1", "a2"]
    assert [article.id for article in distinct(training, threshold=0.5)] == ["a1", "a2", "close", "a3"]
