"""A corpus in two files, by its content alone: the same record always falls on the same side."""

import hashlib
import json
from pathlib import Path
from typing import Any

from summarizer.files import replaced
from training.corpora.records import Corpus
from training.errors import CorpusError

__all__ = ["bucket", "hold_out"]

_CHARACTERS = 4000  # of the content; enough to tell documents apart


def bucket(fields: dict[str, Any]) -> int:
    """0 to 99, evenly, by the document's words whatever their case and spacing.

    The document is `text`, `article`, `article_text` or `sections`; of a report, findings and impression.
    """
    found = next(
        (fields[key] for key in ("text", "article", "article_text", "sections") if fields.get(key)), None
    )
    if found is None:
        found = "".join(str(fields.get(key) or "") for key in ("findings", "impression"))
    words = found if isinstance(found, str) else json.dumps(found, sort_keys=True, ensure_ascii=False)
    folded = " ".join(words.lower().split())[:_CHARACTERS]
    return int(hashlib.sha256(folded.encode("utf-8", "surrogatepass")).hexdigest(), 16) % 100


def hold_out(corpus: Corpus, rest: Path, held: Path, percent: int) -> tuple[int, int]:
    """Writes the records of a corpus as JSON lines into two files; lines that are no objects are left out.

    Args:
        corpus: what is divided.
        rest: gets the records of the buckets from `percent` on.
        held: gets those below.
        percent: 1 to 99.

    Returns:
        How many records each file got.

    Raises:
        CorpusError: the corpus cannot be read, or a file cannot be written.
    """
    counts = [0, 0]
    try:
        with replaced(rest) as most, replaced(held) as few:
            for record in corpus.records():
                if record.fields is None:
                    continue
                side = bucket(record.fields) < percent
                line = json.dumps(record.fields, ensure_ascii=True, separators=(",", ":"))
                (few if side else most).write(line + "\n")
                counts[side] += 1
    except OSError as error:
        raise CorpusError(f"The two files cannot be written: {error.strerror}.") from None
    return counts[0], counts[1]
