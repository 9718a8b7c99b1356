"""The OpenAPI document: what FastAPI finds, and the schemas of bodies that the routes read by themselves."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from jobs.web.azure.schemas import AzureJobsInput
from jobs.web.cds.schemas import CdsFeedback, CdsRequest
from jobs.web.examples import with_examples
from jobs.web.schemas import (
    BatchRequest,
    BatchResult,
    ProblemDocument,
    RetryRequest,
    SummaryRequest,
    SummaryResult,
)

_TEMPLATE = "#/components/schemas/{model}"


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """Made once, then kept by the application."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        read = [
            (model, "validation")
            for model in (
                SummaryRequest,
                BatchRequest,
                RetryRequest,
                ProblemDocument,
                AzureJobsInput,
                CdsRequest,
                CdsFeedback,
            )
        ]
        written = [(model, "serialization") for model in (SummaryResult, BatchResult)]
        for part in (read, written):
            _, found = models_json_schema(part, ref_template=_TEMPLATE)  # type: ignore[arg-type]
            for name, schema in found.get("$defs", {}).items():
                schemas.setdefault(name, schema)
        with_examples(document)
        app.openapi_schema = document
    return app.openapi_schema
