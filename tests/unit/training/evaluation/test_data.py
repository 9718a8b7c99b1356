"""What `clinsum evaluate` reads: articles from JSON lines, and the sentences of strings."""

import gzip
import hashlib
import json
import lzma
from pathlib import Path

import pytest

from summarizer.types import Budget
from training.corpora.splitting import split_text
from training.evaluation.corpus import read_articles
from training.evaluation.errors import EvaluationError

BUDGET = Budget(words=20)
ROW = {"text": ["Fever rose.", "Cough fell."], "summary": ["Fever rose."]}


def written(path: Path, *rows: object) -> Path:
    lines = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows]
    data = b"".join(line + b"\n" for line in lines)
    pack = {".gz": gzip.compress, ".xz": lzma.compress}.get(path.suffix, bytes)
    path.write_bytes(pack(data))
    return path


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.jsonl.xz"])
def test_packed_files_read_alike(name: str, tmp_path: Path) -> None:
    path = written(tmp_path / name, ROW, {"article": "Fever rose. Cough fell.", "abstract": "Fever rose."})
    corpus = read_articles(path, BUDGET)
    first, second = (case.items[0] for case in corpus.cases)
    assert first == second
    assert first.sentences == ("Fever rose.", "Cough fell.")
    assert first.starts == (0, 12)
    assert first.reference == ("Fever rose.",)
    assert [case.line for case in corpus.cases] == [1, 2]
    assert corpus.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_bad_lines_are_named_with_their_reason_and_no_text(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.jsonl",
        ROW,
        b"{secret",
        b"\xff",
        [],
        {"summary": "x"},
        {"text": "Secret."},
        {"text": 3, "summary": "x"},
        {"text": [" "], "summary": "x"},
        b"",
        ROW,
    )
    corpus = read_articles(path, BUDGET)
    assert [case.line for case in corpus.cases] == [1, 10]
    assert [(bad.line, bad.reason) for bad in corpus.bad] == [
        (2, "not JSON"),
        (3, "not UTF-8"),
        (4, "not a JSON object"),
        (5, "no text or article"),
        (6, "no summary or abstract"),
        (7, "text is neither a string nor a list of strings"),
        (8, "text has no sentence"),
    ]


def test_reading_ends_after_the_limit(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", b"x", ROW, ROW, b"x", ROW)
    corpus = read_articles(path, BUDGET, limit=2)
    assert [case.line for case in corpus.cases] == [2, 3]
    assert [bad.line for bad in corpus.bad] == [1]


def test_a_damaged_file_is_one_sentence(tmp_path: Path) -> None:
    for name in ("a.jsonl.gz", "a.jsonl.xz"):
        path = written(tmp_path / name, *[ROW] * 50)
        path.write_bytes(path.read_bytes()[:40])
        with pytest.raises(EvaluationError, match="cannot be unpacked"):
            read_articles(path, BUDGET)


def test_a_file_of_nothing_usable_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="no line with a text and a summary"):
        read_articles(written(tmp_path / "a.jsonl", b"x"), BUDGET)
    with pytest.raises(EvaluationError, match="cannot be read"):
        read_articles(tmp_path / "missing.jsonl", BUDGET)


def test_a_newline_inside_a_sentence_is_no_end_of_one(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", {"text": ["Fever\n rose."], "summary": ["Fever\nrose.", " "]})
    (item,) = read_articles(path, BUDGET).cases[0].items
    assert item.sentences == item.reference == ("Fever rose.",)


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Mr. Roe has a fever. He coughs.", ("Mr. Roe has a fever.", "He coughs.")),
        (
            "the dose of 2.5 mg ( fig . 2 ) fell ,\nand pain rose . no one knew why .",
            ("the dose of 2.5 mg ( fig . 2 ) fell , and pain rose .", "no one knew why ."),
        ),
        (
            "BACKGROUND\nmice of m. avium subsp. avium were fed. they slept.\nresults of sleep\nit was good.",
            ("mice of m. avium subsp. avium were fed.", "they slept.", "results of sleep", "it was good."),
        ),
        ("BACKGROUND\n", ()),
        # A question and its answer are one sentence, in articles as in notes.
        ("did it work? yes", ("did it work? yes",)),
    ],
)
def test_sentences_of_natural_and_of_lower_cased_text(text: str, sentences: tuple[str, ...]) -> None:
    assert tuple(split_text(text)) == sentences
