"""`/v1/compositions` against the embedded sandbox, after a real pass."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from fhir_adapter import canonical
from fhir_adapter.sandbox.running import running_embedded
from jobs.bench.passes import generated_notes
from jobs.runtime import open_ledger
from jobs.schedule import one_pass
from jobs.settings import load_settings
from tests.unit.jobs.web.web_parts import MakeSettings, Served

JSON = {"Content-Type": "application/fhir+json"}
NOTES = 7


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server on which a pass has summarised seven notes."""
    with running_embedded() as base_url:
        for note in generated_notes(NOTES):
            url = f"{base_url}/DocumentReference/{note['id']}"
            httpx.put(url, json=note, trust_env=False, timeout=600).raise_for_status()
        database: Path = tmp_path_factory.mktemp("ledger") / "ledger.sqlite"
        settings = load_settings(
            {"engine": "lead", "fhir_base_url": base_url, "database_url": f"sqlite:///{database}"}
        )
        with open_ledger(settings) as ledger:
            asyncio.run(one_pass(settings, ledger, None, lambda _: None))
        yield base_url


async def test_pages_of_compositions(served: Served, server: str) -> None:
    found: list[str] = []
    query: dict[str, str] = {"count": "3"}
    pages = 0
    async with served(fhir_base_url=server) as client:
        while True:
            answer = await client.get("/v1/compositions", params=query)
            assert answer.status_code == 200
            assert answer.headers["cache-control"] == "no-store"
            assert len(answer.json()["compositions"]) <= 3
            found += [item["source"] for item in answer.json()["compositions"]]
            pages += 1
            if "next" not in answer.json():
                break
            query = {"cursor": answer.json()["next"]}
    assert sorted(found) == [f"DocumentReference/bench-{i}" for i in range(NOTES)]
    assert pages == 3


async def test_a_composition_in_the_list_and_its_audit(served: Served, server: str) -> None:
    async with served(fhir_base_url=server) as client:
        item = (await client.get("/v1/compositions?count=1")).json()["compositions"][0]
        audit = await client.get(f"/v1/compositions/{item['composition'].partition('/')[2]}/audit")
    assert item["status"] == "preliminary"
    assert item["author"].startswith("Device/")
    assert audit.status_code == 200
    assert audit.json()["ok"] is True
    assert audit.json()["problems"] == []
    assert audit.json()["source"] == item["source"]
    assert len(audit.json()["sentences"]) == item["sentences"]
    assert all(sentence["ok"] and sentence["text"] for sentence in audit.json()["sentences"])


async def test_what_ended_and_what_waits_for_review_are_said(served: Served, server: str) -> None:
    def changed(composition: dict[str, Any], tags: list[Any], marks: list[Any]) -> None:
        meta = {**composition["meta"], "tag": [*composition["meta"]["tag"], *tags]}
        body = {**composition, "meta": meta, "extension": [*composition["extension"], *marks]}
        url = f"{server}/Composition/{composition['id']}"
        httpx.put(url, json=body, trust_env=False, timeout=600).raise_for_status()

    bundle = httpx.get(f"{server}/Composition", trust_env=False, timeout=600).json()
    over, waiting, *_ = (entry["resource"] for entry in bundle["entry"])
    system, code = canonical.REVIEW_TAG
    changed(over, [], [{"url": canonical.ENDED_BECAUSE, "valueCode": "superseded"}])
    changed(waiting, [{"system": system, "code": code}], [])

    async with served(fhir_base_url=server) as client:
        items = (await client.get("/v1/compositions?count=50")).json()["compositions"]
    changed(over, [], [])
    changed(waiting, [], [])

    said = {item["composition"]: item for item in items}
    ended, waits = said.pop(f"Composition/{over['id']}"), said.pop(f"Composition/{waiting['id']}")
    assert (ended["current"], ended["ended_because"], ended["needs_review"]) == (False, "superseded", False)
    assert (waits["current"], waits["needs_review"]) == (True, True)
    assert "ended_because" not in waits
    assert {(item["current"], item["needs_review"]) for item in said.values()} == {(True, False)}


