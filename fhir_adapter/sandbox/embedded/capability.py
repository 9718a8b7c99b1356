"""The CapabilityStatement at `/metadata`: what the server does, by its settings."""

from typing import Any

from fhir_adapter.sandbox.embedded.jsontext import Json
from fhir_adapter.sandbox.embedded.parameters import LAST_UPDATED, RESOURCE_TYPES, parameters_of
from fhir_adapter.sandbox.settings import NOT_THERE, Quirk, SandboxSettings

SOFTWARE = "Clinical AI Summarizer sandbox"
VERSION = "0.12.0"

_INTERACTIONS = (
    "read",
    "vread",
    "update",
    "delete",
    "history-instance",
    "history-type",
    "create",
    "search-type",
)


def capability_statement(settings: SandboxSettings, base: str, started: str) -> Json:
    """The statement.

    Args:
        settings: of the server.
        base: the server's own URL as the client sees it.
        started: FHIR instant.
    """
    documents = Quirk.DOCUMENTS_ONLY in settings.quirks
    absent, bundles = (NOT_THERE, ()) if documents else (frozenset[str](), ("transaction", "batch"))
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": started,
        "publisher": SOFTWARE,
        "kind": "instance",
        "software": {"name": SOFTWARE, "version": VERSION},
        "implementation": {"description": "FHIR R4 server to try things on", "url": base},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "rest": [
            {
                "mode": "server",
                "resource": [_resource(settings, name) for name in sorted(RESOURCE_TYPES - absent)],
                "interaction": [{"code": code} for code in (*bundles, "history-system")],
                **({"operation": [_export("")]} if settings.export.offered else {}),
            }
        ],
    }


def _resource(settings: SandboxSettings, resource_type: str) -> Json:
    statement: Json = {
        "type": resource_type,
        "interaction": [{"code": code} for code in _INTERACTIONS],
        "versioning": "versioned-update",
        "readHistory": True,
        "updateCreate": settings.update_create and Quirk.DOCUMENTS_ONLY not in settings.quirks,
        "conditionalCreate": True,
        "conditionalRead": "not-match",
        "conditionalUpdate": True,
        "conditionalDelete": "not-supported",
        "referencePolicy": ["literal"],
        "searchParam": _search_parameters(settings, resource_type),
    }
    if references := _references(resource_type):
        statement["searchInclude"] = [f"{resource_type}:{name}" for name in references]
    if resource_type in ("Patient", "Group") and settings.export.offered:
        statement["operation"] = [_export(f"{resource_type.lower()}-")]
    if resource_type == "Composition":
        statement["operation"] = [
            {
                "name": "document",
                "definition": "http://hl7.org/fhir/OperationDefinition/Composition-document",
            }
        ]
    return statement


def _export(level: str) -> dict[str, str]:
    return {
        "name": "export",
        "definition": f"http://hl7.org/fhir/uv/bulkdata/OperationDefinition/{level}export",
    }


def _search_parameters(settings: SandboxSettings, resource_type: str) -> list[dict[str, Any]]:
    known = {} if Quirk.IGNORE_PARAMETERS in settings.quirks else parameters_of(resource_type)
    found = {"_id": "token", **{name: p.kind for name, p in known.items()}}
    if settings.last_updated_search:
        found[LAST_UPDATED] = "date"
    return [{"name": name, "type": kind} for name, kind in sorted(found.items())]


def _references(resource_type: str) -> list[str]:
    return sorted(name for name, p in parameters_of(resource_type).items() if p.kind == "reference")
