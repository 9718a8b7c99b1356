"""The scripts in `examples/` run as their heads say."""

import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from fhir_adapter.sandbox.running import running_embedded
from jobs.demo.notes import note_file
from tests.contract.contract_fhir import Fhir, FhirServer
from tests.contract.passes import Site
from tests.places import ROOT

EXAMPLES = ROOT / "examples"
Run = Callable[..., str]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a script with arguments as its own main program; what it printed."""

    def run_script(name: str, *arguments: str, code: int = 0) -> str:
        monkeypatch.setattr(sys, "argv", [name, *arguments])
        ended = 0
        try:
            runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        except SystemExit as leaving:
            ended = int(leaving.code or 0)
        assert ended == code
        return capsys.readouterr().out

    return run_script


def test_all_of_them_are_in_the_list() -> None:
    listed = (EXAMPLES / "README.md").read_text("utf-8")
    scripts = sorted(path.name for path in EXAMPLES.glob("*.py"))
    assert len(scripts) == 4
    assert all(f"examples/{name}" in listed for name in scripts)


def test_a_file_is_summarised(run: Run, tmp_path: Path) -> None:
    note = note_file("nstemi-discharge.txt")
    path = tmp_path / "discharge.txt"
    path.write_bytes(note)

    lines = run("summarise_a_file.py", str(path)).splitlines()

    assert 1 <= len(lines) <= 5
    for line in lines:
        place, _, sentence = line.split(" ", 2)
        start, end = map(int, place.split("-"))
        assert " ".join(note.decode("utf-8")[start:end].split()) == sentence


def test_a_pass_and_its_proof(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLINSUM_ENGINE", "lead")

    out = run("poll_and_audit.py").splitlines()

    assert out[0].split() == ["DocumentReference/visit", "written"]
    assert out[1].endswith(" holds")
    assert len(out) == 4


def test_sentences_are_checked_by_hand(run: Run, tmp_path: Path) -> None:
    with running_embedded() as base_url:
        fhir = Fhir(FhirServer("embedded", base_url))
        with fhir.http:
            site = Site(fhir, tmp_path / "ledger.sqlite")
            source = site.document()
            site.poll()
            (composition,) = site.written(f"DocumentReference/{source['id']}")
            address = f"{base_url}/Composition/{composition['id']}"

            good = run("check_by_hand.py", address).splitlines()
            # A sentence of its own, and what "Improving on ceftriaxone." goes back to.
            named = [line for line in good if "Pneumonia" in line]
            assert len(named) == 2
            # The sentences, and the headings they stand under.
            assert len(good) > 3
            assert all(line.startswith("holds ") for line in good)

            section = composition["section"][0]
            section["text"]["div"] = section["text"]["div"].replace("Pneumonia", "Pneumothorax")
            httpx.put(address, json=composition, trust_env=False, timeout=600).raise_for_status()
            bad = run("check_by_hand.py", address, code=1).splitlines()
            differing = [new for new in bad if new.startswith("DIFFERS ")]
            assert [line.partition(" ")[2] for line in differing] == [
                line.partition(" ")[2] for line in named
            ]
            assert len(bad) == len(good)
