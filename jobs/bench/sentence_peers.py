"""Runs other sentence splitters over texts: a script for any interpreter that has them.

PyRuSH needs an older spaCy than this project, so it lives in an environment of its own. The script needs
the standard library alone: it reads `{"tools": [names], "texts": [...], "speed": [...], "seconds": limit}`
from standard input and writes `{tool: {"version", "spans", "mb_per_s"}}` for each named tool that can be
imported.
"""

import json
import sys
import time
from collections.abc import Callable
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

Splitter = Callable[[str], list[tuple[int, int]]]


def sentencizer() -> Splitter:
    """SpaCy's rule-based sentencizer on a blank English pipeline."""
    import spacy

    pipeline = spacy.blank("en")
    pipeline.add_pipe("sentencizer")
    return lambda text: [(s.start_char, s.end_char) for s in pipeline(text).sents]


def pysbd() -> Splitter:
    """The pragmatic segmenter, English rules."""
    segmenter = import_module("pysbd").Segmenter(language="en", clean=False, char_span=True)
    return lambda text: [(s.start, s.end) for s in segmenter.segment(text)]


def pyrush() -> Splitter:
    """RuSH with its own rules, without its spaCy wrapper; its log, which shows the text, is off."""
    import_module("loguru").logger.remove()
    make = import_module("PyRuSH").RuSH
    files = metadata.files("PyRuSH") or []
    rules = next(Path(str(file.locate())) for file in files if file.name == "rush_rules.tsv")
    splitter = make(str(rules), enable_logger=False)
    return lambda text: [(s.begin, s.end) for s in splitter.segToSentenceSpans(text)]


TOOLS: dict[str, tuple[str, Callable[[], Splitter]]] = {
    "sentencizer": ("spacy", sentencizer),
    "pySBD": ("pysbd", pysbd),
    "PyRuSH": ("PyRuSH", pyrush),
}


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """A span without the white space at its ends."""
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())


def speed(split: Callable[[str], object], texts: list[str], seconds: float) -> float:
    """Megabytes of UTF-8 a second of processor time, over as many texts as fit the time, at least one."""
    split(texts[0])
    done = 0
    begin = time.process_time()
    for text in texts:
        split(text)
        done += len(text.encode())
        if time.process_time() - begin > seconds:
            break
    return done / 1e6 / max(time.process_time() - begin, 1e-9)


def measure(tools: list[str], texts: list[str], speed_texts: list[str], seconds: float) -> dict[str, Any]:
    """Spans of every text and the speed, for each tool that can be imported."""
    results: dict[str, Any] = {}
    for tool in tools:
        package, make = TOOLS[tool]
        try:
            split = make()
        except ImportError:
            continue
        spans = [[trimmed(text, *span) for span in split(text)] for text in texts]
        results[tool] = {
            "version": metadata.version(package),
            "spans": [[span for span in found if span[0] < span[1]] for found in spans],
            "mb_per_s": speed(split, speed_texts, seconds),
        }
    return results


if __name__ == "__main__":
    job = json.load(sys.stdin)
    json.dump(measure(job["tools"], job["texts"], job["speed"], job["seconds"]), sys.stdout)
