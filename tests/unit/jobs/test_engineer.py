"""What an engineer meets first: lists that cut nothing, the way on from a failure, causes in one sentence."""

import json
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from jobs.cli import run
from jobs.ledger.ledger import Ledger
from jobs.ledger.rows import LedgerError, NoteRow
from jobs.passes.outcome import Outcome
from jobs.passes.progress import PassProgress
from jobs.runtime import open_ledger
from jobs.schedule import make_trigger
from jobs.settings import load_settings
from jobs.unknown import unknown_settings
from jobs.values import parse_since
from tests.unit.jobs.test_cli import complaint, put, server, settings

__all__ = ["server", "settings"]

LONG = f"DocumentReference/{'a' * 64}"
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def row(source: str, age: timedelta = timedelta(0), **more: Any) -> NoteRow:
    values = {"status": "failed", "reason": "timeout"} | more
    return NoteRow(source, "7", "v", handled_at=datetime.now(UTC) - age, **values)


def listed(capsys: pytest.CaptureFixture[str], *options: str) -> list[str]:
    assert run(["notes", *options]) == 0
    return capsys.readouterr().out.splitlines()


def test_the_list_of_notes_cuts_no_id_and_is_filtered(capsys: pytest.CaptureFixture[str]) -> None:
    composition = "c" * 64
    written = row("DocumentReference/w", status="written", reason="", composition=composition)
    old = row("DocumentReference/old", timedelta(days=3), reason="malformed")
    with open_ledger(load_settings({})) as ledger:
        ledger.record([old, row(LONG, timedelta(hours=2)), written])

    head, *lines = listed(capsys)
    assert head.split() == ["handled", "status", "source", "version", "composition", "sentences", "why"]
    assert [line.split()[3] for line in lines] == ["DocumentReference/old", LONG, "DocumentReference/w"]
    assert f"Composition/{composition}" in lines[2]
    assert "timeout: Fetching, reading or scoring the note took longer" in lines[1]
    assert [LONG in line for line in listed(capsys, "--reason", "timeout")[1:]] == [True]
    assert len(listed(capsys, "--since", "24h")) == 3
    assert [line.split()[3] for line in listed(capsys, "--limit", "1")[1:]] == ["DocumentReference/w"]
    assert len(listed(capsys, "--json", "--limit", "2")) == 2


@pytest.mark.parametrize(
    ("option", "says"),
    [
        (["--reason", "time-out"], "reference.md"),
        (["--since", "yesterday"], "24h"),
        (["--since", "1y"], "24h"),
    ],
)
def test_a_filter_that_is_none_is_said(
    option: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["notes", *option]) == 2
    assert says in complaint(capsys)


def test_a_time_is_a_day_an_instant_or_an_age() -> None:
    assert parse_since("2026-01-31") == datetime(2026, 1, 31, tzinfo=UTC)
    assert parse_since("2026-01-31T08:00:00+02:00") == datetime(2026, 1, 31, 6, tzinfo=UTC)
    assert parse_since("36h", NOW) == NOW - timedelta(hours=36)
    assert parse_since("90", NOW) == NOW - timedelta(seconds=90)
    assert parse_since("2026", NOW) == NOW - timedelta(seconds=2026)  # a bare number is no year


def test_a_pass_names_what_failed_and_the_way_on(server: str, capsys: pytest.CaptureFixture[str]) -> None:
    attachment = {"contentType": "text/plain", "data": "no base64!"}
    for number in range(7):
        bad = {"id": f"{number}-{'b' * 60}", "resourceType": "DocumentReference", "status": "current"}
        put(server, bad | {"content": [{"attachment": attachment}]})

    assert run(["poll"]) == 1
    out = capsys.readouterr().out
    named = re.findall(r"^  (DocumentReference/\S+)  bad-base64$", out, re.MULTILINE)
    assert len(named) == 5
    assert all(len(source) == len("DocumentReference/0-") + 60 for source in named)
    assert "and 2 more" in out
    assert "clinsum notes --status failed" in out
    assert "clinsum retry" in out


