"""The demo's report as text: complete, honest, and whole at any width and encoding."""

import io
import json
import re
import subprocess
import threading
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from rich.console import Console

from fhir_adapter.reasons import Reason
from jobs.demo.report import DemoReport, DemoRow, Page, PassFigures, Selected
from jobs.demo.show import one_offset, show

TEXT = (
    "Seen today.\nNo chest pain [red]since the stent[/red], but breathless on the\n2nd flight. RTC 6 weeks."
)
COMPOSITION = "Composition/0b9d7a52-8a55-5d5f-8f0e-3c7d0f3b6a10"


def chosen(part: str, score: float, ok: bool = True) -> Selected:
    start = TEXT.index(part)
    return Selected(start, start + len(part), part, score, ok)


SELECTED = (
    chosen("Seen today.", 0.11),
    chosen(TEXT[12 : TEXT.index(" RTC")], 0.9),
    chosen("RTC 6 weeks.", 0.4),
)


def report(*rows: DemoRow, start_again: str = "", page: Page | None = None) -> DemoReport:
    passes = (PassFigures("First", 3, 1, 0, 1, 1, 1.234), PassFigures("Second", 3, 0, 1, 1, 1, 0.1))
    return DemoReport("embedded", "http://127.0.0.1:9/fhir", start_again, "sqlite:///x", passes, rows, page)


def summarised(selected: tuple[Selected, ...] = SELECTED, problems: tuple[str, ...] = ()) -> DemoRow:
    return DemoRow(
        "DocumentReference/demo-nstemi-followup",
        "plain text",
        "Cardiology clinic note",
        selected,
        COMPOSITION,
        problems,
        verbatim=True,
    )


def shown(what: DemoReport, width: int = 80, encoding: str = "utf-8", terminal: bool = False) -> str:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, errors="strict")
    colours = "standard" if terminal else None
    console = Console(file=file, width=width, force_terminal=terminal, color_system=colours, _environ={})
    show(what, console)
    file.flush()
    return raw.getvalue().decode(encoding)


def left_out(reason: Reason) -> DemoRow:
    return DemoRow("DocumentReference/demo-foot-photo", "text", "Wound photograph", reason=reason)


def test_a_reader_finds_offsets_address_verdict_and_reason() -> None:
    out = shown(report(summarised(), left_out(Reason.UNSUPPORTED_TYPE)), width=120)
    assert f"DocumentReference/demo-nstemi-followup → {COMPOSITION}" in out
    assert f"12:{TEXT.index(' RTC')}" in out
    assert "0.90" in out
    assert "3/3" in out
    assert "3 of 3 sentences stand in their sources" in out
    assert "1 of 1 Compositions hold" in out
    assert "unsupported-type" in out
    assert Reason.UNSUPPORTED_TYPE.words in out


def test_square_brackets_of_a_note_are_shown_as_they_are() -> None:
    assert "No chest pain [red]since the stent[/red], but" in shown(report(summarised()), width=120)


@pytest.mark.parametrize("width", [20, 60, 80, 120, 300])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_no_line_of_the_tables_is_wider_than_the_page(width: int, encoding: str) -> None:
    what = report(summarised(), left_out(Reason.NO_ATTACHMENT), page=Page("Note", TEXT, SELECTED))
    tables = shown(what, width, encoding).partition("To look further")[0]
    assert max(map(len, tables.splitlines())) <= max(60, min(width, 120))


def test_a_long_sentence_is_clipped_with_a_sign() -> None:
    assert re.search(r"No chest pain \[red]since the stent\[/red], but \w+… ", shown(report(summarised())))
    assert "..." in shown(report(summarised()), encoding="ascii")


def test_of_many_sentences_the_best_are_shown_in_the_order_of_the_note() -> None:
    many = tuple(
        Selected(10 * i, 10 * i + 5, f"word{i}", score, True) for i, score in enumerate([1, 9, 2, 8, 7])
    )
    out = shown(report(summarised(many)))
    assert [out.find(f"word{i}") >= 0 for i in range(5)] == [False, True, False, True, True]
    assert out.index("word1") < out.index("word3") < out.index("word4")
    assert "and 2 more" in out


def test_a_failed_audit_is_not_hidden() -> None:
    wrong = (*SELECTED[:2], chosen("RTC 6 weeks.", 0.4, ok=False))
    what = report(summarised(wrong, ("hash-mismatch",)))
    out = shown(what)
    assert not what.ok
    assert "2/3" in out
    assert "hash-mismatch" in out
    assert "✗ Audit: 2 of 3 sentences" in out
    assert "0 of 1 Compositions hold" in out


def test_one_note_is_shown_in_full_with_what_was_selected_marked() -> None:
    page = Page("Clinic", TEXT, SELECTED[1:])
    assert "⟦No chest pain" in shown(report(summarised(), page=page))
    assert "[[RTC 6 weeks.]]" in shown(report(summarised(), page=page), encoding="ascii")
    coloured = shown(report(summarised(), page=page), terminal=True)
    assert "⟦" not in coloured
    assert "\x1b[30;43m" in coloured


def test_commands_are_not_broken_over_lines() -> None:
    out = shown(report(summarised(), start_again="sandbox --port 8080"), width=60).splitlines()
    assert f"curl -s http://127.0.0.1:9/fhir/{COMPOSITION}" in out
    assert "make demo FHIR=hapi" in out
    assert "clinsum sandbox --port 8080" in out
    assert any(line.startswith("CLINSUM_FHIR_BASE_URL=https://your.server/fhir ") for line in out)


def test_the_steps_fit_a_server_that_stays_up_or_keeps_nothing() -> None:
    assert "clinsum demo --keep" in shown(report(summarised()))
    console = Console(file=io.StringIO(), width=80)
    show(report(summarised(), start_again="sandbox"), console, clinsum=".venv/bin/clinsum", up=True)
    assert isinstance(console.file, io.StringIO)
    out = console.file.getvalue()
    assert "clinsum sandbox" not in out
    assert ".venv/bin/clinsum audit 0b9d7a52" in out


def test_a_note_that_the_server_refused_is_in_the_table() -> None:
    refused = DemoRow("DocumentReference/demo-x", "", "School form", loaded=False)
    out = shown(report(refused))
    assert "not stored" in out
    assert "School form" in out


def test_with_nothing_summarised_there_is_still_a_report() -> None:
    out = shown(report(left_out(Reason.TIMEOUT)))
    assert "timeout" in out
    assert "0 of 0 Compositions hold" in out
    assert "curl" not in out


@pytest.fixture
def server() -> Iterator[str]:
    class Note(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data = b64encode(TEXT.encode()).decode()
            body = json.dumps({"content": [{"attachment": {"data": data}}]}).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Note) as httpd:
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}/fhir"
        httpd.shutdown()
        thread.join()


def test_the_two_lines_of_python_print_the_sentence(server: str) -> None:
    command = one_offset(server, summarised())
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout == SELECTED[1].text + "\n"
    assert len(command.splitlines()) == 3  # the shell's own line, and two of Python
