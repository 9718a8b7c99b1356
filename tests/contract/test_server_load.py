"""The loader on each server: everything is loaded, or counted with the reason why not."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from fhir_adapter.errors import ServerUnreachableError
from fhir_adapter.sandbox.load import Refusal, load
from tests.contract.contract_fhir import Fhir, document, new_id


def lines(path: Path, *resources: dict[str, Any]) -> Path:
    path.write_text("\n".join(json.dumps(one) for one in resources), encoding="utf-8")
    return path


async def test_one_refused_resource_does_not_keep_the_others_out(
    fhir: Fhir, patient: str, tmp_path: Path
) -> None:
    good = [document(patient) for _ in range(12)]
    bad = {"resourceType": "NoSuchType", "id": new_id()}
    path = lines(tmp_path / "a.ndjson", *good[:5], bad, *good[5:])
    seen: list[tuple[int, int]] = []
    report = await load(fhir.server.base_url, [path], batch=4, on_progress=lambda *now: seen.append(now))
    assert report.loaded == {"DocumentReference": 12}
    assert report.refused_total == 1
    ((cause, count),) = report.refused.items()
    assert (cause.resource_type, count) == ("NoSuchType", 1)
    assert cause.status in {400, 404}
    assert cause.code
    assert report.examples[cause] == f"{path}:6"
    assert seen[-1] == (12, 1)
    assert fhir.search("DocumentReference", patient=patient) == sorted(one["id"] for one in good)


async def test_what_refers_to_later_resources_is_loaded_in_the_end(fhir: Fhir, tmp_path: Path) -> None:
    """One resource a transaction, in the worst order, on a server where targets have to exist."""
    ids = [new_id("org") for _ in range(4)]
    chain: list[dict[str, Any]] = [{"resourceType": "Organization", "id": one} for one in ids]
    for part, whole in pairwise(chain):
        part["partOf"] = {"reference": f"Organization/{whole['id']}"}
    report = await load(fhir.server.base_url, [lines(tmp_path / "a.ndjson", *chain)], batch=1, concurrency=2)
    assert report.loaded == {"Organization": 4}
    assert report.refused == {}


async def test_a_bundle_with_references_across_transactions(fhir: Fhir, tmp_path: Path) -> None:
    person = "urn:uuid:" + new_id("person")
    documents = [{"resource": document(person)} for _ in range(5)]
    whole = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"fullUrl": person, "resource": {"resourceType": "Patient"}}, *documents],
    }
    path = lines(tmp_path / "bundle.json", whole)
    report = await load(fhir.server.base_url, [path], batch=2)
    assert report.loaded == {"DocumentReference": 5, "Patient": 1}
    assert len(fhir.search("DocumentReference", patient=person.removeprefix("urn:uuid:"))) == 5
    again = await load(fhir.server.base_url, [path, path], batch=2)
    assert again.loaded == report.loaded
    assert again.identical == 6


async def test_resources_without_ids_and_what_is_no_resource(
    fhir: Fhir, patient: str, tmp_path: Path
) -> None:
    nameless = document(patient)
    del nameless["id"]
    path = lines(tmp_path / "a.ndjson", nameless, nameless, {"id": "no type"})
    report = await load(fhir.server.base_url, [path])
    assert report.loaded == {"DocumentReference": 2}
    assert report.refused == {Refusal("", 0, "no-resource-type"): 1}
    assert len(fhir.search("DocumentReference", patient=patient)) == 2


async def test_no_server_there(tmp_path: Path) -> None:
    path = lines(tmp_path / "a.ndjson", {"resourceType": "Patient", "id": "a"})
    with pytest.raises(ServerUnreachableError, match="ConnectError"):
        await load("http://127.0.0.1:9/fhir", [path])