def test_an_id_that_nobody_has_is_said_and_leaves_no_row(
    server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["retry", "DocumentReference/nobody", "DocumentReference/bench-0"]) == 1
    out = capsys.readouterr().out
    assert "DocumentReference/nobody is unknown: neither the server nor the ledger has it." in out
    with open_ledger(load_settings({})) as ledger:
        assert "DocumentReference/nobody" not in ledger.known(["DocumentReference/nobody"])

    assert run(["retry", "DocumentReference/nobody", "--json"]) == 1
    (last,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert last["summary"]["unknown"] == ["DocumentReference/nobody"]


def test_a_note_that_was_deleted_since_is_no_unknown_one(
    server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_ledger(load_settings({})) as ledger:
        ledger.record([row("DocumentReference/gone")])
    assert run(["retry", "DocumentReference/gone"]) == 0
    assert "unknown" not in capsys.readouterr().out
    with open_ledger(load_settings({})) as ledger:
        (known,) = ledger.known(["DocumentReference/gone"]).values()
    assert (known.status, known.reason) == ("skipped", "deleted")


def test_names_that_no_setting_has_are_said_with_the_nearest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".env").write_text("CLINSUM_FHIR_BASEURL=http://127.0.0.1:9/hush-hush\nOTHER=1\n", "utf-8")
    monkeypatch.setenv("CLINSUM_ENGIN", "hush-hush")
    monkeypatch.setenv("CLINSUM_TEST_WHATEVER", "1")

    found = {unknown.name: unknown.nearest for unknown in unknown_settings(os.environ)}
    assert found["CLINSUM_ENGIN"] == "CLINSUM_ENGINE"
    assert found["CLINSUM_FHIR_BASEURL"] == "CLINSUM_FHIR_BASE_URL"
    assert len(found) == 2

    assert run(["notes", "--json"]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert "There is no setting CLINSUM_ENGIN; it is ignored. Did you mean CLINSUM_ENGINE?" in said.err
    assert "hush-hush" not in said.err


def test_doctor_shows_its_checks_before_the_settings(
    server: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CLINSUM_ENGIN", "lead")
    assert run(["doctor"]) == 0
    out = capsys.readouterr().out
    assert out.index("FHIR server") < out.index("Did you mean CLINSUM_ENGINE?") < out.index("CLINSUM_AUTH =")


def test_the_pause_is_counted_from_the_end_of_a_pass() -> None:
    begun = NOW.replace(minute=3, second=20)
    assert make_trigger("5m", None).pause(begun) == 300
    assert make_trigger(None, "*/5 * * * *").pause(begun.astimezone()) == 100
    assert make_trigger(None, "*/5 * * * *").words == "by '*/5 * * * *'"


def test_progress_says_how_many_of_how_many_and_that_the_model_loads() -> None:
    progress = PassProgress()
    assert progress.words == "reading the server's changes"
    progress.found(79)
    progress.loading()
    assert progress.words == "loading the model  0 of 79 notes found so far"
    progress.loaded()
    for number in range(43):
        progress.add(Outcome(f"DocumentReference/{number}", "1", "written"))
    assert progress.words == "43 of 79 notes found so far: 43 written"


def fill(ledger: Ledger) -> None:
    for number in range(200):
        ledger.record([row(f"DocumentReference/{number}", detail="x" * 150)])


def test_a_full_disk_and_a_damaged_file_are_one_sentence_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ledger.sqlite"
    url = f"sqlite:///{path}"
    with Ledger(url, server="s", pipeline="p"):
        pass

    def small(engine: sa.Engine) -> None:
        sa.event.listen(engine, "connect", lambda c, _: c.execute("PRAGMA max_page_count = 30"))

    import jobs.ledger.ledger

    real = jobs.ledger.ledger.connect
    monkeypatch.setattr(jobs.ledger.ledger, "connect", lambda u: (lambda e: (small(e), e)[1])(real(u)))
    with Ledger(url, server="s", pipeline="p") as ledger, pytest.raises(LedgerError, match="make room"):
        fill(ledger)
    monkeypatch.undo()

    path.write_bytes(b"no database at all" * 400)
    with pytest.raises(LedgerError, match="or damaged\\); restore it from a backup"):
        Ledger(url, server="s", pipeline="p")


def test_an_audit_of_a_sample_and_of_what_is_new(server: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["poll", "--json"]) == 0
    capsys.readouterr()

    def audited(*options: str) -> list[dict[str, Any]]:
        assert run(["audit", "--all", "--json", *options]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    everything = {one["composition"] for one in audited()}
    assert len(everything) == 3
    assert {one["composition"] for one in audited("--sample", "2")} < everything
    assert len({one["composition"] for one in audited("--sample", "9")}) == 3
    assert len(audited("--since", "1h")) == 3
    assert audited("--since", "2100-01-01") == []
    assert {one["status"] for one in audited()} == {"preliminary"}
    assert run(["audit", "--sample", "2", "Composition/1"]) == 2

    assert run(["audit", "--all", "--html", "a.html", "--csv", "a.csv"]) == 0
    assert "3 of 4 notes that were handled have a summary." in Path("a.html").read_text("utf-8")
    assert "DocumentReference/empty" in Path("a.csv").read_text("utf-8")
    assert run(["audit", "--all", "--html", "b.html", "--sample", "1"]) == 0
    assert "a sample of 1, taken at random" in Path("b.html").read_text("utf-8")
