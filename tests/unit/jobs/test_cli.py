"""The command line as a user meets it: output, exit codes, and one sentence where something is wrong."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest

from fhir_adapter.sandbox.running import running_embedded
from jobs.bench.passes import generated_notes
from jobs.cli import run
from jobs.ledger.rows import NoteRow
from jobs.runtime import open_ledger
from jobs.settings import load_settings

COMMANDS = ["doctor", "sandbox", "profiles", "poll", "run", "retry", "audit", "withdraw", "timeline", "notes"]
COMMANDS += ["summarize", "text", "serve", "demo"]


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in os.environ:
        if name.startswith("CLINSUM_") and name not in ("CLINSUM_REQUIRE_ALL", "CLINSUM_CACHE"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLINSUM_DATABASE_URL", f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    monkeypatch.setenv("CLINSUM_ENGINE", "lead")
    monkeypatch.setenv("CLINSUM_RETRIES", "0")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with running_embedded() as base_url:
        monkeypatch.setenv("CLINSUM_FHIR_BASE_URL", base_url)
        for note in generated_notes(3):
            put(base_url, note)
        put(
            base_url, {"resourceType": "DocumentReference", "id": "empty", "status": "current", "content": []}
        )
        yield base_url


def put(base_url: str, resource: dict[str, object]) -> None:
    url = f"{base_url}/{resource['resourceType']}/{resource['id']}"
    httpx.put(url, json=resource, trust_env=False, timeout=600).raise_for_status()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([command, "--help"]) == 0
    assert f"Example: clinsum {command}" in " ".join(capsys.readouterr().out.split())


def test_a_pass_prints_a_line_a_note_and_a_summary(server: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["poll", "--json"]) == 0

    *notes, last = lines(capsys)
    assert {tuple(note) for note in notes} == {
        ("source", "version", "status", "reason", "composition", "sentences", "ms")
    }
    assert sorted(str(note["status"]) for note in notes) == ["skipped", "written", "written", "written"]
    counts = last["summary"]
    assert isinstance(counts, dict)
    assert counts.pop("seconds") > 0
    assert counts == {"seen": 4, "written": 3, "unchanged": 0, "skipped": 1, "failed": 0}


def test_what_was_written_is_audited_listed_and_tried_again(
    server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["poll", "--json"])
    written = [line for line in lines(capsys) if line.get("status") == "written"]

    assert run(["audit", "--all", "--json"]) == 0
    proofs = lines(capsys)
    assert {proof["composition"] for proof in proofs} == {note["composition"] for note in written}
    assert all(proof["ok"] and proof["sentences"] and proof["problems"] == [] for proof in proofs)

    assert run(["audit", str(written[0]["composition"])]) == 0
    assert "1 Composition, 5 sentences" in capsys.readouterr().out

    assert run(["notes", "--status", "skipped", "--json"]) == 0
    (skipped,) = lines(capsys)
    assert (skipped["source"], skipped["reason"]) == ("DocumentReference/empty", "no-attachment")

    assert run(["retry", str(written[0]["source"]), "--json"]) == 0
    assert [line.get("status") for line in lines(capsys)] == ["unchanged", None]


def test_a_failed_note_gives_exit_code_1_and_is_listed(
    server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    attachment = {"contentType": "text/plain", "data": "no base64!"}
    put(
        server,
        {
            "resourceType": "DocumentReference",
            "id": "bad",
            "status": "current",
            "content": [{"attachment": attachment}],
        },
    )
    assert run(["poll"]) == 1
    out = capsys.readouterr().out
    assert "1 failed" in out
    assert "bad-base64" in out

    assert run(["retry", "--json"]) == 1
    assert lines(capsys)[0]["reason"] == "bad-base64"


def test_a_reason_that_another_version_wrote_is_listed_as_it_stands(
    server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Such as `attested`, a reason before a person's summary got another one after it."""
    with open_ledger(load_settings({})) as ledger:
        row = NoteRow("DocumentReference/1", "1", "v", "skipped", reason="attested", composition="c1")
        ledger.record([row])

    assert run(["notes"]) == 0
    assert "attested" in capsys.readouterr().out
    assert run(["notes", "--json"]) == 0
    assert lines(capsys)[0]["reason"] == "attested"


def test_the_audit_of_something_altered_gives_exit_code_1(
    server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["poll", "--json"])
    where = str(lines(capsys)[0]["composition"])
    composition = httpx.get(f"{server}/{where}", trust_env=False, timeout=600).json()
    div = composition["section"][0]["text"]["div"]
    composition["section"][0]["text"]["div"] = div.replace("Note", "Vote", 1)
    put(server, composition)

    assert run(["audit", where, "--json", "--html", "a.html", "--csv", "a.csv"]) == 1
    (proof,) = lines(capsys)
    assert "sentence-altered" in Path("a.html").read_text("utf-8")
    assert "sentence-altered" in Path("a.csv").read_text("utf-8")
    assert [problem["code"] for problem in proof["problems"]] == ["sentence-altered"]  # type: ignore[attr-defined]


