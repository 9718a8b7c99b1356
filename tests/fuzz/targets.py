"""What is fuzzed: functions of bytes. Each raises where something else happens than what is documented.

A target is imported under coverage by `tests/fuzz/run.py`; `seeds` gives it sound inputs to begin with.
"""

import asyncio
import io
import json
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from fhir_adapter.errors import FhirAdapterError, NoteError
from fhir_adapter.note import Content
from fhir_adapter.reading.source_note import read_source
from fhir_adapter.rest.scope import Scope
from fhir_adapter.rest.search_page import next_link
from fhir_adapter.rest.wire import codes_in, decode_bundle, words_in
from fhir_adapter.text.formats import read
from fhir_adapter.text.guard import Limits
from summarizer.errors import ModelError
from summarizer.splitting.split import split_document
from summarizer.types import Document
from tests.faults import seeds as sound

LIMITS = Limits(seconds=10.0, max_unpacked=5_000_000, max_characters=500_000)
BASE = "http://127.0.0.1/fhir"
_HERE = Path(tempfile.mkdtemp(prefix="fuzz-"))


def extraction(data: bytes) -> None:
    """A note's bytes give text or a reason; the first byte chooses what they are declared to be."""
    types = ("", *dict.fromkeys(seed.media_type for seed in sound.seeds()))
    with suppress(NoteError):
        note = read(Content("fuzz", data[1:], types[data[0] % len(types)] if data else ""), LIMITS)
        note.text.encode("utf-8")
        for heading in note.headings:
            assert 0 <= heading.start < heading.end <= len(note.text)


def fhir(data: bytes) -> None:
    """An answer of a server gives notes, or an error of the adapter's."""
    codes_in(data)
    assert len(words_in(data)) <= 500
    with suppress(FhirAdapterError):
        bundle = decode_bundle(data, "fuzz")
        next_link(bundle, httpx.URL(BASE), "fuzz", Scope(BASE))
        for entry in bundle.get("entry") or ():
            resource = entry.get("resource") if isinstance(entry, dict) else None
            if isinstance(resource, dict):
                with suppress(NoteError):
                    read_source(resource)


def segmentation(data: bytes) -> None:
    """Sentences are ordered, disjoint stretches of the text without outer white space."""
    text = data.decode("utf-8", "replace")
    split = split_document(Document(text))
    at = 0
    for sentence in split.sentences:
        assert at <= sentence.start < sentence.end <= len(text)
        words = text[sentence.start : sentence.end]
        assert words == words.strip()
        at = sentence.end
    for section in split.sections:
        assert 0 <= section.start <= section.end <= len(text)


def checkpoint(data: bytes) -> None:
    """A `.pt` gives tensors or one sentence."""
    from summarizer.checkpoint import _state_dict

    path = _HERE / "fuzz.pt"
    path.write_bytes(data)
    with suppress(ModelError):
        _state_dict(path)


def safetensors(data: bytes) -> None:
    """A file of weights gives names and shapes or one sentence."""
    from summarizer.encoder.weights import shapes

    path = _HERE / "fuzz.safetensors"
    path.write_bytes(data)
    with suppress(ModelError):
        shapes(path, "fuzz")


_ASKED = (
    ("POST", "/v1/summaries", "application/json"),
    ("POST", "/v1/summaries", "text/plain"),
    ("POST", "/v1/summaries?budget=2", "text/html; charset=utf-8"),
    ("POST", "/v1/summaries:batch", "application/json"),
    ("POST", "/login", "application/x-www-form-urlencoded"),
    ("GET", "/v1/notes", "application/json"),
)


class _Api:
    """The application of the demonstration, started once, on a loop of its own."""

    def __init__(self) -> None:
        from jobs.settings import load_settings
        from jobs.web.app import create_app
        from jobs.web.service import Options

        given = {"engine": "lead", "serve_rate": "0", "database_url": f"sqlite:///{_HERE / 'l.sqlite'}"}
        app = create_app(load_settings(given), Options(demo=True))
        self.loop = asyncio.new_event_loop()
        self.life = app.router.lifespan_context(app)
        self.loop.run_until_complete(self.life.__aenter__())
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost")

    def ask(self, data: bytes) -> None:
        method, path, kind = _ASKED[data[0] % len(_ASKED)] if data else _ASKED[0]
        headers = {"content-type": kind}
        answer = self.loop.run_until_complete(
            self.client.request(method, path, content=data[1:], headers=headers)
        )
        assert answer.status_code not in (500, 501, 502), answer.status_code
        if answer.headers.get("content-type", "").endswith("json"):
            json.loads(answer.content)


_api: list[_Api] = []


def api(data: bytes) -> None:
    """A request gets an answer that is no fault of ours."""
    if not _api:
        _api.append(_Api())
    _api[0].ask(data)


def _tensors() -> tuple[bytes, bytes]:
    import torch
    from safetensors.torch import save

    tensors = {"bert.a": torch.zeros(2, 2), "classifier.weight": torch.zeros(1, 2)}
    file = io.BytesIO()
    torch.save(tensors, file)
    return file.getvalue(), save(tensors)


def seeds(target: str) -> list[bytes]:
    """Sound inputs of a target."""
    files = [seed.data for seed in sound.seeds()]
    document: dict[str, Any] = sound.fhir_document()
    bundle = {
        "resourceType": "Bundle",
        "type": "searchset",
        "link": [{"relation": "next", "url": f"{BASE}?_getpages=1"}],
        "entry": [{"fullUrl": f"{BASE}/DocumentReference/1", "resource": document}],
    }
    made: dict[str, Callable[[], list[bytes]]] = {
        "extraction": lambda: [bytes([n]) + data for n, data in enumerate(files)],
        "fhir": lambda: [json.dumps(bundle).encode(), json.dumps(document).encode()],
        "segmentation": lambda: [sound.plain().encode(), sound.html().encode()],
        "checkpoint": lambda: [_tensors()[0]],
        "safetensors": lambda: [_tensors()[1]],
        "api": lambda: [
            b"\0" + json.dumps({"text": sound.plain(), "budget": "2"}).encode(),
            b"\1" + sound.plain().encode(),
            b"\2" + sound.html().encode(),
            b"\3" + json.dumps({"items": [{"text": sound.plain()}] * 2}).encode(),
            b"\4token=a&to=/",
            b"\5",
        ],
    }
    return made[target]()


TARGETS: dict[str, Callable[[bytes], None]] = {
    "extraction": extraction,
    "fhir": fhir,
    "segmentation": segmentation,
    "checkpoint": checkpoint,
    "safetensors": safetensors,
    "api": api,
}
