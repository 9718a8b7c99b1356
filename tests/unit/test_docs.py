"""The documentation says what the code does, and points at what is there."""

import importlib
import importlib.util
import re
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import pytest

from jobs.settings import Settings
from tests.places import ROOT
from tests.unit.source_graph import PACKAGES

DOCS = (
    "architecture",
    "backfill",
    "lifecycle",
    "operations",
    "profiles",
    "reference",
    "servers",
    "settings",
    "timeline",
    "training",
    "web",
)
PAGES = [
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "examples/README.md",
    "deploy/README.md",
    "jobs/demo/README.md",
    *(f"docs/{p}.md" for p in DOCS),
]


@pytest.fixture(scope="module")
def tables() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tables", ROOT / "docs" / "tables.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_tables_are_those_of_the_code(tables: ModuleType) -> None:
    for path, content in tables.pages().items():
        assert path.read_text("utf-8") == content, f"run docs/tables.py: {path.name} is behind"


def test_every_setting_stands_in_one_table_and_the_first_page_is_a_part(tables: ModuleType) -> None:
    listed = [name for group in tables.GROUPS.values() for name in group.model_fields]
    assert sorted(listed) == sorted(Settings.model_fields)
    assert set(tables.FIRST_SETTINGS) <= set(listed)


def test_a_page_without_the_place_is_an_error(tables: ModuleType) -> None:
    with pytest.raises(ValueError, match="no place for settings"):
        tables.filled("# A page", "settings", "| table |")


def slugs(page: str) -> set[str]:
    """Anchors of a page's headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str) -> None:
    page = ROOT / name
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if target.startswith("http"):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path) if path else page
        assert there.exists(), target
        assert not anchor or anchor in slugs(there.read_text("utf-8")), target


@pytest.mark.parametrize("name", PAGES)
def test_files_and_folders_that_a_page_names_are_there(name: str) -> None:
    """`fhir_adapter/rest/client.py`; of a file name alone there must be one somewhere."""
    names = {path.name for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
    for code in re.findall(r"`([^`\n]+)`", (ROOT / name).read_text("utf-8")):
        if re.fullmatch(rf"({'|'.join(PACKAGES)}|tests|docs|examples|deploy)/[\w/.-]*", code):
            assert (ROOT / code).exists(), code
        elif name == "docs/architecture.md" and re.fullmatch(r"\w+\.py", code):
            assert code in names, code


@pytest.mark.parametrize("name", PAGES)
def test_names_that_a_page_imports_are_there(name: str) -> None:
    """Python on the pages, as far as it imports from this project."""
    page = (ROOT / name).read_text("utf-8")
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        for module, names in re.findall(r"^from ((?:\w+\.)*\w+) import (.+)$", block, re.MULTILINE):
            assert module.partition(".")[0] in PACKAGES, module
            for wanted in names.split(", "):
                assert hasattr(importlib.import_module(module), wanted), wanted


def test_the_picture_is_well_formed_and_says_what_it_shows() -> None:
    root = ElementTree.parse(ROOT / "docs" / "flow.svg").getroot()
    ns = "{http://www.w3.org/2000/svg}"
    assert root.tag == f"{ns}svg"
    for name in ("title", "desc"):
        element = root.find(f"{ns}{name}")
        assert element is not None
        assert (element.text or "").strip()
        assert element.get("id") in root.get("aria-labelledby", "").split()


def test_the_demo_has_as_many_notes_as_the_readme_says() -> None:
    from jobs.demo.notes import manifest

    stated = re.search(r"(\d+) invented notes", (ROOT / "README.md").read_text("utf-8"))
    assert stated
    assert int(stated[1]) == len({note.id for note in manifest().notes})


def test_the_tag_in_the_readme_is_the_one_we_write() -> None:
    from fhir_adapter.canonical import SUMMARY_TAG

    assert "Composition?_tag=" + "|".join(SUMMARY_TAG) in (ROOT / "README.md").read_text("utf-8")


def test_the_reference_lists_the_commands() -> None:
    from typer.main import get_command

    from jobs.cli import build

    listed = set(
        re.findall(r"^\| `clinsum ([\w-]+)`", (ROOT / "docs/reference.md").read_text("utf-8"), re.MULTILINE)
    )
    group: Any = get_command(build())
    assert listed == set(group.commands)


def test_the_python_of_the_readme_runs(capsys: pytest.CaptureFixture[str]) -> None:
    from jobs.demo.notes import note_file

    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    note = note_file("nstemi-echo.txt").decode("utf-8")
    exec(compile(block, "README.md", "exec"), {"note": note})
    lines = [line.split(" ", 3) for line in capsys.readouterr().out.splitlines() if line]
    start, end, score, _ = lines[0]
    assert 0 <= int(start) < int(end) <= len(note)
    assert 0 <= float(score) <= 1


def test_every_reason_code_has_its_row_of_what_to_do() -> None:
    from fhir_adapter.reasons import Reason

    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    section = page.partition("## Troubleshooting by reason code")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| (.+) \| (.+) \|$", section, re.MULTILINE)
    assert [code for code, _, _ in rows] == [reason.value for reason in Reason]
    assert all(cause.strip() and remedy.strip() for _, cause, remedy in rows)


def test_every_row_of_the_life_cycle_names_a_test_that_is_there() -> None:
    page = (ROOT / "docs" / "lifecycle.md").read_text("utf-8")
    table = page.partition("<!-- lifecycle -->")[2].partition("<!-- /lifecycle -->")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][2:]
    there = {
        name
        for path in (ROOT / "tests" / "contract").glob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text("utf-8"), re.MULTILINE)
    }

    assert len(rows) > 20
    for row in rows:
        (named,) = re.findall(r"`(test_\w+)`", row)
        assert named in there, named


def test_the_tag_for_review_is_the_one_we_write() -> None:
    from fhir_adapter.canonical import REVIEW_TAG

    page = (ROOT / "docs" / "lifecycle.md").read_text("utf-8")
    assert "Composition?_tag=" + "|".join(REVIEW_TAG) in page
