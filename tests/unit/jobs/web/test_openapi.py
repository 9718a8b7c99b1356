"""The OpenAPI document keeps its word, and the page made of it shows all of it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fhir_adapter.sandbox.running import running_embedded
from jobs.web.app import create_app
from jobs.web.problems import CODES
from jobs.web.schemas import SummaryRequest
from tests.unit.jobs.web.web_parts import MakeSettings, Served, listening

TOKEN = "a-token-for-the-tests-of-the-api"


def test_schemathesis_finds_nothing(make_settings: MakeSettings, tmp_path: Path) -> None:
    with running_embedded() as base_url:
        app = create_app(make_settings(fhir_base_url=base_url, service_token=TOKEN, serve_rate=0))
        with listening(app) as address:
            done = subprocess.run(
                [
                    sys.executable,
                    "-c",
                    "from schemathesis.cli import schemathesis; schemathesis()",
                    f"--config-file={Path(__file__).parent / 'schemathesis.toml'}",
                    "run",
                    f"{address}/openapi.json",
                    "--max-examples=20",
                    "--phases=examples,coverage,fuzzing",
                    "--seed=20261125",
                    f"--header=Authorization: Bearer {TOKEN}",
                    "--no-color",
                ],
                capture_output=True,
                text=True,
                timeout=600,
                check=False,
                cwd=tmp_path,
                env={**os.environ, "NO_PROXY": "127.0.0.1"},
            )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "18 selected / 18 total" in done.stdout


async def test_the_document_has_every_address_with_examples(served: Served) -> None:
    async with served() as client:
        document = (await client.get("/openapi.json")).json()
    assert set(document["paths"]) == {
        "/v1/summaries",
        "/v1/summaries:batch",
        "/v1/azure/language/analyze-text/jobs",
        "/v1/azure/language/analyze-text/jobs/{job_id}",
        "/v1/azure/language/analyze-text/jobs/{job_id}:cancel",
        "/v1/compositions",
        "/v1/compositions/{id}",
        "/v1/compositions/{id}/audit",
        "/v1/changes",
        "/v1/notes",
        "/v1/notes:retry",
        "/cds-services",
        "/cds-services/{id}",
        "/cds-services/{id}/feedback",
        "/health/live",
        "/health/ready",
        "/metrics",
        "/.well-known/jwks.json",
    }
    for name in ("SummaryRequest", "BatchRequest"):
        assert document["components"]["schemas"][name]["examples"]
    SummaryRequest.model_validate(document["components"]["schemas"]["SummaryRequest"]["examples"][0])


async def test_every_reference_of_the_document_leads_somewhere(served: Served) -> None:
    async with served() as client:
        text = (await client.get("/openapi.json")).text
    document = json.loads(text)
    names = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names <= set(document["components"]["schemas"])


async def test_the_page_shows_every_operation_and_problem_without_script(served: Served) -> None:
    async with served() as client:
        page = (await client.get("/docs")).text
        document = (await client.get("/openapi.json")).json()
    for path, methods in document["paths"].items():
        for method in methods:
            assert f"{method.upper()} </span>{path}</code>" in page
    for code in CODES:
        assert f'id="problem-{code}"' in page
    for forbidden in ("<script", "style=", "onclick", "://cdn"):
        assert forbidden not in page


@pytest.mark.parametrize("accept", ["text/html", "application/json", "*/*"])
async def test_errors_are_pages_for_browsers_and_problems_for_programs(served: Served, accept: str) -> None:
    async with served() as client:
        answer = await client.get("/nowhere", headers={"accept": accept})
        wrong = await client.put("/health/live", headers={"accept": accept})
        api = await client.get("/v1/nothing", headers={"accept": accept})
    expected = "text/html; charset=utf-8" if accept == "text/html" else "application/problem+json"
    assert (answer.status_code, answer.headers["content-type"]) == (404, expected)
    assert (wrong.status_code, wrong.headers["content-type"]) == (405, expected)
    assert wrong.headers["allow"] == "GET"
    assert (api.status_code, api.headers["content-type"]) == (404, "application/problem+json")
