"""Articles out of the records of every known corpus.

    for article in articles(Corpus("ccdv/pubmed-summarization", config="section", split="validation")):
        ...

| schema | record |
|---|---|
| `ccdv` | `article` and `abstract` as strings: `ccdv/pubmed-summarization` and files of its schema |
| `cohan` | `article_text`, `abstract_text`, `section_names`, `sections`: Cohan et al. 2018 as published |
| `sentences` | `article` and `abstract` as lists of sentences |
| `sumpubmed` | as `ccdv`, with `<dig>`, `<cit>` and headings in capitals |
| `text` | `text` (string or sentences) and `summary` (string or sentences) |
| `pmc` | `sections` of `title` and `paragraphs`; `abstract` of `title` and `text` |
| `radiology` | `findings` and what precedes them; the reference is the `impression` |
| `mtsamples` | `text`, a clinical note; the reference is its impression and assessment, cut out |
| `mtsamples-description` | the same note whole; the reference is its one-line `description` |
| `conclusions` | a note or report whole; the reference is its own impression, assessment and plan |
| `conclusions-moved` | the same with the sections in another order |
"""

import re
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any

from training.corpora import notes
from training.corpora.article import Article, ArticleSection, Fields, Parts, assemble, in_form
from training.corpora.records import Corpus, Record
from training.corpora.splitting import split_text
from training.corpora.text_form import Form

__all__ = ["SCHEMAS", "Article", "ArticleSection", "Corpus", "Dropped", "articles", "convert", "schema_of"]

_HEADING = re.compile(r"[A-Z][A-Z &,/-]+$")
_SUBHEADING = re.compile(r"[^.?!:;]{1,80}$")
_SUBHEADING_WORDS = 8
_BROKEN = re.compile(r"(?<![.?!:;\s])\s*\n\s*")
_MARKS = re.compile(r"</?S>")


class Dropped(StrEnum):
    """Why a record gives no article."""

    UNREADABLE = "unreadable"
    NO_SENTENCES = "no-sentences"
    NO_REFERENCE = "no-reference"
    HELD_OUT = "held-out"
    LICENCE = "licence"


def articles(
    corpus: Corpus, *, schema: str = "auto", form: Form = "benchmark", start: int = 0
) -> Iterator[Article]:
    """The articles of a corpus in one form of text; records without a document or reference are passed over.

    Args:
        corpus: where the records are.
        schema: one of `SCHEMAS`, or `auto` to tell by each record's fields.
        form: the form of text of every sentence.
        start: the number of the first record to read.

    Raises:
        CorpusError: the corpus cannot be read.
        ValueError: there is no such schema.
    """
    for record in corpus.records(start):
        found = convert(record, corpus.name, schema=schema, form=form)
        if isinstance(found, Article):
            yield found


def convert(
    record: Record, name: str, *, schema: str = "auto", form: Form = "benchmark"
) -> Article | Dropped:
    """The article of one record, or why there is none.

    Args:
        record: as `Corpus.records` gives it.
        name: the corpus's name, for the ids of records that have none.
        schema: as for `articles`.
        form: as for `articles`.

    Raises:
        ValueError: there is no such schema.
    """
    if schema != "auto" and schema not in SCHEMAS:
        raise ValueError(f"schema must be auto or one of {', '.join(SCHEMAS)}")
    fields = record.fields
    used = schema_of(fields) if schema == "auto" and fields is not None else schema
    if fields is None or used is None:
        return Dropped.UNREADABLE
    try:
        parts, summary = SCHEMAS[used](fields)
    except (KeyError, TypeError, AttributeError):  # fields that are missing or of another type
        return Dropped.UNREADABLE
    sentences, sections = assemble(parts)
    given = next((str(fields[key]) for key in ("id", "article_id", "uid") if fields.get(key)), "")
    article = Article(
        id=given or f"{name}:{record.number}",
        sentences=sentences,
        sections=sections if any(section.title for section in sections) else None,
        summary=tuple(summary),
        source=used,
    )
    article = in_form(article, form)
    if not article.sentences:
        return Dropped.NO_SENTENCES
    return article if article.summary else Dropped.NO_REFERENCE


