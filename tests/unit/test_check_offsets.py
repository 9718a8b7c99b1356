"""`docs/check_offsets.py`, run as users run it, over HTTP, on Compositions that the adapter builds."""

import base64
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from fhir_adapter.errors import NoteError
from fhir_adapter.note import Attachment, NoteText, Reading, SourceNote
from fhir_adapter.reading.source_note import read_source
from fhir_adapter.writing.authorship import author
from fhir_adapter.writing.pipeline import Pipeline
from fhir_adapter.writing.summary import SummaryDraft, composition, extracted_text
from summarizer.types import ModelInfo, SelectedSentence, Summary
from tests.places import ROOT

SCRIPT = ROOT / "docs" / "check_offsets.py"
PIPELINE = Pipeline("extractive", "0.1.0", ModelInfo("none", "", "lead"))
PLAIN = "https://fhir.example.org/text-extraction/plain|1"

# Outside the BMP, combining, right-to-left, CR and NUL: what breaks counting in other units.
TEXT = "Chest pain 😷 since 3 a.m.\r\nAllergy: e\u0301clair, שלום.\nBP 120/80 – 5 µg & <b>none</b>.\x00 End."
SENTENCES = ("Chest pain 😷 since 3 a.m.\r\nAllergy:", "e\u0301clair, שלום.", "5 µg & <b>none</b>.\x00 End.")


