"""A FHIR server under test, plain REST on it, and small resources that no other test touches."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest

from fhir_adapter.rest.tls import tls_context
from fhir_adapter.sandbox.hapi import Hapi, HapiSettings, ToolMissingError, running_process

JSON = "application/fhir+json"


@dataclass(frozen=True, slots=True)
class FhirServer:
    """A server under test: `engine` is `embedded` or `hapi`."""

    engine: str
    base_url: str


class Fhir:
    """Plain REST on a server, and resources that no other test touches."""

    def __init__(self, server: FhirServer) -> None:
        self.server = server
        self.http = httpx.Client(
            base_url=server.base_url,
            headers={"Accept": JSON, "Cache-Control": "no-cache"},
            timeout=120,
            trust_env=False,
            verify=tls_context(),
        )

    def send(self, method: str, url: str, resource: Any = None, **headers: str) -> httpx.Response:
        """`resource` may also be JSON text, to send what the json module would not write."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if resource is None:
            return self.http.request(method, url, headers=named)
        return self.http.request(
            method,
            url,
            content=resource if isinstance(resource, str) else json.dumps(resource),
            headers={"Content-Type": JSON, **named},
        )

    def get(self, url: str, **params: str) -> Any:
        answer = self.http.get(url, params=params or None)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def put(self, resource: dict[str, Any]) -> dict[str, Any]:
        answer = self.send("PUT", f"{resource['resourceType']}/{resource['id']}", resource)
        assert answer.status_code in {200, 201}, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def search(self, resource_type: str, **params: str) -> list[str]:
        """Ids of all matches, over all pages, sorted."""
        return sorted(resource["id"] for resource in self.matches(self.get(resource_type, **params)))

    def matches(self, bundle: dict[str, Any]) -> list[dict[str, Any]]:
        return [resource for page in self.pages(bundle) for resource in page]

    def transaction(self, *entries: dict[str, Any]) -> httpx.Response:
        return self.send(
            "POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": list(entries)}
        )

    def pages(self, bundle: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
        while True:
            entries = bundle.get("entry", [])
            yield [e["resource"] for e in entries if e.get("search", {}).get("mode", "match") == "match"]
            url = next_link(bundle)
            if url is None:
                return
            bundle = self.get(url)


@contextmanager
def hapi_or_skip(settings: HapiSettings) -> Iterator[Hapi]:
    """HAPI, where Java and Maven are there; else a skip, or a failure where all is required."""
    try:
        running = running_process(settings)
        hapi = running.__enter__()
    except ToolMissingError as missing:
        if os.environ.get("CLINSUM_REQUIRE_ALL") == "1":
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    try:
        yield hapi
    finally:
        running.__exit__(None, None, None)


def next_link(bundle: dict[str, Any]) -> str | None:
    return next((link["url"] for link in bundle.get("link", []) if link["relation"] == "next"), None)


def new_id(what: str = "t") -> str:
    return f"{what}-{uuid4().hex[:12]}"


def document(patient: str, **elements: Any) -> dict[str, Any]:
    """A small DocumentReference with a new id."""
    return {
        "resourceType": "DocumentReference",
        "id": new_id("doc"),
        "status": "current",
        "subject": {"reference": patient},
        "content": [{"attachment": {"contentType": "text/plain", "data": "Tm90ZS4="}}],
        **elements,
    }


def composition(patient: str, device: str, **elements: Any) -> dict[str, Any]:
    """A small Composition with a new id."""
    return {
        "resourceType": "Composition",
        "id": new_id("comp"),
        "status": "preliminary",
        "type": {"coding": [{"system": "http://loinc.org", "code": "68608-9"}]},
        "subject": {"reference": patient},
        "date": "2026-01-02T10:00:05Z",
        "author": [{"reference": device}],
        "title": "Summary",
        **elements,
    }


def provenance(target: str, device: str, source: str, **elements: Any) -> dict[str, Any]:
    """A small Provenance with a new id."""
    return {
        "resourceType": "Provenance",
        "id": new_id("prov"),
        "target": [{"reference": target}],
        "recorded": "2026-01-02T10:00:05Z",
        "agent": [{"who": {"reference": device}}],
        "entity": [{"role": "source", "what": {"reference": source}}],
        **elements,
    }
