"""The notes that speeds are measured on: real ones from a file, or generated ones."""

import base64
import json
import lzma
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from jobs.bench.passes import generated_notes


def note_texts(file: Path | None, count: int) -> list[str]:
    """So many texts.

    Args:
        file: JSON lines, plain or `.xz`, each with the note as `text`; None for generated notes.
        count: at most.

    Raises:
        OSError, ValueError: the file cannot be read, or holds something else.
    """
    if file is None:
        found = (note["content"][0]["attachment"]["data"] for note in generated_notes(count))
        return [base64.b64decode(data).decode() for data in found]
    open_it = lzma.open if file.suffix == ".xz" else open
    try:
        with open_it(file, "rt", encoding="utf-8") as lines:
            texts = [json.loads(line)["text"] for line in islice(lines, count)]
    except (KeyError, TypeError, lzma.LZMAError) as error:
        raise ValueError(f"a line without `text` ({type(error).__name__})") from None
    if not texts or not all(isinstance(text, str) for text in texts):
        raise ValueError("no line with a `text`")
    return texts


def words_of(texts: Sequence[str]) -> float:
    """Words of a text in the mean."""
    return sum(len(text.split()) for text in texts) / len(texts)
