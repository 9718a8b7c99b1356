"""Nothing heavy is loaded where it is not needed: each command in a process of its own."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fhir_adapter.sandbox.running import running_embedded
from jobs.bench.passes import generated_notes
from jobs.demo.notes import note_file
from tests.contract.contract_fhir import Fhir, FhirServer

HEAVY = ("torch", "openvino", "spacy", "transformers", "sklearn", "datasets", "matplotlib")
HEAVY = (*HEAVY, "fastapi", "apscheduler", "numpy", "scipy")
MODELS = "fhir.resources"

CODE = """
import json, sys
from jobs.cli import run
code = run(json.loads(sys.argv[1]))
print(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Fhir]:
    with running_embedded() as base_url:
        fhir = Fhir(FhirServer("embedded", base_url))
        yield fhir
        fhir.http.close()


def loaded(fhir: Fhir, database: Path, *arguments: str) -> tuple[int, set[str]]:
    """The command's exit code, and those of the heavy packages that it loaded."""
    settings = {"FHIR_BASE_URL": fhir.server.base_url, "DATABASE_URL": f"sqlite:///{database}"}
    given = [*arguments, *(f"--set={name}={value}" for name, value in settings.items())]
    child = subprocess.run(
        [sys.executable, "-c", CODE, json.dumps(given)], capture_output=True, text=True, check=True
    )
    code, modules = json.loads(child.stderr.splitlines()[-1])
    return code, {name for name in (*HEAVY, MODELS) if name in modules}


@pytest.mark.parametrize(
    "arguments",
    [
        ["poll", "--json"],
        ["notes", "--json"],
        ["audit", "--all", "--json"],
        ["doctor", "--json"],
        ["reconcile", "--json"],
        ["retry", "--json"],
    ],
)
def test_with_nothing_to_summarise_nothing_heavy_is_loaded(
    server: Fhir, tmp_path: Path, arguments: list[str]
) -> None:
    server.put({"resourceType": "Patient", "id": "nobody"})
    code, heavy = loaded(server, tmp_path / "ledger.sqlite", *arguments)

    assert code == 0
    assert heavy <= {MODELS}
    if arguments[0] in ("notes", "audit"):
        assert heavy == set()


def test_the_text_of_a_file_needs_nothing_heavy(server: Fhir, tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_bytes(note_file("nstemi-echo.txt"))

    assert loaded(server, tmp_path / "ledger.sqlite", "text", str(note), "--json") == (0, set())


@pytest.mark.parametrize(("engine", "model"), [("lead", {"numpy"}), ("bertsum", {"numpy", "openvino"})])
def test_a_model_is_loaded_with_the_first_note_and_torch_never(
    tmp_path: Path, engine: str, model: set[str]
) -> None:
    with running_embedded() as base_url:
        fhir = Fhir(FhirServer("embedded", base_url))
        database = tmp_path / "ledger.sqlite"
        first = loaded(fhir, database, "poll", "--json", f"--set=ENGINE={engine}")
        for note in generated_notes(1):
            fhir.put(note)
        then = loaded(fhir, database, "poll", "--json", f"--set=ENGINE={engine}")
        last = loaded(fhir, database, "poll", "--json", f"--set=ENGINE={engine}")
        fhir.http.close()

    assert [code for code, _ in (first, then, last)] == [0, 0, 0]
    assert [heavy - {MODELS} for _, heavy in (first, then, last)] == [set(), model, set()]


@pytest.mark.parametrize(
    "arguments",
    [
        ["export", "a-model", "a.pt"],
        ["import", "a.pt", "a-model", "--encoder", "an-encoder"],
        ["summarize", "note.txt", "--set=MODEL=a.pt"],
    ],
)
def test_what_needs_torch_says_so_where_it_is_not(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("No fever.")
    code = f"import summarizer.encoder.runtime as r; r.installed = lambda name: name != 'torch'\n{CODE}"
    command = [sys.executable, "-c", code, json.dumps(arguments)]
    child = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    said, told = child.stderr.splitlines()[-2:]
    assert said == "clinsum: A .pt needs torch; install clinical-ai-summarizer[torch]."
    assert json.loads(told)[0] == 2


def test_the_sandbox_loads_nothing_heavy() -> None:
    code = "import sys, jobs.commands.sandbox; print(*sys.modules)"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert not set(HEAVY) & set(child.stdout.split())


def test_what_labels_are_made_and_read_with_loads_nothing_but_numpy() -> None:
    """Words are stemmed by nltk, which brings pandas and sklearn: it waits for the first word."""
    code = "import sys, training.labels.oracle, training.labels.label_file; print(*sys.modules)"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert {*HEAVY, "nltk", "pandas"} & set(child.stdout.split()) == {"numpy"}