def schema_of(fields: Fields) -> str | None:
    """The schema of a record by its fields; None if it is none of them.

    Clinical notes are taken as `mtsamples`; the other schemas of notes have the same fields, so name them.
    """
    if "article_text" in fields:
        return "cohan"
    if "sections" in fields:
        return "pmc"
    if "impression" in fields:
        return "radiology"
    if "article" in fields:
        if not isinstance(fields["article"], str):
            return "sentences"
        lines = fields["article"].splitlines()
        marked = "<dig>" in fields["article"] or "<cit>" in fields["article"]
        return "sumpubmed" if marked or any(_HEADING.match(line.strip()) for line in lines[:1]) else "ccdv"
    if "text" in fields:
        return "text" if "summary" in fields else "mtsamples" if "description" in fields else None
    return None


def _lines(value: Any) -> list[str]:
    """Sentences of a string, or a list of sentences as it is."""
    if value is None:
        return []
    if isinstance(value, str):
        return split_text(value)
    return [line for line in (" ".join(item.split()) for item in value) if line]


def _mended(text: str) -> str:
    """Line breaks only where a sentence ended; the corpus breaks some sentences in two."""
    return _BROKEN.sub(" ", text)


def _ccdv(fields: Fields) -> tuple[Parts, list[str]]:
    return [("", split_text(_mended(fields["article"])))], split_text(_mended(fields["abstract"]))


def _sentences(fields: Fields) -> tuple[Parts, list[str]]:
    return [("", _lines(fields["article"]))], _lines(fields["abstract"])


def _text(fields: Fields) -> tuple[Parts, list[str]]:
    return [("", _lines(fields["text"]))], _lines(fields["summary"])


def _cohan(fields: Fields) -> tuple[Parts, list[str]]:
    summary = _lines([_MARKS.sub("", line) for line in fields["abstract_text"]])
    titles, sections = fields.get("section_names"), fields.get("sections")
    if not titles or not sections:
        return [("", _lines(fields["article_text"]))], summary
    return [(str(title), _lines(inside)) for title, inside in zip(titles, sections, strict=False)], summary


def _sumpubmed(fields: Fields) -> tuple[Parts, list[str]]:
    summary = [line for line in fields["abstract"].splitlines() if not _HEADING.match(line.strip())]
    parts: Parts = [("", [])]
    for line in map(str.strip, fields["article"].splitlines()):
        if _HEADING.match(line):
            parts.append((line.lower(), []))
        elif _SUBHEADING.match(line) and len(line.split()) <= _SUBHEADING_WORDS:
            top = parts[-1][0].split(" / ")[0]
            parts.append((f"{top} / {line}" if top else line, []))
        else:
            parts[-1][1].extend(split_text(line))
    return parts, split_text("\n".join(summary))


def _pmc(fields: Fields) -> tuple[Parts, list[str]]:
    parts = [
        (str(section.get("title") or ""), split_text("\n".join(section["paragraphs"])))
        for section in fields["sections"]
    ]
    return parts, split_text("\n".join(part["text"] for part in fields["abstract"]))


SCHEMAS: dict[str, Callable[[Fields], tuple[Parts, list[str]]]] = {
    "ccdv": _ccdv,
    "cohan": _cohan,
    "sentences": _sentences,
    "sumpubmed": _sumpubmed,
    "text": _text,
    "pmc": _pmc,
    "radiology": notes.radiology,
    "mtsamples": notes.notes_without_conclusions,
    "mtsamples-description": notes.description,
    "conclusions": notes.conclusions,
    "conclusions-moved": notes.conclusions_moved,
}
