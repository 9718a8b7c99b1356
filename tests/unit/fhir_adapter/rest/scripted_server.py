"""A real HTTP server on loopback that answers by a script: faults that no FHIR server makes on demand."""

import asyncio
import json
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from fhir_adapter.rest.client import FhirClient


@dataclass(frozen=True)
class Request:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def params(self) -> list[tuple[str, str]]:
        return parse_qsl(urlsplit(self.target).query, keep_blank_values=True)


@dataclass(frozen=True)
class Answer:
    """`drop` closes the connection without a word; `hang` never answers; `cut` sends half of the body; `drip`
    sends byte after byte without end."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False
    hang: bool = False
    cut: bool = False
    drip: bool = False


def fhir(resource: dict[str, Any], status: int = 200, **headers: str) -> Answer:
    sent = {"Content-Type": "application/fhir+json", **{k.replace("_", "-"): v for k, v in headers.items()}}
    return Answer(status, json.dumps(resource).encode(), sent)


def outcome(status: int, code: str, diagnostics: str = "") -> Answer:
    issue = {"severity": "error", "code": code, "diagnostics": diagnostics}
    return fhir({"resourceType": "OperationOutcome", "issue": [issue]}, status)


def bundle(*resources: dict[str, Any], next_url: str | None = None) -> Answer:
    links = [{"relation": "next", "url": next_url}] if next_url is not None else []
    entries = [{"resource": r, "search": {"mode": "match"}} for r in resources]
    return fhir({"resourceType": "Bundle", "type": "searchset", "link": links, "entry": entries})


def capability(*params: str, types: tuple[str, ...] = ("DocumentReference", "DiagnosticReport")) -> Answer:
    resources = [{"type": kind, "searchParam": [{"name": name} for name in params]} for kind in types]
    return fhir(
        {
            "resourceType": "CapabilityStatement",
            "fhirVersion": "4.0.1",
            "rest": [{"mode": "server", "resource": resources}],
        }
    )


class ScriptedServer:
    """`handle` turns each request into an Answer, or is a list of answers; its last one is for good."""

    def __init__(
        self, handle: Callable[[Request], Answer] | list[Answer], tls: ssl.SSLContext | None = None
    ) -> None:
        self._tls = tls
        self._script = list(handle) if isinstance(handle, list) else None
        self._handle = None if isinstance(handle, list) else handle
        self.requests: list[Request] = []

    async def __aenter__(self) -> "ScriptedServer":
        self._writers: set[asyncio.StreamWriter] = set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        self.origin = f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}"
        self.base_url = f"{self.origin}/fhir"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for writer in self._writers:
            writer.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while await self._exchange(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            self._writers.discard(writer)

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        request = Request(method, target, headers, body)
        self.requests.append(request)
        answer = self._answer(request)
        if answer.drop:
            return False
        if answer.hang:
            await reader.read()
            return False
        length = 10**6 if answer.drip else len(answer.body)
        lines = [f"HTTP/1.1 {answer.status} X", f"Content-Length: {length}"]
        lines += [f"{k}: {v}" for k, v in answer.headers.items()]
        half = len(answer.body) // 2 if answer.cut else None
        writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + answer.body[:half])
        await writer.drain()
        while answer.drip:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.01)
        return not answer.cut

    def _answer(self, request: Request) -> Answer:
        if self._handle is not None:
            return self._handle(request)
        assert self._script is not None
        return self._script.pop(0) if len(self._script) > 1 else self._script[0]


class Naps:
    """Takes the place of `asyncio.sleep` and remembers how long it should have slept."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)


def client_for(server: ScriptedServer, **options: Any) -> FhirClient:
    options.setdefault("sleep", Naps())
    options.setdefault("timeout", 5.0)
    return FhirClient(options.pop("base_url", server.base_url), **options)
