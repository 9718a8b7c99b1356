"""The threat model names tests that are there, for every flow and every kind of threat."""

import ast
import re

import pytest

from tests.places import ROOT

TEXT = (ROOT / "docs/threat-model.md").read_text(encoding="utf-8")
FLOWS = dict(re.findall(r"^## (\d)\. (.*)$", TEXT, re.MULTILINE))
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py(?:::\w+)?)`", TEXT)))
ROW = re.compile(r"^\| (?P<kinds>[STRIDE, ]+) \|(?P<rest>.+)\|$", re.MULTILINE)


@pytest.mark.parametrize("named", NAMED)
def test_a_test_that_is_named_is_there(named: str) -> None:
    path, _, test = named.partition("::")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    functions = {
        node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert any(name.startswith("test_") for name in functions)
    assert not test or test in functions


def test_every_threat_names_a_test() -> None:
    rows = list(ROW.finditer(TEXT))
    assert len(rows) > 50
    for row in rows:
        assert "`tests/" in row["rest"], row[0]


@pytest.mark.parametrize("flow", sorted(FLOWS))
def test_every_flow_has_every_kind_of_threat(flow: str) -> None:
    section = TEXT.split(f"\n## {flow}. ")[1].split("\n## ")[0]
    kinds = {kind for row in ROW.finditer(section) for kind in row["kinds"].split(", ")}
    # Nothing of a model folder is secret.
    assert kinds == set("STRDE" if FLOWS[flow] == "Model folders" else "STRIDE")
