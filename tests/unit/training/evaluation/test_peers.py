"""Other summarizers under other interpreters: what they are given, and what is taken from them.

An interpreter that has them is not at hand in these tests, so a script that talks as `peers` does stands in.
"""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from summarizer.types import Budget
from training.evaluation.errors import EvaluationError
from training.evaluation.peer_systems import PEERS, find_peers
from training.evaluation.peers import fitting, longest_fitting, measure
from training.evaluation.types import Item

ITEM = Item(("One two three.", "Four.", "Five six."), (0, 15, 21), Budget(words=4))


@pytest.fixture
def make_interpreter(tmp_path: Path) -> Any:
    """Makes an executable that has the tools named, notes its job, and chooses the last sentence."""

    def make(name: str, *tools: str, code: str = "") -> Path:
        path = tmp_path / name
        lines = [
            f"#!{sys.executable}",
            "import json, sys",
            "job = json.load(sys.stdin)",
            f"print(json.dumps(job), file=open({str(path) + '.job'!r}, 'w'))",
            code,
            "chosen = [[len(d['sentences']) - 1] for d in job['documents']]",
            f"tools = [tool for tool in job['tools'] if tool in {tools!r}]",
            "print(json.dumps({t: {'version': '1.2', 'seconds': 0.5, 'chosen': chosen} for t in tools}))",
        ]
        path.write_text("\n".join(lines), encoding="utf-8")
        path.chmod(0o755)
        return path

    return make


def test_each_peer_runs_where_it_was_found(make_interpreter: Any) -> None:
    first = make_interpreter("first", "sumy-textrank")
    second = make_interpreter("second", "sumy-textrank", "bert-extractive-summarizer")
    textrank, bert = find_peers([first, second])
    assert (textrank.name, textrank.model.name, textrank.model.sha256) == (
        "sumy-textrank",
        "sumy-textrank 1.2",
        "",
    )
    assert bert.model.name == "bert-extractive-summarizer 1.2, clinsum-bertsum-minilm"
    assert len(bert.model.sha256) == 64
    choices = textrank.choose([ITEM, ITEM])
    assert choices.chosen == ((2,), (2,))
    assert choices.seconds == 0.5
    job = json.loads(first.with_name("first.job").read_text("utf-8"))
    assert job["tools"] == ["sumy-textrank"]
    assert (
        job["documents"]
        == [{"sentences": list(ITEM.sentences), "budget_sentences": None, "budget_words": 4}] * 2
    )
    assert (Path(job["model"]) / "config.json").is_file()


def test_interpreters_that_cannot_are_one_sentence_without_text(
    make_interpreter: Any, tmp_path: Path
) -> None:
    with pytest.raises(EvaluationError, match="has none of sumy-lexrank"):
        find_peers([make_interpreter("empty")])
    with pytest.raises(EvaluationError, match="cannot be run"):
        find_peers([tmp_path / "missing"])
    with pytest.raises(EvaluationError, match="is no Python interpreter"):
        find_peers([make_interpreter("silent", code="sys.exit()")])
    failing = make_interpreter(
        "failing", *PEERS, code="job['documents'] and int(job['documents'][0]['sentences'][0])"
    )
    (peer, *_) = find_peers([failing])
    with pytest.raises(EvaluationError, match=r"failed on sumy-lexrank \(ValueError\)") as caught:
        peer.choose([ITEM])
    assert "One two" not in str(caught.value)


def test_the_script_leaves_out_what_it_cannot_import(monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("sumy", "sumy.models.dom"):
        monkeypatch.setitem(sys.modules, package, None)
    assert measure(["sumy-lexrank", "sumy-textrank"], "", []) == {}


def test_a_ranking_is_cut_to_the_budget() -> None:
    assert fitting("abc", [5, 1, 2], 2, None) == ["a", "b"]
    assert fitting("abc", [3, 2, 1], None, 4) == ["a", "c"]
    assert fitting("abc", [3, 2, 1], None, 1) == ["c"]
    assert fitting("ab", [3, 2], None, 1) == ["a"]


@pytest.mark.parametrize(
    ("costs", "limit", "expected"),
    [([2] * 10, 6, 3), ([1, 1, 1, 9, 9], 3, 3), ([9, 9, 1, 1], 8, 1), ([1, 1], 50, 2)],
)
def test_the_longest_summary_that_fits(costs: list[int], limit: int, expected: int) -> None:
    assert longest_fitting(lambda count: list(range(count)), costs, limit) == list(range(expected))
