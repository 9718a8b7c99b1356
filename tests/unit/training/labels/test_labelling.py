"""Label files: complete, in order, the same whatever the workers, and gone on with after a kill."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jobs.cli import run
from tests.places import ROOT
from tests.unit.training.invented import RECORDS, write_lines
from training.corpora.schemas import Corpus, articles
from training.errors import CorpusError, LabelFileError
from training.labels.label_file import read_labels
from training.labels.labelling import LabelJob, label_corpus
from training.labels.oracle import OracleSettings, label


def job(path: Path, **more: object) -> LabelJob:
    return LabelJob(Corpus(str(path)), **more)  # type: ignore[arg-type]


def test_a_label_file_gives_back_articles_and_labels(corpus_file: Path, tmp_path: Path) -> None:
    how = OracleSettings("rouge1", max_words=30)
    totals = label_corpus(job(corpus_file, oracle=how), tmp_path / "out", workers=1)
    found = list(read_labels(tmp_path / "out"))
    assert [one.article for one in found] == list(articles(Corpus(str(corpus_file))))
    assert all(one.labels == label(one.article.sentences, one.article.summary, how) for one in found)
    assert (totals.records, totals.articles, totals.sentences) == (40, 40, 120)
    assert totals.chosen == sum(sum(one.labels.labels) for one in found) > 0


def test_sections_survive_the_file(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "in.jsonl", [RECORDS["pmc"], RECORDS["ccdv"]])
    label_corpus(job(path), tmp_path / "out", workers=1)
    assert [one.article for one in read_labels(tmp_path / "out")] == list(articles(Corpus(str(path))))


def test_workers_change_nothing(corpus_file: Path, tmp_path: Path) -> None:
    label_corpus(job(corpus_file), tmp_path / "one", workers=1)
    label_corpus(job(corpus_file), tmp_path / "two", workers=2)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize("cut", [0.0, 0.4, 0.99, 1.0])
def test_a_stopped_run_goes_on(corpus_file: Path, tmp_path: Path, cut: float) -> None:
    out = tmp_path / "out"
    label_corpus(job(corpus_file), out, workers=1)
    whole = out.read_bytes()
    head = whole.index(b"\n") + 1
    out.write_bytes(whole[: head + int(cut * (len(whole) - head))])
    totals = label_corpus(job(corpus_file), out, workers=1)
    assert out.read_bytes() == whole
    assert totals.articles == 40


def test_a_killed_run_goes_on_and_leaves_no_worker(corpus_file: Path, tmp_path: Path) -> None:
    lines = corpus_file.read_text("utf-8")
    corpus_file.write_text(lines * 200, "utf-8")
    out = tmp_path / "out"
    command = [sys.executable, "-c", "from jobs.cli import main; main()", "label", str(corpus_file), str(out)]
    process = subprocess.Popen([*command, "--workers", "2"], cwd=ROOT, start_new_session=True)
    until = time.monotonic() + 120
    while (
        process.poll() is None
        and (not out.exists() or out.stat().st_size < 20_000)
        and time.monotonic() < until
    ):
        time.sleep(0.01)
    assert process.poll() is None, "the run ended before it could be killed"
    process.kill()
    process.wait()
    while _alive(process.pid) and time.monotonic() < until:
        time.sleep(0.05)
    assert not _alive(process.pid)
    kept = out.read_bytes()
    records = kept.count(b"\n") - 1
    corpus_file.write_text(lines * (records // 40 + 2), "utf-8")  # a little more is left to label
    totals = label_corpus(job(corpus_file), out, workers=1)
    assert out.read_bytes().startswith(kept[: kept.rindex(b"\n") + 1])
    assert totals.articles == 40 * (records // 40 + 2)


def _alive(group: int) -> bool:
    try:
        os.killpg(group, signal.SIGCONT)
    except ProcessLookupError:
        return False
    return True


def test_every_record_is_accounted_for(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    write_lines(path, [RECORDS["text"], {"text": "Words.", "summary": ""}, RECORDS["ccdv"], {"a": 1}])
    path.write_text(path.read_text("utf-8") + "no json\n", "utf-8")
    totals = label_corpus(job(path), tmp_path / "out", workers=1)
    assert totals.dropped == {"no-reference": 1, "unreadable": 2}
    assert (totals.records, totals.articles) == (5, 2)


def test_held_out_content_gets_no_labels(corpus_file: Path, tmp_path: Path) -> None:
    other = write_lines(tmp_path / "test.jsonl", [RECORDS["ccdv"]])
    training = write_lines(tmp_path / "train.jsonl", [RECORDS["text"], RECORDS["radiology"]])
    totals = label_corpus(job(training, held_out=(Corpus(str(other)),)), tmp_path / "out", workers=1)
    assert totals.dropped == {"held-out": 1}
    assert [one.article.source for one in read_labels(tmp_path / "out")] == ["radiology"]


def test_only_records_under_the_named_licences_get_labels(tmp_path: Path) -> None:
    rows = [RECORDS["text"] | {"licence": licence} for licence in ("CC BY 4.0", "CC BY-NC 4.0", None)]
    path = write_lines(tmp_path / "in.jsonl", rows)
    totals = label_corpus(job(path, licence=r"cc by(?!-)"), tmp_path / "out", workers=1)
    assert (totals.articles, totals.dropped) == (1, {"licence": 2})


def test_other_settings_or_another_file_are_refused(corpus_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    label_corpus(job(corpus_file), out, workers=1)
    before = out.read_bytes()
    with pytest.raises(LabelFileError, match="another form and metric"):
        label_corpus(job(corpus_file, form="natural", oracle=OracleSettings("rouge2")), out, workers=1)
    assert out.read_bytes() == before
    with pytest.raises(LabelFileError, match="something else"):
        label_corpus(job(corpus_file), corpus_file, workers=1)
    (tmp_path / "text").write_text("A note without a line's end")
    with pytest.raises(LabelFileError, match="something else"):
        label_corpus(job(corpus_file), tmp_path / "text", workers=1)
    with pytest.raises(LabelFileError, match="cannot be written"):
        label_corpus(job(corpus_file), tmp_path / "no" / "folder", workers=1)
    with pytest.raises(LabelFileError, match="does not begin"):
        list(read_labels(corpus_file))


def test_a_run_that_labelled_nothing_binds_nothing(corpus_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(CorpusError, match="neither"):
        label_corpus(job(tmp_path / "wrong"), out, workers=1)
    assert label_corpus(job(corpus_file), out, workers=1).articles == 40
    assert json.loads(out.read_text("utf-8").split("\n")[0])["settings"]["data"] == "articles.jsonl"


def test_the_command_labels_and_says_what(
    corpus_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    words = [
        "label",
        str(corpus_file),
        str(out),
        "--max-sentences",
        "1",
        "--max-words",
        "20",
        "--workers",
        "1",
    ]
    assert run([*words, "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["records"], figures["articles"], figures["chosen"]) == (40, 40, 40)
    assert run(words) == 0
    assert "40 articles labelled of 40 records" in capsys.readouterr().out
    assert run([*words, "--metric", "rouge2"]) == 2
    assert (
        capsys.readouterr().err
        == "clinsum: out was begun with another metric; choose another name or remove it.\n"
    )


def test_the_command_ends_with_1_where_records_could_not_be_read(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "in.jsonl", [RECORDS["text"], {"a": 1}])
    assert run(["label", str(path), str(tmp_path / "out"), "--workers", "1"]) == 1


def test_the_command_ends_with_2_where_there_is_no_corpus(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["label", str(tmp_path / "no"), str(tmp_path / "out")]) == 2
    assert "neither a file" in capsys.readouterr().err


def test_help_shows_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["label", "--help"]) == 0
    assert "Example: clinsum label" in capsys.readouterr().out


def test_the_bench_finds_both_ways_identical(corpus_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "labels", "--articles", "3", "--data", str(corpus_file), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["identical"] == figures["articles"] == 3
    assert figures["ratio"] > 0
