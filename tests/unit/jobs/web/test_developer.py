"""What a developer relies on: answers as documented, errors that lead on, and a feed that loses nothing."""

import importlib.util
import re
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from jobs.ledger.ledger import Ledger
from jobs.ledger.pages import Mark, changes
from jobs.ledger.rows import NoteRow
from jobs.web.app import create_app
from jobs.web.examples import ANSWERS
from tests.places import ROOT
from tests.unit.jobs.web.summarised import Summarised
from tests.unit.jobs.web.web_parts import Served, listening

METHODS = ("get", "post", "put", "delete", "patch")


def given(there: Summarised) -> dict[str, object]:
    return {"fhir_base_url": there.base_url, "database_url": there.settings.database_url}


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    ]


def checked(document: dict[str, Any], schema: dict[str, Any], body: Any) -> None:
    import jsonschema  # seconds of start that no other test needs

    jsonschema.Draft202012Validator({**schema, "components": document["components"]}).validate(body)


async def test_every_operation_has_a_schema_and_an_example_of_its_answer(served: Served) -> None:
    async with served() as client:
        document = (await client.get("/openapi.json")).json()
    for method, path, operation in operations(document):
        good = {status: found for status, found in operation["responses"].items() if status < "300"}
        assert good, path
        for status, found in good.items():
            if "headers" in found and "content" not in found:
                continue  # Azure's answer is its header
            assert found["content"], (method, path)
            for kind, media in found["content"].items():
                assert media["schema"], (method, path, kind)
            stated, body = ANSWERS[(method, path)]
            assert stated == status
            media = found["content"].get("application/json") or found["content"]["text/plain"]
            assert media["example"] == body
            checked(document, media["schema"], body)


def request_of(document: dict[str, Any], path: str, operation: dict[str, Any]) -> dict[str, Any]:
    """A request made of the examples alone."""
    filled, query = path, {}
    for parameter in operation.get("parameters", ()):
        schema = parameter["schema"]
        example = (schema.get("examples") or parameter.get("examples") or [None])[0]
        if parameter["in"] == "path":
            filled = filled.replace(f"{{{parameter['name']}}}", str(example))
        elif parameter.get("required"):
            query[parameter["name"]] = example
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if body:
        body = document["components"]["schemas"][body["$ref"].rpartition("/")[2]]["examples"][0]
    return {"url": filled, "params": query, "json": body}


async def test_every_operation_answers_its_example_as_its_schema_says(
    served: Served, there: Summarised
) -> None:
    async with served(**given(there)) as client:
        document = (await client.get("/openapi.json")).json()
        for method, path, operation in operations(document):
            asked = request_of(document, path, operation)
            answer = await client.request(method.upper(), **asked)
            assert answer.status_code in (200, 202, 404), (method, path, answer.text)
            found = operation["responses"][str(answer.status_code)]
            if not answer.content:
                continue
            kind = answer.headers["content-type"].partition(";")[0]
            body = answer.json() if kind.endswith("json") else answer.text
            checked(document, found["content"][kind]["schema"], body)


async def test_an_error_names_the_field_what_is_allowed_and_the_request(served: Served) -> None:
    async with served() as client:
        many = await client.get("/v1/notes", params={"count": "900"})
        status = await client.get("/v1/notes", params={"status": "gone"})
        field = await client.post("/v1/summaries", json={"text": "No fever.", "lenght": 3})
        query = await client.get("/v1/compositions", params={"pateint": "Patient/1"})
        words = await client.post("/v1/summaries", json={"text": "a", "Smith, John": 3})
        kinds = await client.post("/v1/summaries", json={"text": "a", "budget": "many"})
    said = [answer.json() for answer in (many, status, field, query, words, kinds)]
    assert {(one["status"], one["code"]) for one in said} == {(422, "invalid")}
    assert said[0]["errors"] == [
        {"where": "query.count", "problem": "less than equal", "allowed": "at most 200"}
    ]
    assert "'written', 'unchanged', 'skipped' or 'failed'" in said[1]["errors"][0]["allowed"]
    assert said[2]["errors"] == [{"where": "lenght", "problem": "unknown field", "allowed": "text, budget"}]
    assert said[3]["errors"] == [
        {"where": "query.pateint", "problem": "unknown field", "allowed": "count, cursor, patient, source"}
    ]
    assert "Smith" not in words.text
    assert said[5]["errors"][0] == {"where": "budget", "problem": "int type", "allowed": "a whole number"}
    assert said[5]["errors"][1]["where"] == "budget"
    for answer, one in zip((many, status, field, query, words, kinds), said, strict=True):
        assert re.fullmatch("[0-9a-f]{16}", one["request_id"])
        assert answer.headers["x-request-id"] == one["request_id"]
    assert len({one["request_id"] for one in said}) == len(said)


