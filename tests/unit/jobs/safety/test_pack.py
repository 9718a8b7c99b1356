"""The safety officer's pack: from the running build, with nothing invented."""

import csv
import hashlib
import json
import re
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from jobs.cli import run
from jobs.runtime import make_summarizer
from jobs.safety.facts import NOT_KNOWN, facts_of, sections
from jobs.safety.hazards import hazards, there
from jobs.safety.materials import materials
from jobs.safety.pack import JUDGED, PAGES
from jobs.settings import load_settings
from tests.places import ROOT


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("safety") / "pack"
    assert run(["safety-pack", str(folder)]) == 0
    return folder


@pytest.mark.parametrize("hazard", hazards(), ids=lambda hazard: hazard.id)
def test_every_test_that_a_hazard_names_is_there(hazard: object) -> None:
    from jobs.safety.hazards import Hazard

    assert isinstance(hazard, Hazard)
    assert hazard.tests
    assert [test for test in hazard.tests if there(test) is not True] == []
    for control in hazard.controls:
        assert control.kind in ("design", "test", "training", "business process")
        assert control.tests or control.kind in ("training", "business process")


def test_a_test_that_is_not_there_is_said(tmp_path: Path) -> None:
    assert there("tests/unit/test_docs.py::test_that_nobody_wrote") is False
    assert there("tests/unit/no_such_file.py") is False
    assert there("tests/unit/test_docs.py", tmp_path) is None  # an installation


def test_the_pack_is_whole_and_its_links_lead_somewhere(pack: Path) -> None:
    manifest = json.loads((pack / "manifest.json").read_text("utf-8"))
    there_now = {str(p.relative_to(pack)) for p in pack.rglob("*") if p.is_file()}
    assert there_now == {*manifest["sha256"], "manifest.json"}
    for name, digest in manifest["sha256"].items():
        assert hashlib.sha256((pack / name).read_bytes()).hexdigest() == digest
    for name in PAGES:
        page = (pack / name).read_text("utf-8")
        assert "{{" not in page
        assert "{%" not in page
        for table in re.findall(r"(?:^\|.*\|$\n?)+", page if name != "figures.md" else "", re.MULTILINE):
            columns = {len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}
            assert len(columns) == 1, (name, table[:200])
        for target in re.findall(r"\]\(([^)#\s]+)\)", page):
            if not target.startswith("http") and name != "figures.md":  # the README's own links are its own
                assert (pack / target).exists(), (name, target)


def test_figures_are_those_of_card_and_readme_word_for_word(pack: Path) -> None:
    figures = (pack / "figures.md").read_text("utf-8")
    card = sections((ROOT / "summarizer" / "pretrained" / "README.md").read_text("utf-8"))
    readme = sections((ROOT / "README.md").read_text("utf-8"))
    for text in (card["What it finds of what a clinician must know"], card["Figures"], readme["Measured"]):
        assert text in figures
    # No other page states a measured figure of its own: what they have of numbers stands in the card too.
    stated = "\n".join((*card.values(), "45 CFR 170.315"))
    version = facts_of(load_settings({})).version
    for name in ("applied-model-card.md", "hti-1-source-attributes.md", "intended-use.md"):
        for number in re.findall(r"\b\d+\.\d+\b", (pack / name).read_text("utf-8")):
            assert number in stated or number in version, (name, number)


def test_the_build_names_its_own_model(pack: Path) -> None:
    model = make_summarizer(load_settings({}), defer=True).model
    assert f"| SHA-256 of the weights | {model.sha256} |" in (pack / "README.md").read_text("utf-8")
    assert model.sha256 in (pack / "applied-model-card.md").read_text("utf-8")


def test_another_engine_claims_nothing_of_the_model_that_ships(tmp_path: Path) -> None:
    assert run(["safety-pack", str(tmp_path), "--set", "ENGINE=lead"]) == 0
    figures = (tmp_path / "figures.md").read_text("utf-8").partition("## Of the software")[0]
    assert NOT_KNOWN in figures
    assert "0.746" not in figures
    assert "none: this engine has no weights" in (tmp_path / "README.md").read_text("utf-8")


def test_all_source_attributes_are_answered(pack: Path) -> None:
    page = sections((pack / "hti-1-source-attributes.md").read_text("utf-8"))
    counts = [len(re.findall(r"^\| \([ivx]+\) .+ \| \S.* \|$", text, re.MULTILINE)) for text in page.values()]
    assert counts == [4, 4, 2, 4, 2, 4, 5, 4, 2]


def test_nobody_has_judged_a_risk(pack: Path) -> None:
    with (pack / "hazard-log.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["hazard"] for row in rows} == {hazard.id for hazard in hazards()}
    for row in rows:
        assert row["severity"] == row["likelihood"] == row["residual risk"] == JUDGED
        assert "MISSING" not in row["evidence found"]


def test_the_bill_of_materials_is_valid_and_names_what_is_installed(pack: Path) -> None:
    # Seconds of start that no other test needs.
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    text = (pack / "sbom.cdx.json").read_text("utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bill = json.loads(text)
    named = {part["name"]: part["version"] for part in bill["components"]}
    for distribution in distributions():
        name = canonicalize_name(distribution.metadata["Name"])
        if name != "clinical-ai-summarizer":
            assert named[name] == distribution.version
    edges = {edge["ref"]: edge["dependsOn"] for edge in bill["dependencies"]}
    own = edges[bill["metadata"]["component"]["bom-ref"]]
    assert any(ref.startswith("pkg:pypi/fastapi@") for ref in own)
    assert set(own) <= {part["bom-ref"] for part in bill["components"]}


def test_licences_are_listed_with_their_texts(pack: Path) -> None:
    page = (pack / "licences.md").read_text("utf-8")
    found = {material.name: material for material in materials()}
    assert f"| jinja2 | {found['jinja2'].version} | " in page
    assert list((pack / "licences").glob("jinja2-*.txt"))
    assert found["numpy"].licence


def test_a_folder_that_cannot_be_made_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert run(["safety-pack", str(tmp_path / "file" / "pack")]) == 2
    assert "cannot be written" in capsys.readouterr().err
