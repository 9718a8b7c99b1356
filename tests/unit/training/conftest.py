"""A corpus in a file."""

from pathlib import Path

import pytest

from tests.unit.training.invented import write_lines


@pytest.fixture
def corpus_file(tmp_path: Path) -> Path:
    """Forty articles of the ccdv schema, each with words of its own, and one blank line."""
    records = [
        {
            "article": f"patient {i} had a fever of grade {i % 5} . the night was calm . drug {i} ended it .",
            "abstract": f"drug {i} ended the fever of patient {i} .",
        }
        for i in range(40)
    ]
    path = write_lines(tmp_path / "articles.jsonl", records)
    path.write_text(path.read_text("utf-8").replace("\n", "\n\n", 1), "utf-8")
    return path
