"""Time in proportion to the note: every regular expression, and every stage that a note's text goes through.

Nothing here is held to seconds. Inputs are doubled and the ratio of processor times is looked at, where 2 is
linear and 4 a square; the least of several tries counts.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from fhir_adapter.note import Content
from fhir_adapter.text import Limits
from fhir_adapter.text.formats import read
from summarizer.assertion.flags import sentence_flags
from summarizer.assertion.statements import with_neighbours
from summarizer.bertsum.features import features
from summarizer.pinned.find import find_pinned
from summarizer.segmentation.segment import segment
from summarizer.splitting.split import Split
from tests.faults.patterns import ROOT

GROWTH = 3.2
TRIES = 4
LINES = {
    "sentences": "He was well today. ",
    "leaning": "It was removed. ",
    "lines": "Pain was present.\n",
    "list": "- Take aspirin 81 mg daily.\n",
    "headings": "PLAN:\nThis is it.\n",
    "labels": "Allergies: none.\n",
    "rows": "Aspirin  81 mg  daily\n",
    "corrections": "Correction: left, not right. ",
    "flow-sheet": "a   b: ",
    "questions": "Is he well?\nyes\n",
    "one-word": "word ",
    "numbers": "1, ",
    "stops": "a. ",
}
SIZES = (1000, 2000)

# Patterns that see bounded inputs only, by file, and what bounds them.
BOUNDED = {"summarizer/segmentation/boilerplate.py": "lines of at most LONGEST characters"}


def test_no_pattern_takes_time_as_the_square_of_its_input() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.patterns"], cwd=ROOT, stdout=subprocess.PIPE, check=True
    )
    found = json.loads(done.stdout)
    assert found["patterns"] > 480
    assert [each for each in found["square"] if each["place"] not in BOUNDED] == []


def tries(work: Callable[[], object]) -> Iterator[float]:
    """The processor times of three tries, each made when it is asked for."""
    for _ in range(3):
        started = time.process_time()
        work()
        yield time.process_time() - started


def check(stage: Callable[[str], Callable[[], object]], unit: str) -> None:
    """A text twice as long takes at most `GROWTH` times as long, where that is long enough to tell.

    What is square is so every time; a machine that is busy with other things, once.
    """
    for _ in range(TRIES):
        short = min(tries(stage(unit * SIZES[0])))
        limit = max(0.01, GROWTH * short)
        if any(long < limit for long in tries(stage(unit * SIZES[1]))):  # the least is below where one is
            return
    pytest.fail(f"{short:.3f} s, then {limit:.3f} s or more")


@pytest.mark.parametrize("name", LINES)
def test_segmentation_is_linear(name: str) -> None:
    check(lambda text: lambda: segment(text), LINES[name])


@pytest.mark.parametrize("name", LINES)
def test_context_and_pinned_lines_are_linear(name: str) -> None:
    def stage(text: str) -> Callable[[], object]:
        parts = segment(text)

        def work() -> None:
            found = with_neighbours(text, parts)
            find_pinned(text, found)
            for s in found.sentences:
                sentence_flags(text, s.start, s.end, s.context)

        return work

    check(stage, LINES[name])


@pytest.mark.parametrize("name", LINES)
def test_features_are_linear(name: str) -> None:
    def stage(text: str) -> Callable[[], object]:
        parts = segment(text)
        document = Split(text, parts.sentences, parts.sections).document
        words = [[hash((i % 97, w)) % 30_000 for w in s.split()] for i, s in enumerate(document.sentences)]
        return lambda: features(words, document)

    check(stage, LINES[name])


@pytest.mark.parametrize("kind", ["text/plain", "text/html"])
@pytest.mark.parametrize("unit", ["<p>Pain.</p>", "<td>No", "<b ", "&amp;", "\t\n", "a  b\r\n"])
def test_extraction_is_linear(kind: str, unit: str) -> None:
    def stage(text: str) -> Callable[[], object]:
        content = Content("note", f"x{text}".encode(), kind)
        return lambda: read(content, Limits())

    check(stage, unit * 10)