def test_doctor_shows_settings_without_secrets_and_every_check(
    server: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLINSUM_AUTH", "bearer")
    monkeypatch.setenv("CLINSUM_TOKEN", "hush-hush")

    assert run(["doctor", "--write-test", "--json"]) == 0

    out = capsys.readouterr().out
    assert "hush-hush" not in out
    report = json.loads(out)
    assert report["settings"]["token"] == "***"
    assert {check["name"] for check in report["checks"]} >= {"FHIR server", "database", "model"}
    assert {check["status"] for check in report["checks"]} == {"ok"}
    (changes,) = (check for check in report["checks"] if check["name"] == "changes of DocumentReference")
    assert changes["value"].startswith("by _lastUpdated; there are ")
    assert changes["value"].endswith("; deletions by _history")


def test_doctor_says_which_proxy_leads_to_the_server(
    server: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://canary:word@127.0.0.1:9")
    assert run(["doctor", "--json"]) == 0
    assert checks_of(capsys)["proxy"]["value"] == "none: this machine"
    monkeypatch.setenv("CLINSUM_FHIR_BASE_URL", "http://fhir.example/fhir")
    assert run(["doctor", "--json"]) == 3
    said = checks_of(capsys)["proxy"]
    assert said["value"] == "http://127.0.0.1:9, of the environment (HTTP_PROXY)"
    monkeypatch.setenv("CLINSUM_AUTH", "bearer")
    monkeypatch.setenv("CLINSUM_TOKEN", "hush-hush")
    assert run(["doctor", "--json"]) == 2
    told = capsys.readouterr()
    assert "CLINSUM_PROXY" in told.err
    assert not any(word in told.out + told.err for word in ("canary", "hush-hush"))


def checks_of(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, str]]:
    return {check["name"]: check for check in json.loads(capsys.readouterr().out)["checks"]}


def held(server: str, resource_type: str) -> int:
    url = f"{server}/{resource_type}?_summary=count"
    return int(httpx.get(url, trust_env=False, timeout=600).json()["total"])


def test_doctor_writes_nothing_unless_asked_to(server: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--json"]) == 0
    checks = checks_of(capsys)
    assert checks["label"]["value"] == "AIAST was not tried: --write-test would try it"
    assert "writing" not in checks
    assert (held(server, "Composition"), held(server, "Device")) == (0, 0)

    assert run(["doctor", "--write-test", "--json"]) == 0
    checks = checks_of(capsys)
    assert checks["label"]["value"] == "AIAST is taken (create and delete)"
    assert checks["writing"]["status"] == "ok"
    assert "not loaded" in checks["profiles"]["value"]
    assert (held(server, "Composition"), held(server, "Device")) == (0, 1)


def test_profiles_are_listed_packed_and_loaded(
    server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from fhir_adapter.profiles import definitions
    from fhir_adapter.profiles.package import build

    assert run(["profiles"]) == 0
    listed = capsys.readouterr().out
    assert all(definition["url"] in listed for definition in definitions())

    package = tmp_path / "package.tgz"
    assert run(["profiles", "--out", str(package)]) == 0
    assert package.read_bytes() == build()
    assert run(["profiles", "--out", str(tmp_path / "none" / "package.tgz")]) == 2

    capsys.readouterr()
    loaded = []
    for _ in range(2):
        assert run(["profiles", "--load", "--json"]) == 0
        loaded.append(json.loads(capsys.readouterr().out)["loaded"])
    every = len(definitions())
    assert loaded == [{"created": every, "kept": 0}, {"created": 0, "kept": every}]
    assert run(["doctor", "--json"]) == 0
    checks = {check["name"]: check for check in json.loads(capsys.readouterr().out)["checks"]}
    assert checks["profiles"]["value"].startswith("loaded")


class NotFhir(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>It works</html>")

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def web_server() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), NotFhir)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def complaint(capsys: pytest.CaptureFixture[str]) -> str:
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    (said,) = [line for line in captured.err.splitlines() if line.startswith("clinsum: ")]
    return said


@pytest.mark.parametrize("command", [["poll"], ["audit", "--all"], ["retry", "DocumentReference/1"]])
def test_an_unreachable_server_is_exit_code_3(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*command, "--set", "FHIR_BASE_URL=http://127.0.0.1:9/fhir"]) == 3
    assert complaint(capsys)


def test_a_server_that_is_not_fhir_is_exit_code_3(
    web_server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["poll", "--set", f"FHIR_BASE_URL={web_server}"]) == 3
    assert "FHIR" in complaint(capsys)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["poll", "--set", "BUDGET=many"], "CLINSUM_BUDGET"),
        (["poll", "--set", "BUDGET"], "NAME=VALUE"),
        (["poll", "--set", "DATABASE_URL=oracle://x"], "DATABASE_URL"),
        (["run", "--every", "1m", "--cron", "* * * * *"], "not both"),
        (["run", "--cron", "every day"], "schedule"),
        (["audit"], "--all"),
        (["audit", "--all", "--html", "none/such.html"], "cannot be written"),
        (["retry", "123"], "DocumentReference/123"),
        (["summarize", "none-such.txt"], "cannot be read"),
        (["sandbox", "--load", "none-such"], "does not exist"),
    ],
)
def test_wrong_use_is_exit_code_2_and_one_sentence(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    assert says in complaint(capsys)


def test_a_missing_model_is_one_sentence(
    tmp_path: Path, server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sets = ["--set", "ENGINE=lexrank", "--set", f"MODEL={tmp_path / 'none'}"]
    assert run(["poll", *sets]) == 2
    assert "model" in complaint(capsys).lower()


def test_summarize_and_text_need_no_server(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    note = tmp_path / "note.txt"
    note.write_text("PLAN:\nStop aspirin. Call 555.\n\nHome today.", "utf-8")

    assert run(["summarize", str(note), "--sentences", "2", "--json"]) == 0
    (summary,) = lines(capsys)
    assert set(summary) == {
        "model",
        "text",
        "summary",
        "sentences",
        "pinned",
        "pinned_rules",
        "left_out",
    }
    assert [s["text"] for s in summary["summary"]] == ["Stop aspirin.", "Call 555."]  # type: ignore[attr-defined]
    above = [{"start": 0, "end": 5, "kind": "heading"}]
    assert [s["context"] for s in summary["summary"]] == [above, above]  # type: ignore[attr-defined]
    assert summary["summary"][0]["flags"] == ["conditional", "stopped"]  # type: ignore[index]

    assert run(["text", str(note), "--json"]) == 0
    (text,) = lines(capsys)
    whole = str(text["text"])
    assert [whole[a:b] for a, b in text["sentences"]][:2] == ["Stop aspirin.", "Call 555."]  # type: ignore[attr-defined]
    assert text["context"] == [above] * len(text["sentences"])  # type: ignore[arg-type]
    assert text["flags"][0] == ["conditional", "stopped"]  # type: ignore[index]
    assert len(text["flags"]) == len(text["sentences"])  # type: ignore[arg-type]
    assert text["media_type"] == "text/plain"
    assert text["sections"][0]["kind"] == "plan"  # type: ignore[index]


def test_what_a_sentence_must_be_read_with_is_shown_with_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    note = tmp_path / "note.txt"
    note.write_text(
        "MEDICINES\nSTOP taking\n  * Ibuprofen\n  * Naproxen\nKEEP taking\n  * Metformin\n", "utf-8"
    )

    assert run(["summarize", str(note), "--engine", "lead", "--sentences", "6"]) == 0
    shown = [line.strip() for line in capsys.readouterr().out.splitlines()]
    first, last = shown.index("Ibuprofen"), shown.index("Metformin")
    assert shown[first - 2] == "STOP taking"
    assert "STOP taking" not in shown[first:]
    assert shown[last - 2] == "KEEP taking"

    assert run(["text", str(note)]) == 0
    out = capsys.readouterr().out
    assert "STOP taking › 'Naproxen'" in out
    assert "KEEP taking › 'Metformin'" in out


def test_what_rules_found_stands_under_the_summary_whatever_its_length(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    note = tmp_path / "note.txt"
    note.write_text("ALLERGIES:\nPenicillin: hives.\n\nPLAN:\nHome today. He is DNR.\n", "utf-8")

    assert run(["summarize", str(note), "--engine", "lead", "--sentences", "1"]) == 0
    shown = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    place = shown.index("Found by rule: Allergies:")
    assert shown[place + 1] == "11–29 ALLERGIES: Penicillin: hives."
    assert shown[place + 2 : place + 4] == [
        "Found by rule: Code status and directives:",
        "49–59 PLAN: He is DNR.",
    ]
    assert "Not chosen: nothing from 1 section (2 sentences)." in shown

    note.write_text("PLAN:\nHome today.\n", "utf-8")
    assert run(["summarize", str(note), "--engine", "lead"]) == 0
    assert "ound by rule" not in capsys.readouterr().out


def test_a_file_that_holds_no_text_gives_its_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "scan.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(50))

    assert run(["text", str(picture), "--json"]) == 1
    assert lines(capsys)[0]["reason"] == "unsupported-type"
    assert run(["summarize", str(picture)]) == 1
    assert "unsupported-type" in capsys.readouterr().err
