"""Files of labelled articles: JSON lines that say how they were made, written so that a stopped run goes on.

The first line holds the settings. Each further line accounts for one record of the corpus, in order: an
article with its labels, or why there is none.
"""

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from training.corpora.article import Article, ArticleSection
from training.corpora.schemas import Dropped
from training.errors import LabelFileError
from training.labels.oracle import Labels

__all__ = ["LabelWriter", "LabelledArticle", "Totals", "open_labels", "read_labels", "row_of"]

VERSION = 1
_KEY = "clinsum_labels"


@dataclass(frozen=True, slots=True)
class LabelledArticle:
    """An article and its targets."""

    article: Article
    labels: Labels


@dataclass(slots=True)
class Totals:
    """What a file of labels holds.

    Attributes:
        records: records of the corpus accounted for.
        articles, sentences, chosen: labelled articles, their sentences, and those with label 1.
        rouge: sum of the oracle's ROUGE over the articles.
        dropped: records without an article, by reason.
    """

    records: int = 0
    articles: int = 0
    sentences: int = 0
    chosen: int = 0
    rouge: float = 0.0
    dropped: Counter[str] = field(default_factory=Counter)

    def add(self, row: dict[str, Any]) -> None:
        """Counts one line of the file.

        Raises:
            KeyError, TypeError: it is no such line.
        """
        if row["record"] != self.records:
            raise KeyError("record")
        if "dropped" in row:
            self.dropped[row["dropped"]] += 1
        else:
            self.articles += 1
            self.sentences += len(row["labels"])
            self.chosen += sum(row["labels"])
            self.rouge += row["rouge"]
        self.records += 1

    def to_json(self) -> dict[str, Any]:
        """The totals as the command line prints them; `rouge` is the mean, null without an article."""
        return {
            "records": self.records,
            "articles": self.articles,
            "dropped": dict(sorted(self.dropped.items())),
            "sentences": self.sentences,
            "chosen": self.chosen,
            "rouge": self.rouge / self.articles if self.articles else None,
        }


def row_of(number: int, found: LabelledArticle | Dropped) -> dict[str, Any]:
    """One line of the file for record `number`."""
    if isinstance(found, Dropped):
        return {"record": number, "dropped": found.value}
    article, labels = found.article, found.labels
    sections = article.sections and [[part.title, part.start, part.end] for part in article.sections]
    return {
        "record": number,
        "id": article.id,
        "source": article.source,
        "text": article.sentences,
        "sections": sections,
        "summary": article.summary,
        "labels": labels.labels,
        "order": labels.order,
        "alone": labels.alone,
        "gain": labels.gain,
        "rouge": labels.rouge,
    }


def read_labels(path: Path) -> Iterator[LabelledArticle]:
    """The labelled articles of a file, one by one; the settings and what was dropped are passed over.

    Raises:
        LabelFileError: the file cannot be read or is no file of labels.
    """
    try:
        with path.open(encoding="utf-8") as lines:
            if _KEY not in json.loads(next(lines, "{}")):
                raise LabelFileError(f"{path.name} does not begin as a file of labels.")
            for line in lines:
                row = json.loads(line)
                if "dropped" not in row:
                    yield _labelled(row)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LabelFileError(f"{path.name} is no whole file of labels ({type(error).__name__}).") from error


def _labelled(row: dict[str, Any]) -> LabelledArticle:
    sections = row["sections"]
    article = Article(
        id=row["id"],
        sentences=tuple(row["text"]),
        sections=None if sections is None else tuple(ArticleSection(*part) for part in sections),
        summary=tuple(row["summary"]),
        source=row["source"],
    )
    targets = {name: tuple(row[name]) for name in ("labels", "order", "alone", "gain")}
    return LabelledArticle(article, Labels(**targets, rouge=row["rouge"]))


@dataclass(frozen=True, slots=True)
class LabelWriter:
    """A file of labels that is open for more lines."""

    file: IO[bytes]
    totals: Totals

    def add(self, rows: Iterable[dict[str, Any]]) -> None:
        """Writes lines and hands them to the operating system, so that a killed process keeps them."""
        lines = []
        for row in rows:
            self.totals.add(row)
            lines.append(
                json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
            )
        self.file.write(b"".join(line + b"\n" for line in lines))
        self.file.flush()


def open_labels(path: Path, settings: dict[str, Any]) -> LabelWriter:
    """Begins a file of labels, or goes on with one; a last line that was cut short is taken off.

    Raises:
        LabelFileError: the file holds something else, was made with other settings, or cannot be written.
    """
    head = {_KEY: VERSION, "settings": settings}
    totals = Totals()
    try:
        file = path.open("r+b") if path.exists() else path.open("w+b")
        try:
            end = _read_on(file, head, totals, path.name)
            file.seek(end)
            file.truncate()
            if not end:
                file.write(json.dumps(head).encode() + b"\n")
                file.flush()
        except BaseException:
            file.close()
            raise
    except OSError as error:
        raise LabelFileError(f"{path} cannot be written: {os.strerror(error.errno or 0)}.") from error
    return LabelWriter(file, totals)


def _read_on(file: IO[bytes], head: dict[str, Any], totals: Totals, name: str) -> int:
    """Counts the whole lines of a file and returns where they end."""
    end = 0
    for line in file:
        if not line.endswith(b"\n"):
            break
        try:
            row = json.loads(line)
            if end:
                totals.add(row)
        except (ValueError, KeyError, TypeError):
            raise LabelFileError(f"{name} holds something else than labels; choose another name.") from None
        if not end and row != head:
            if _is_head(row) and not file.read(1):  # begun, and nothing labelled: begun anew
                return 0
            raise LabelFileError(_difference(row, head, name))
        end += len(line)
    if not end and file.seek(0, os.SEEK_END):
        raise LabelFileError(f"{name} holds something else than labels; choose another name.")
    return end


def _is_head(row: Any) -> bool:
    return isinstance(row, dict) and _KEY in row


def _difference(found: Any, wanted: dict[str, Any], name: str) -> str:
    if not _is_head(found):
        return f"{name} holds something else than labels; choose another name."
    old = found.get("settings", {})
    changed = [key for key, value in wanted["settings"].items() if old.get(key) != value]
    what = " and ".join(changed) or "version"
    return f"{name} was begun with another {what}; choose another name or remove it."