class Server(ThreadingHTTPServer):
    """Serves the resources put into `there`, by `Type/id`."""

    there: dict[str, dict[str, Any]]
    authorization: str | None = None

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/fhir"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, Server)
        resource = server.there.get(self.path.removeprefix("/fhir/").removesuffix("/_history/1"))
        if resource:
            stamp = {"versionId": "1", "lastUpdated": "2025-01-01T00:00:00Z"}
            resource["meta"] = stamp | resource.get("meta", {})
        allowed = server.authorization in (None, self.headers.get("Authorization"))
        self.send_response(200 if resource and allowed else 401)
        self.end_headers()
        self.wfile.write(json.dumps(resource).encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as httpd:
        httpd.there = {}
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        yield httpd
        httpd.shutdown()
        thread.join()


def summary(text: str, sentences: tuple[str, ...]) -> Summary:
    chosen = tuple(
        SelectedSentence(text.index(s), text.index(s) + len(s), s, round(0.9 - n / 10, 2))
        for n, s in enumerate(sentences)
    )
    return Summary(PIPELINE.model, "", len(text), chosen, ())


def put(
    server: Server, note: SourceNote, attachment: Attachment, text: str = TEXT, verbatim: bool = True
) -> str:
    """Puts the summary of a note on the server and returns the Composition's address."""
    reading = Reading(note, attachment, NoteText(text, PLAIN, "text/plain", verbatim=verbatim))
    sentences = SENTENCES if text == TEXT else (text[:9],)
    written = SummaryDraft(reading, summary(text, sentences), PIPELINE, server.base)
    resource = composition(written)
    if not verbatim:
        beside = extracted_text(written)
        span = resource["section"][0]["extension"]
        for extension in span:  # as a server resolves the references inside a transaction
            extension["extension"][0]["valueReference"]["reference"] = f"DocumentReference/{beside['id']}"
        server.there[f"DocumentReference/{beside['id']}"] = beside
    server.there[f"Composition/{resource['id']}"] = resource
    server.there[f"Device/{PIPELINE.device_id}"] = author(PIPELINE)[1]
    return f"{server.base}/Composition/{resource['id']}"


def inline(server: Server, data: bytes, content_type: str, text: str = TEXT) -> str:
    encoded = base64.b64encode(data).decode()
    attachment = {"contentType": content_type, "data": encoded}
    server.there["DocumentReference/1"] = {"content": [{"attachment": {}}, {"attachment": attachment}]}
    note = SourceNote("DocumentReference", "1", "1", "2025-01-01T00:00:00Z")
    return put(server, note, Attachment("DocumentReference.content[1].attachment", data=encoded), text)


ODD: list[dict[str, Any]] = [
    {"context": {"encounter": [{"reference": "EpisodeOfCare/1"}]}},
    {"context": {"encounter": [{"reference": "Encounter/1"}, {"reference": "Encounter/2"}]}},
    {"context": {"encounter": {"reference": "Encounter/1"}}},
    {"context": [{"reference": "Encounter/1", "type": "Encounter"}]},  # as in R5
    {"context": [{"type": "Encounter", "identifier": {"value": "stay 7"}}]},
    {
        "context": {"encounter": [{"reference": "#e"}]},
        "contained": [{"resourceType": "Encounter", "id": "e"}],
    },
    {"subject": {"identifier": {"value": "7"}}},
    {"subject": [{"reference": "Patient/1"}], "custodian": [{"reference": "Organization/1"}]},
    {"custodian": {"reference": "Patient/1"}},
    {"custodian": {"display": "A hospital"}, "subject": {"reference": "Patient/1/_history/3"}},
    {"type": [{"coding": [{"system": "http://loinc.org", "code": "11506-3"}]}]},
    {"type": {"coding": {"code": "11506-3"}, "text": "Progress note"}},
]


def check(*addresses: str, **environment: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-I", str(SCRIPT), *addresses],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={"PYTHONUTF8": "1", "PATH": "", **environment},
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("odd", ODD)
def test_what_an_odd_source_states_is_no_finding(server: Server, odd: dict[str, Any]) -> None:
    encoded = base64.b64encode(TEXT.encode()).decode()
    attachment = {"contentType": "text/plain", "data": encoded}
    meta = {"versionId": "1", "lastUpdated": "2025-01-01T00:00:00Z"}
    stated = {"resourceType": "DocumentReference", "id": "1", "status": "current", "meta": meta}
    resource = {**stated, "content": [{"attachment": attachment}], **odd}
    server.there["DocumentReference/1"] = resource
    where = Attachment("DocumentReference.content[0].attachment", data=encoded)
    code, out = check(put(server, read_source(resource), where))
    assert (code, "33 of 33 checks hold" in out) == (0, True), out


def test_a_subject_that_cannot_be_named_gets_no_summary(server: Server) -> None:
    note = SourceNote(
        "DocumentReference", "1", "1", "2025-01-01T00:00:00Z", subject={"reference": "patient/1"}
    )
    attachment = Attachment("DocumentReference.content[0].attachment", data="")
    with pytest.raises(NoteError, match="a subject that cannot be named"):
        put(server, note, attachment)


@pytest.mark.parametrize(
    ("content_type", "encoding"),
    [
        ("text/plain", "utf-8"),
        ("text/plain; charset=UTF-8", "utf-8-sig"),
        ('text/plain;charset="utf-16"', "utf-16"),
    ],
)
def test_every_sentence_of_an_inline_text_is_checked(
    server: Server, content_type: str, encoding: str
) -> None:
    code, out = check(inline(server, TEXT.encode(encoding), content_type))
    assert (code, "33 of 33 checks hold" in out) == (0, True), out


def test_windows_1252_that_nobody_declared(server: Server) -> None:
    text = "Temp 38.5 °C – 5 µg given. Well."
    code, out = check(inline(server, text.encode("windows-1252"), "text/plain", text))
    assert (code, "31 of 31 checks hold" in out) == (0, True), out


def test_a_text_in_a_binary(server: Server) -> None:
    server.there["Binary/7"] = {"contentType": "text/plain", "data": base64.b64encode(TEXT.encode()).decode()}
    content = [{"attachment": {"contentType": "text/plain", "url": "Binary/7"}}]
    server.there["DocumentReference/1"] = {"content": content}
    note = SourceNote("DocumentReference", "1", "1", "2025-01-01T00:00:00Z")
    attachment = Attachment("DocumentReference.content[0].attachment", url="Binary/7")
    assert check(put(server, note, attachment))[0] == 0


def test_a_conclusion(server: Server) -> None:
    server.there["DiagnosticReport/1"] = {"conclusion": TEXT}
    note = SourceNote("DiagnosticReport", "1", "1", "2025-01-01T00:00:00Z")
    assert check(put(server, note, Attachment("DiagnosticReport.conclusion", text=TEXT)))[0] == 0


def test_a_text_written_beside_its_source(server: Server) -> None:
    server.there["DocumentReference/1"] = {"content": []}
    note = SourceNote("DocumentReference", "1", "1", "2025-01-01T00:00:00Z")
    attachment = Attachment("DocumentReference.content[0].attachment", data="")
    code, out = check(put(server, note, attachment, verbatim=False))
    assert (code, "33 of 33 checks hold" in out) == (0, True), out


def test_a_changed_source_is_found(server: Server) -> None:
    address = inline(server, TEXT.encode(), "text/plain")
    changed = base64.b64encode(TEXT.replace("Chest", "Back").encode()).decode()
    server.there["DocumentReference/1"]["content"][1]["attachment"]["data"] = changed
    code, out = check(address)
    assert code == 1
    assert "WRONG text of DocumentReference/1 by its SHA-256" in out
    assert "29 of 33 checks hold" in out


def test_a_sentence_of_other_words_is_found(server: Server) -> None:
    address = inline(server, TEXT.encode(), "text/plain")
    resource = server.there[address.removeprefix(f"{server.base}/")]
    narrative = resource["section"][0]["text"]
    narrative["div"] = narrative["div"].replace("Chest pain", "Chest pains")
    code, out = check(address)
    assert code == 1
    assert out.count("WRONG") == 1
    assert "32 of 33 checks hold" in out


def test_an_offset_moved_by_one_is_found(server: Server) -> None:
    address = inline(server, TEXT.encode(), "text/plain")
    resource = server.there[address.removeprefix(f"{server.base}/")]
    parts = resource["section"][0]["extension"][1]["extension"]
    next(p for p in parts if p["url"] == "offset")["valueInteger"] += 1
    assert check(address)[0] == 1


def test_the_login_is_sent(server: Server) -> None:
    address = inline(server, TEXT.encode(), "text/plain")
    server.authorization = "Bearer abc"
    assert check(address)[0] != 0
    assert check(address, AUTHORIZATION="Bearer abc")[0] == 0


def search(server: Server, *pages: list[str]) -> str:
    """Puts a search with these pages of ids on the server; returns its address. It goes on as HAPI's."""
    for at, ids in enumerate(pages):
        entries = [{"resource": server.there[f"Composition/{one}"]} for one in ids]
        link = [{"relation": "self", "url": "?"}]
        if at + 1 < len(pages):
            link.append({"relation": "next", "url": f"{server.base}?_getpages={at + 1}"})
        page = {"resourceType": "Bundle", "entry": entries, "link": link}
        server.there[f"/fhir?_getpages={at}" if at else "Composition?_tag=x&_count=2"] = page
    return f"{server.base}/Composition?_tag=x&_count=2"


def test_all_pages_of_a_search_are_checked(server: Server) -> None:
    good = inline(server, TEXT.encode(), "text/plain").rpartition("/")[2]
    bad = json.loads(json.dumps(server.there[f"Composition/{good}"])) | {"id": "bad", "title": "A summary"}
    server.there["Composition/bad"] = bad
    server.authorization = "Bearer abc"
    address = search(server, [good, good], ["bad", good])
    code, out = check(address, AUTHORIZATION="Bearer abc", JOBS="2")
    lines = out.splitlines()
    assert (code, lines[-1]) == (1, "3 of 4 Compositions hold"), out
    assert [line[:5] for line in lines[:4]] == ["ok   ", "ok   ", "WRONG", "     "]
    assert lines[2:4] == ["WRONG Composition/bad: 32 of 33 checks hold", "      its title"]
    code, out = check(search(server, [good], [good]), AUTHORIZATION="Bearer abc")
    assert (code, out.splitlines()[-1]) == (0, "2 of 2 Compositions hold"), out


def test_several_compositions_are_checked(server: Server) -> None:
    address = inline(server, TEXT.encode(), "text/plain")
    code, out = check(address, address)
    assert (code, out.splitlines()[-1]) == (0, "2 of 2 Compositions hold"), out
    code, out = check(address, f"{server.base}/Composition/none")
    assert (code, "the rest cannot be read" in out) == (1, True), out


def test_a_search_that_finds_nothing_proves_nothing(server: Server) -> None:
    code, out = check(search(server, []))
    assert (code, out.splitlines()[-1]) == (1, "0 of 0 Compositions hold"), out


def test_it_needs_nothing_of_ours() -> None:
    names = {"fhir_adapter", "summarizer", "jobs", "training"}
    imports = [line for line in SCRIPT.read_text().splitlines() if line.startswith(("import", "from"))]
    assert imports
    assert not [line for line in imports if names & set(line.replace(".", " ").split())]
