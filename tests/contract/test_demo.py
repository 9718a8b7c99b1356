"""The demo from beginning to end, with real parts, on each sandbox."""

import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fhir_adapter.reasons import Reason
from fhir_adapter.sandbox.hapi import Hapi
from jobs.cli import run
from jobs.demo.notes import manifest
from jobs.demo.report import DemoReport, DemoRow
from jobs.demo.run import run_demo
from jobs.sandboxes import EngineName
from tests.contract.checker import check


@pytest.fixture(scope="module", params=["embedded", pytest.param("hapi", marks=pytest.mark.hapi)])
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoReport]:
    engine: EngineName = request.param
    with pytest.MonkeyPatch.context() as patch:
        if engine == "hapi":  # a server as the demo wants it, in the process that is there already
            hapi: Hapi = request.getfixturevalue("hapi_process")
            patch.setattr("jobs.sandboxes.running_hapi", hapi.another)
        with run_demo(engine, tmp_path_factory.mktemp("demo"), lambda _: None) as finished:
            yield finished


def rows(report: DemoReport) -> dict[str, DemoRow]:
    return {row.source.partition("/")[2]: row for row in report.rows}


def test_every_note_ends_as_the_manifest_says(report: DemoReport) -> None:
    ended = rows(report)
    for note in manifest().notes:
        row = ended[note.id]
        if report.engine == "hapi" and note.carrier == "bad-base64":
            assert not row.loaded  # HAPI itself refuses what is not base64
        else:
            assert row.loaded
            assert row.reason == note.expect, note.id
            assert bool(row.composition) == (note.expect is None), note.id


def test_the_audit_finds_nothing(report: DemoReport) -> None:
    assert report.ok
    assert all(row.selected for row in report.rows if row.composition)
    assert report.page


def test_the_second_pass_writes_the_amendment_and_the_new_note_alone(report: DemoReport) -> None:
    first, second = report.passes
    stored = sum(row.loaded for row in report.rows)
    assert (first.seen, second.seen) == (stored - 1, stored)
    assert first.unchanged == 0
    assert second.written == 2
    # A note that failed is never called unchanged: it counts as failed until it is done.
    assert (second.unchanged, second.failed) == (stored - 2 - first.failed, first.failed)
    # The note whose base64 is none fails; HAPI does not take it in.
    assert first.failed == (0 if report.engine == "hapi" else 1)


def test_the_summary_of_the_amended_note_is_of_the_amended_text(report: DemoReport) -> None:
    amended = rows(report)["demo-nstemi-discharge"]
    text = next(n.text for n in manifest().stage(2) if n.id == "demo-nstemi-discharge")
    assert amended.kind == "plain text, version 2"
    assert [text[s.start : s.end] for s in amended.selected] == [s.text for s in amended.selected]


def test_the_kinds_are_named(report: DemoReport) -> None:
    kinds = {row.kind.partition(",")[0] for row in report.rows if row.composition}
    assert kinds == {"plain text", "HTML", "RTF", "PDF", "C-CDA"}


def test_every_composition_holds_without_this_software(
    report: DemoReport, capsys: pytest.CaptureFixture[str]
) -> None:
    for row in report.rows:
        if row.composition:
            code = check(f"{report.base_url}/{row.composition}")
            out = capsys.readouterr().out
            assert code == 0, out
            places = re.findall(r"^ok    (\d+):(\d+) ", out, re.MULTILINE)
            assert places == [(str(s.start), str(s.end)) for s in row.selected]
            around = re.findall(r"^ok    [a-z-]+ (\d+):(\d+) ", out, re.MULTILINE)
            of_rules = 7 if re.search(r"^ok    rule \d", out, re.MULTILINE) else 0
            count = len(places) + len(around) + 30 + of_rules
            assert f"{count} of {count} checks hold" in out
            assert "WRONG" not in out


def test_the_ledger_holds_no_words_of_the_notes(report: DemoReport) -> None:
    path = report.ledger.removeprefix("sqlite:///")
    with sqlite3.connect(path) as database:
        dump = "\n".join(database.iterdump())
    assert "demo-nstemi-discharge" in dump
    assert not re.search("Ainsley|ticagrelor|chest pain", dump, re.IGNORECASE)


def test_the_server_can_be_started_again(report: DemoReport) -> None:
    if report.engine == "hapi" and not report.start_again:
        pytest.skip("HAPI in a container keeps its data in memory")
    arguments = report.start_again.split()
    assert arguments[:3] == ["sandbox", "--engine", report.engine]
    assert Path(arguments[-1]).parent.is_dir()
    port = re.search(r":(\d+)/", report.base_url)
    assert port
    assert port[1] in arguments


def test_what_is_left_out_has_plain_words(report: DemoReport) -> None:
    reasons = {row.reason for row in report.rows if row.reason}
    assert reasons >= {Reason.SUPERSEDED, Reason.EMPTY_TEXT, Reason.FOREIGN_HOST}


def test_the_command_prints_the_table_and_ends_with_0(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from jobs.cli import main; main()", "demo", "--folder", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "✓ Audit:" in done.stdout
    assert "What was not summarised, and why" in done.stdout
    assert "Traceback" not in done.stderr


def test_a_folder_that_cannot_be_used_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert run(["demo", "--folder", str(tmp_path / "file")]) == 2
    err = capsys.readouterr().err
    assert err.startswith("clinsum: The folder ")
    assert len(err.splitlines()) == 1
