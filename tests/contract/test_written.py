"""What is written for the demo's notes, byte for byte.

`written.json` holds a hash of every Composition, Device, Provenance and DocumentReference of ours after both
passes of the demo, so that a change that should change nothing is seen to change nothing. A change that is
meant to change what is written renews the file in the same commit, and says in its message what is different:

    python -m pytest tests/contract/test_written.py --renew

What was written lies under `build/written/` then, one file a resource, to compare with another run's.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fhir_adapter import canonical
from fhir_adapter.sandbox.running import running_embedded
from jobs.demo.bundle import demo_bundle
from tests.contract.contract_fhir import Fhir, FhirServer
from tests.contract.passes import Site
from tests.places import ROOT

HASHES = Path(__file__).with_name("written.json")
LOOK = ROOT / "build" / "written"
OURS = ("Composition", "Device", "Provenance", "DocumentReference")
SOURCES = ("DocumentReference", "DiagnosticReport")
ENGINES = ("lead", "bertsum")


@pytest.fixture
def demo_server(tmp_path: Path) -> Iterator[Site]:
    """A server with the notes of the demo's first stage, and a poller with the pipeline's usual name."""
    with running_embedded() as base_url:
        fhir = Fhir(FhirServer("embedded", base_url))
        with fhir.http:
            load(fhir, 1)
            # In bf16, which some processors have, the same sentences have slightly other scores.
            yield Site(fhir, tmp_path / "ledger.sqlite", {"BUDGET": "auto", "PRECISION": "fp32"})


def load(fhir: Fhir, stage: int) -> None:
    answer = fhir.send("POST", "", demo_bundle(stage))
    assert answer.status_code == 200, answer.text


def ours(resource: dict[str, Any]) -> bool:
    """A DocumentReference is one by its tag, everything else of these types was written by us."""
    tags = {(tag.get("system"), tag.get("code")) for tag in resource.get("meta", {}).get("tag", [])}
    return resource["resourceType"] != "DocumentReference" or canonical.EXTRACTED_TEXT_TAG in tags


def stable(resource: dict[str, Any], stamps: dict[str, str], base_url: str) -> str:
    """The resource without what another run on another server has otherwise: stamps, versions, address.

    The digest over the content depends on these; that it is right is what the audit's tests are about.
    """
    meta = {k: v for k, v in resource["meta"].items() if k not in ("lastUpdated", "versionId")}
    for extension in resource.get("extension", ()):
        if extension["url"] == canonical.CONTENT_DIGEST:
            extension["valueString"] = "(the content's digest)"
    text = json.dumps({**resource, "meta": meta}, sort_keys=True, ensure_ascii=False, indent=1)
    for stamp, words in stamps.items():
        text = text.replace(stamp, words)
    return text.replace(base_url, "http://server.example/fhir")


def written(site: Site) -> dict[str, str]:
    """Every resource of ours by `Type/id`, in its stable form."""
    fhir = site.fhir
    stamps = {
        entry["resource"]["meta"]["lastUpdated"]: "(the source's stamp)"
        for kind in SOURCES
        for entry in fhir.get(f"{kind}/_history", _count="1000")["entry"]
    }
    return {
        f"{kind}/{resource['id']}": stable(resource, stamps, fhir.server.base_url)
        for kind in OURS
        for resource in sorted(fhir.matches(fhir.get(kind, _count="1000")), key=lambda found: found["id"])
        if ours(resource)
    }


def keep_to_look_at(engine: str, found: dict[str, str]) -> None:
    folder = LOOK / engine
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in found.items():
        (folder / f"{name.replace('/', '-')}.json").write_text(text + "\n", "utf-8")


@pytest.mark.parametrize("engine", ENGINES)
def test_the_demo_is_written_as_it_was(demo_server: Site, engine: str, renew: bool) -> None:
    demo_server.options["ENGINE"] = engine
    demo_server.poll()
    load(demo_server.fhir, 2)
    demo_server.poll()

    found = written(demo_server)
    hashes = {name: hashlib.sha256(text.encode()).hexdigest()[:16] for name, text in found.items()}
    kept = json.loads(HASHES.read_text("utf-8")) if HASHES.exists() else {}
    keep_to_look_at(engine, found)
    if renew:
        HASHES.write_text(json.dumps({**kept, engine: hashes}, indent=1, sort_keys=True) + "\n", "utf-8")
        return
    expected = kept[engine]
    names = hashes.keys() | expected.keys()
    changed = sorted(name for name in names if hashes.get(name) != expected.get(name))
    assert changed == [], f"see {LOOK / engine}; where this is meant: --renew"
