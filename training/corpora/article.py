"""What every corpus is brought to: an article in sentences, with a reference summary."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from training.corpora.text_form import Form, to_form

Fields = Mapping[str, Any]
"""A record of a corpus, as it was read."""

Parts = list[tuple[str, list[str]]]
"""Sections with their sentences; "" where one has no title."""


@dataclass(frozen=True, slots=True)
class ArticleSection:
    """`sentences[start:end]` stand under this title; "" where the section has none."""

    title: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Article:
    """One document of a corpus.

    Attributes:
        id: the corpus's own name for it, or its source and record number.
        sentences: in document order; none is empty.
        sections: in order, disjoint, covering every sentence; None where the corpus has no sections.
        summary: the sentences of the reference.
        source: which form of record it came from, such as `pmc`.
    """

    id: str
    sentences: tuple[str, ...]
    sections: tuple[ArticleSection, ...] | None
    summary: tuple[str, ...]
    source: str


def assemble(
    sections: Sequence[tuple[str, Sequence[str]]],
) -> tuple[tuple[str, ...], tuple[ArticleSection, ...]]:
    """Sentences and sections out of (title, sentences) pairs; sections without a sentence are left out."""
    sentences: list[str] = []
    found: list[ArticleSection] = []
    for title, inside in sections:
        if inside:
            found.append(ArticleSection(title, len(sentences), len(sentences) + len(inside)))
            sentences += inside
    return tuple(sentences), tuple(found)


def in_form(article: Article, form: Form) -> Article:
    """The article with every sentence and title in one form; sentences that become empty are left out."""
    summary = tuple(text for text in (to_form(line, form) for line in article.summary) if text)
    texts = [to_form(sentence, form) for sentence in article.sentences]
    if article.sections is None:
        return replace(article, sentences=tuple(text for text in texts if text), summary=summary)
    parts = [
        (to_form(part.title, form), [text for text in texts[part.start : part.end] if text])
        for part in article.sections
    ]
    sentences, sections = assemble(parts)
    return replace(article, sentences=sentences, sections=sections, summary=summary)
