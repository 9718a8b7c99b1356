"""The data files are well formed, and no pattern's work grows faster than its input."""

import time
from importlib.resources import files

import pytest

from summarizer.segmentation import vocabulary
from summarizer.segmentation.boilerplate import PATTERNS, is_boilerplate
from summarizer.segmentation.segment import segment
from summarizer.types import SectionKind

NAMES = sorted(
    path.name.removesuffix(".toml")
    for path in files(vocabulary.__name__).iterdir()
    if path.name.endswith(".toml")
)


@pytest.mark.parametrize("name", NAMES)
def test_words_are_written_once_and_without_white_space_around(name: str) -> None:
    for key, value in vocabulary.read(name).items():
        if isinstance(value, list) and all(isinstance(word, str) for word in value):
            assert [word for word in value if word != word.strip() or not word] == [], key


def test_kinds_of_sections_are_ours() -> None:
    titles = vocabulary.read("section_titles")
    for table in (titles["titles"], titles["last_word"], titles["first_words"], vocabulary.read("loinc")):
        assert {SectionKind(kind) for kind in table}


@pytest.mark.parametrize("index", range(len(PATTERNS)))
def test_each_pattern_of_boilerplate_has_its_why_and_matches_its_example(index: int) -> None:
    entry = vocabulary.read("boilerplate")["lines"][index]
    assert entry["why"]
    assert PATTERNS[index].match(entry["example"])
    assert is_boilerplate(entry["example"])


@pytest.mark.parametrize("index", range(len(PATTERNS)))
def test_a_pattern_of_boilerplate_takes_whole_lines_alone(index: int) -> None:
    example = vocabulary.read("boilerplate")["lines"][index]["example"]
    assert not is_boilerplate(f"{example} and the potassium is 6.9")
    assert not is_boilerplate(f"{example}: stop warfarin at once")


PIECES = (
    "Diabetes.........",
    "a . . . . . ",
    "Suicidal ideation? ",
    "A: no ",
    "cell | ",
    "1\t",
    "Word  two   ",
    "___ ",
    "(x) ",
    "Dr. Roe, MD ",
    "Dr. A B C D E, MD, ",
    "dear ",
    "ABC, ",
    "neg. ",
    "[1] ",
    "no ",
    "Table 1\n",
    "- x\n",
    "-x\n+y\n",
    "LABEL:\n",
    "A LINE THAT IS FULL TO ITS WIDTH AND GOES ON AND ON AND ON WITH\n",
    "1. a\n a. b\n",
    "a  b\n   c  d\n",
    "Page 1 of 2\n",
    "cc: ",
    "Electronically signed by ",
    "x: y\nStatus: z\n",
    "что это? ",
)


@pytest.mark.parametrize("piece", PIECES)
def test_twice_the_text_is_no_more_than_about_twice_the_work(piece: str) -> None:
    def work(size: int) -> float:
        text = piece * (size // len(piece))
        best = float("inf")
        for _ in range(2):
            begun = time.process_time()
            segment(text)
            best = min(best, time.process_time() - begun)
        return best

    work(4_000)
    # Quadratic work takes sixteen times as long, on however slow a machine, every time that it is measured.
    assert any(work(64_000) < 9 * work(16_000) + 0.1 for _ in range(4))
