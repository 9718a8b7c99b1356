"""`clinsum evaluate` as a user meets it."""

import csv
import json
import os
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from jobs.cli import run
from summarizer.encoder.files import find_model
from training.evaluation.systems import make_system

CHANGES = ["fell", "rose", "stayed as it was"]
ARTICLES = [
    {
        "text": [
            f"Study {number} was done in spring.",
            f"Fever {CHANGES[number % 3]} in {number + 10} patients.",
            "A form was signed by all.",
            f"Cough {CHANGES[(number + 1) % 3]} after {number + 2} days.",
            "Nobody paid for the study.",
        ],
        "summary": [f"Fever {CHANGES[number % 3]} and cough {CHANGES[(number + 1) % 3]}."],
    }
    for number in range(8)
]
NOTES = [
    {"text": f"HISTORY: Cough for {n} weeks. No fever.\n\nPLAN: Stop drug {n} today.\n\nEXAM: All is clear."}
    for n in range(2, 6)
]


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("CLINSUM_") and name != "CLINSUM_CACHE":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    for name, rows in (("articles.jsonl", ARTICLES), ("notes.jsonl", NOTES)):
        Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def evaluated(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert run(["evaluate", *arguments, "--json"]) == 0
    figures: dict[str, Any] = json.loads(capsys.readouterr().out)
    return figures


ARTICLE_ROWS = [
    "articles.jsonl",
    "--sentences",
    "1",
    "--engine",
    "lead",
    "--engine",
    "oracle",
    "--engine",
    "random",
]


def test_json_names_what_decides_the_figures(capsys: pytest.CaptureFixture[str]) -> None:
    figures = evaluated(capsys, *ARTICLE_ROWS, "--seed", "3")
    assert figures["task"] == "rouge"
    assert figures["budget"] == {"sentences": 1, "words": None}
    assert figures["seed"] == figures["intervals"]["seed"] == 3
    assert figures["data"]["documents"] == len(ARTICLES)
    assert len(figures["data"]["sha256"]) == 64
    lead, oracle, chance = figures["systems"]
    assert [row["name"] for row in (lead, oracle, chance)] == ["lead", "oracle", "random"]
    assert lead["sentences"] == 1.0
    assert lead["rouge1"]["mean"] < oracle["rouge1"]["mean"]
    assert oracle["rouge1"]["low"] <= oracle["rouge1"]["mean"] <= oracle["rouge1"]["high"]
    pairs = {(row["first"], row["second"]): row["rouge1"] for row in figures["differences"]}
    assert set(pairs) == {("lead", "oracle"), ("lead", "random"), ("oracle", "random")}
    expected = lead["rouge1"]["mean"] - oracle["rouge1"]["mean"]
    assert pairs["lead", "oracle"]["mean"] == pytest.approx(expected, abs=2e-6)


def test_the_same_command_gives_the_same_figures_and_files(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [*ARTICLE_ROWS, "--csv", "documents.csv", "--picture", "figures.svg"]
    results = []
    for _ in range(2):
        figures = evaluated(capsys, *arguments)
        results.append((figures, Path("documents.csv").read_bytes(), Path("figures.svg").read_bytes()))
    assert results[0] == results[1]


def test_a_random_row_changes_with_the_seed(capsys: pytest.CaptureFixture[str]) -> None:
    means = [
        evaluated(capsys, "articles.jsonl", "--sentences", "1", "--engine", "random", "--seed", seed)[
            "systems"
        ][0]
        for seed in ("0", "1")
    ]
    assert means[0]["rouge1"]["mean"] != means[1]["rouge1"]["mean"]


def test_csv_has_a_line_for_each_document_and_system(capsys: pytest.CaptureFixture[str]) -> None:
    figures = evaluated(capsys, *ARTICLE_ROWS, "--csv", "documents.csv")
    with Path("documents.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3 * len(ARTICLES)
    lead = [float(row["rouge1"]) for row in rows if row["system"] == "lead"]
    assert sum(lead) / len(lead) == pytest.approx(figures["systems"][0]["rouge1"]["mean"], abs=1e-5)
    assert "spring" not in Path("documents.csv").read_text("utf-8")


def test_the_picture_names_systems_and_measures() -> None:
    assert run(["evaluate", *ARTICLE_ROWS, "--picture", "figures.svg"]) == 0
    root = ElementTree.parse("figures.svg").getroot()
    texts = {(element.text or "").strip() for element in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"lead", "oracle", "random", "ROUGE-1", "ROUGE-2", "ROUGE-Lsum"} <= texts


def test_the_table_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evaluate", *ARTICLE_ROWS]) == 0
    out = capsys.readouterr().out
    assert "articles.jsonl: 8 documents, 1 sentence" in out
    assert "lead − oracle" in out


def test_of_many_systems_each_is_set_against_the_next_below(capsys: pytest.CaptureFixture[str]) -> None:
    more = ["lead=one", "lead=two"]
    arguments = [*ARTICLE_ROWS, *(word for name in more for word in ("--engine", name))]
    assert run(["evaluate", *arguments, "--limit", "2"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert shown.count(" − ") == 4
    assert "oracle −" in shown
    assert "− oracle" not in shown
    assert "each system against the next below it" in shown


def test_bad_lines_are_listed_and_answered_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    with Path("articles.jsonl").open("a", encoding="utf-8") as file:
        file.write("{secret\n")
    assert run(["evaluate", "articles.jsonl", "--engine", "lead"]) == 1
    out = capsys.readouterr().out
    assert "bad lines: 1, namely 9 (not JSON)" in out
    assert "secret" not in out


def test_clinical_recall(capsys: pytest.CaptureFixture[str]) -> None:
    figures = evaluated(capsys, "--clinical", "notes.jsonl", "--engine", "lead", "--engine", "oracle")
    lead, oracle = figures["systems"]
    assert figures["task"] == "clinical"
    assert lead["in order"]["mean"] == 0.0
    assert 0.0 < lead["moved"]["mean"] < 1.0
    assert oracle["moved"] == {"mean": 1.0, "low": 1.0, "high": 1.0}


def test_engines_with_an_encoder_give_its_hash(capsys: pytest.CaptureFixture[str]) -> None:
    (row,) = evaluated(capsys, "articles.jsonl", "--limit", "2", "--words", "12", "--engine", "lexrank")[
        "systems"
    ]
    assert row["engine"] == "lexrank"
    assert row["model_sha256"] == find_model(None).sha256()
    assert row["words"] <= 12


def test_an_engine_can_have_a_model_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evaluate", "articles.jsonl", "--engine", "lexrank=missing model"]) == 2
    assert "no model folder 'missing model'" in capsys.readouterr().err
    assert make_system("lead=some/model").name == "lead=some/model"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Give either a file of articles or --clinical"),
        (["articles.jsonl", "--clinical", "notes.jsonl"], "Give either"),
        (["missing.jsonl"], "cannot be read"),
        (["articles.jsonl", "--sentences", "1", "--words", "9"], "not several"),
        (["articles.jsonl", "--engine", "magic"], "no engine 'magic'"),
        (["articles.jsonl", "--engine", "lead", "--engine", "lead"], "given twice"),
        (["articles.jsonl", "--engine", "sumy-lexrank"], "--peers-python"),
        (["articles.jsonl", "--engine", "lead", "--picture", "figures.doc"], "is no picture"),
        (["articles.jsonl", "--engine", "lead", "--csv", "nowhere/documents.csv"], "no folder"),
    ],
)
def test_wrong_use_is_one_sentence(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["evaluate", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evaluate", "--help"]) == 0
    assert "Example: clinsum evaluate" in " ".join(capsys.readouterr().out.split())
