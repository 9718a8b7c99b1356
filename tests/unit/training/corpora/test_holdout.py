import json
from pathlib import Path

import pytest

from jobs.cli import run
from training.corpora.holdout import bucket, hold_out
from training.corpora.records import Corpus
from training.errors import CorpusError


def notes(count: int) -> list[dict[str, str]]:
    return [{"id": str(i), "text": f"Note {i}.\nPlan: return in {i} weeks."} for i in range(count)]


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + "no json\n", "utf-8")
    return path


def test_every_record_falls_on_one_side_and_always_the_same(tmp_path: Path) -> None:
    rows = notes(400)
    data = write(tmp_path / "notes.jsonl", rows)
    kept, held = hold_out(Corpus(str(data)), tmp_path / "a", tmp_path / "b", 20)
    assert kept + held == 400
    assert 50 <= held <= 110
    sides = [[json.loads(line) for line in (tmp_path / name).read_text().splitlines()] for name in "ab"]
    assert sorted(sides[0] + sides[1], key=lambda row: int(row["id"])) == rows

    reordered = write(tmp_path / "again.jsonl", rows[::-1])
    hold_out(Corpus(str(reordered)), tmp_path / "c", tmp_path / "d", 20)
    assert {row["id"] for row in sides[1]} == {
        json.loads(line)["id"] for line in (tmp_path / "d").read_text().splitlines()
    }


def test_case_spacing_and_other_fields_do_not_matter() -> None:
    assert bucket({"text": "Cough  for\ntwo weeks.", "id": 1}) == bucket({"text": "cough for two WEEKS."})
    assert bucket({"findings": "Clear.", "impression": "Normal."}) != bucket({"findings": "Effusion."})
    assert bucket({"sections": [{"title": "A", "paragraphs": ["One."]}]}) in range(100)


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    data = write(tmp_path / "notes.jsonl", notes(2))
    with pytest.raises(CorpusError, match="cannot be written"):
        hold_out(Corpus(str(data)), tmp_path / "no" / "a", tmp_path / "b", 20)


def test_the_command_says_how_many_went_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = write(tmp_path / "notes.jsonl", notes(50))
    assert run(["hold-out", str(data), str(tmp_path / "a"), str(tmp_path / "b"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["rest"] + found["held"] == 50
