"""`/docs`: the OpenAPI document as a page of our own; no script, and nothing from other hosts."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from jobs.web.guard.access import Scope
from jobs.web.problems import CODES
from jobs.web.views.pages import render

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter of an operation, or a field of a body."""

    name: str
    place: str
    kind: str
    required: bool
    words: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path, as the page shows it."""

    id: str
    method: str
    path: str
    title: str
    words: str
    fields: tuple[Field, ...]
    body_types: tuple[str, ...]
    example: str
    answers: tuple[tuple[str, str], ...]


@router.get("/docs")
async def docs(request: Request) -> HTMLResponse:
    """The page."""
    document: dict[str, Any] = request.app.openapi()
    codes = [(code, status, words) for code, (status, words) in CODES.items()]
    scopes = [scope.value for scope in Scope]
    return render(
        request,
        "docs.html",
        document=document["info"],
        operations=list(operations(document)),
        codes=codes,
        scopes=scopes,
    )


def operations(document: dict[str, Any]) -> Iterator[Operation]:
    """Every operation of the document in its order."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            body = operation.get("requestBody", {}).get("content", {})
            schema = _resolved(document, body.get("application/json", {}).get("schema", {}))
            examples = schema.get("examples", [])
            yield Operation(
                id=operation["operationId"],
                method=method.upper(),
                path=path,
                title=operation.get("summary", ""),
                words=operation.get("description", ""),
                fields=(*_parameters(operation), *_fields(schema)),
                body_types=tuple(body),
                example=json.dumps(examples[0], indent=2) if examples else "",
                answers=tuple((status, a["description"]) for status, a in operation["responses"].items()),
            )


def _resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref", "")
    if not reference:
        return schema
    found: dict[str, Any] = document["components"]["schemas"][reference.rpartition("/")[2]]
    return found


def _parameters(operation: dict[str, Any]) -> Iterator[Field]:
    for parameter in operation.get("parameters", ()):
        words = parameter.get("description", "")
        kind = _kind(parameter.get("schema", {}))
        yield Field(parameter["name"], parameter["in"], kind, parameter.get("required", False), words)


def _fields(schema: dict[str, Any]) -> Iterator[Field]:
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        yield Field(name, "body", _kind(field), name in required, field.get("description", ""))


def _kind(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(
            dict.fromkeys(_kind(part) for part in schema["anyOf"] if part.get("type") != "null")
        )
    return str(schema.get("type", "object"))