async def test_summaries_are_found_by_patient_and_source_and_read_by_id(
    served: Served, there: Summarised
) -> None:
    async with served(**given(there)) as client:
        listed = (await client.get("/v1/compositions")).json()["compositions"]
        one = next(item for item in listed if item["patient"] == "Patient/one")
        ours = (await client.get("/v1/compositions", params={"patient": "Patient/one"})).json()
        nobody = (await client.get("/v1/compositions", params={"patient": "Patient/nobody"})).json()
        its = (await client.get("/v1/compositions", params={"source": one["source"]})).json()
        read = await client.get(f"/v1/compositions/{one['composition'].partition('/')[2]}")
        absent = await client.get("/v1/compositions/nothing-here")
    assert {item["patient"] for item in listed} == {"Patient/one", "Patient/two"}
    assert ours["compositions"] == [item for item in listed if item["patient"] == "Patient/one"]
    assert nobody == {"compositions": []}
    assert [item["composition"] for item in its["compositions"]] == [one["composition"]]
    assert read.status_code == 200
    shown = read.json()
    assert {name: shown[name] for name in one} == one
    assert len(shown["shown"]) == one["sentences"]
    assert all(sentence["text"] and sentence["end"] > sentence["start"] for sentence in shown["shown"])
    assert absent.status_code == 404


def rows(count: int, at: datetime) -> list[NoteRow]:
    return [
        NoteRow(f"DocumentReference/{n}", "1", "v", "written", composition=str(n), handled_at=at)
        for n in range(count)
    ]


async def test_the_feed_gives_every_change_once_and_goes_on(served: Served, tmp_path: Path) -> None:
    past = datetime.now(UTC) - timedelta(hours=1)
    settings = {"database_url": f"sqlite:///{tmp_path / 'feed.sqlite'}"}
    async with served(**settings) as client:
        assert (await client.get("/v1/changes")).json() == {"changes": [], "next": "0.0", "more": False}
        ledger = await client.app.state.service.ledger()  # type: ignore[attr-defined]
        ledger.record(rows(25, past))
        seen, cursor, more = [], "0.0", True
        while more:
            answer = (await client.get("/v1/changes", params={"since": cursor, "count": 10})).json()
            seen += [change["source"] for change in answer["changes"]]
            cursor, more = answer["next"], answer["more"]
        assert seen == [f"DocumentReference/{n}" for n in range(25)]

        later_on = past + timedelta(minutes=30)
        again = NoteRow("DocumentReference/3", "2", "v", "failed", reason="timeout", handled_at=later_on)
        fresh = NoteRow("DocumentReference/99", "1", "v", "written")  # recorded just now
        ledger.record([again, fresh])
        answer = (await client.get("/v1/changes", params={"since": cursor})).json()
        assert [(c["source"], c["status"]) for c in answer["changes"]] == [("DocumentReference/3", "failed")]
        cursor = answer["next"]
        assert (await client.get("/v1/changes", params={"since": cursor})).json() == {
            "changes": [],
            "next": cursor,
            "more": False,
        }
        # A minute later it is there.
        later = changes(ledger, Mark.parse(cursor), 10, datetime.now(UTC) + timedelta(seconds=1))
        assert [row.source for _, row in later] == ["DocumentReference/99"]
        wrong = await client.get("/v1/changes", params={"since": "yesterday"})
    assert wrong.status_code == 422


def test_what_is_recorded_late_is_not_skipped(tmp_path: Path) -> None:
    """Two processes: one records an earlier moment later, where the reader has not been yet."""
    now = datetime.now(UTC)
    first, second = (
        replace(row, handled_at=now - timedelta(seconds=9 * n)) for n, row in enumerate(rows(2, now))
    )
    with Ledger(f"sqlite:///{tmp_path / 'l.sqlite'}", server="s", pipeline="p") as ledger:
        ledger.record([first])
        assert changes(ledger, None, 10, now - timedelta(seconds=60)) == []
        ledger.record([second])
        found = changes(ledger, None, 10, now + timedelta(seconds=1))
    assert [row.source for _, row in found] == ["DocumentReference/1", "DocumentReference/0"]


def test_the_client_in_the_examples_works(there: Summarised) -> None:
    spec = importlib.util.spec_from_file_location("client", ROOT / "examples" / "client.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["client"] = module
    spec.loader.exec_module(module)
    with listening(create_app(there.settings)) as address, module.Client(address) as client:
        summary = client.summarise("No fever. Cough for two days. He is well.", budget=2)
        assert [s.text for s in summary] == ["No fever.", "Cough for two days."]
        stored = list(client.stored("Patient/one"))
        assert stored
        sentences = client.sentences(stored[0].composition)
        assert len(sentences) == stored[0].sentences
        assert client.proven(stored[0].composition)
        assert list(client.changes()) == []  # none is a minute old
        with pytest.raises(module.ProblemError) as raised:
            client.summarise("", budget="much")
        assert raised.value.code == "invalid"
        assert "budget" in str(raised.value)