async def test_half_a_character_in_a_field_spoils_no_list(served: Served, server: str) -> None:
    first = httpx.get(f"{server}/Composition", trust_env=False, timeout=600).json()["entry"][0]["resource"]
    url = f"{server}/Composition/{first['id']}"
    body = json.dumps({**first, "status": "final\ud83d"}).encode()
    httpx.put(url, content=body, headers=JSON, trust_env=False, timeout=600).raise_for_status()
    async with served(fhir_base_url=server) as client:
        answer = await client.get("/v1/compositions?count=50")
    httpx.put(url, json=first, trust_env=False, timeout=600).raise_for_status()
    assert answer.status_code == 200
    said = {item["composition"]: item["status"] for item in answer.json()["compositions"]}
    assert said[f"Composition/{first['id']}"] == "final?"


async def test_what_is_not_there(served: Served, server: str) -> None:
    async with served(fhir_base_url=server) as client:
        absent = await client.get("/v1/compositions/nothing/audit")
        odd = await client.get("/v1/compositions/a_b/audit")
    assert absent.status_code == 404
    assert absent.json()["code"] == "not-found"
    assert odd.status_code == 422


@pytest.mark.parametrize("cursor", ["AAAA", "Z" * 100, "aHR0cDovL2V4YW1wbGUub3JnLw=="])
async def test_a_cursor_of_somebody_elses_making(served: Served, server: str, cursor: str) -> None:
    async with served(fhir_base_url=server) as client:
        answer = await client.get("/v1/compositions", params={"cursor": cursor})
    assert answer.status_code == 404
    assert answer.json()["code"] == "not-found"


async def test_a_cursor_holds_for_every_process_with_the_same_token(
    served: Served, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = {"authorization": f"Bearer {'t' * 32}"}
    async with served(fhir_base_url=server, service_token="t" * 32) as client:
        first = await client.get("/v1/compositions?count=3", headers=headers)
    monkeypatch.setattr("jobs.web.listing._SECRET", b"of another process")
    async with served(fhir_base_url=server, service_token="t" * 32) as client:
        cursor = {"cursor": first.json()["next"]}
        second = await client.get("/v1/compositions", params=cursor, headers=headers)
    async with served(fhir_base_url=server, service_token="u" * 32) as client:
        headers = {"authorization": f"Bearer {'u' * 32}"}
        other = await client.get("/v1/compositions", params=cursor, headers=headers)
    assert second.status_code == 200
    assert other.status_code == 404


async def test_a_server_that_does_not_answer(served: Served) -> None:
    async with served(timeout=1) as client:
        answers = [await client.get("/v1/compositions"), await client.get("/v1/compositions/a/audit")]
        ready = await client.get("/health/ready")
    for answer in answers:
        assert answer.status_code == 502
        assert answer.json()["code"] == "fhir-server-failed"
        assert "127.0.0.1" not in answer.text
    assert ready.status_code == 200  # summaries can be asked for all the same
    states = {part["name"]: part["ready"] for part in ready.json()["parts"]}
    assert states == {"model": True, "fhir-server": False, "database": True}


async def test_readiness_tells_of_every_part(served: Served, server: str) -> None:
    async with served(fhir_base_url=server) as client:
        ready = await client.get("/health/ready")
    assert {part["name"]: part["ready"] for part in ready.json()["parts"]} == {
        "model": True,
        "fhir-server": True,
        "database": True,
    }


async def test_a_database_that_cannot_be_used(served: Served, tmp_path: Path, server: str) -> None:
    (tmp_path / "no-database").write_text("this is no database, and long enough to be looked at as one" * 20)
    database = f"sqlite:///{tmp_path / 'no-database'}"
    async with served(fhir_base_url=server, database_url=database) as client:
        ready = await client.get("/health/ready")
    assert {p["name"]: p["ready"] for p in ready.json()["parts"]}["database"] is False


async def test_the_demo_has_nothing_of_the_server(make_settings: MakeSettings, served: Served) -> None:
    from jobs.web.service import Options

    async with served(Options(demo=True)) as client:
        answers = [await client.get("/v1/compositions"), await client.get("/v1/compositions/a/audit")]
        metrics = await client.get("/metrics")
        summary = await client.post("/v1/summaries", json={"text": "No fever."})
        ready = await client.get("/health/ready")
        page = await client.get("/docs", headers={"accept": "text/html"})
    assert [answer.status_code for answer in answers] == [404, 404]
    assert metrics.status_code == 403
    assert summary.status_code == 200
    assert [part["name"] for part in ready.json()["parts"]] == ["model"]
    assert "Do not paste notes of real patients" in page.text
