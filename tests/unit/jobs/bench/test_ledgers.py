"""`clinsum bench ledger`: passes with ledgers that know more and more notes."""

import json

import pytest

from jobs.bench import ledgers
from jobs.cli import run
from jobs.ledger.ledger import Ledger


def test_two_passes_are_measured_with_a_ledger_that_knows_notes(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--rows", "3", "--notes", "2", "--set", "ENGINE=lead", "--json"]
    assert run(["bench", "ledger", *asked]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["rows"] == 3
    assert figures["peak_mb"] > 0
    assert figures["ledger_mb"] > 0
    assert all(figures[f"{what}_seconds"] > 0 for what in ("filling", "pass", "again", "counting"))


def test_what_the_ledger_is_filled_with_are_notes_of_this_server() -> None:
    with Ledger("sqlite://", server="http://a", pipeline="p") as ledger:
        ledgers._fill(ledger, 1200)
        assert ledger.counts() == {("skipped", "not-final"): 1200}
