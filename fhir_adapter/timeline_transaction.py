"""A timeline and its Provenance as a transaction Bundle, validated against R4B before it leaves.

Every entry is a PUT to an id, or conditional, so that repeating a transaction whose answer was lost is
harmless. The Composition is put over just the version that was read, where there was one.
"""

from collections.abc import Sequence
from typing import Any

from fhir_adapter.writing.bundles import author, criteria, relinked, validate
from fhir_adapter.writing.pipeline import Pipeline
from fhir_adapter.writing.summary import urn

JsonObject = dict[str, Any]


def transaction_of(resources: Sequence[JsonObject], version: str) -> JsonObject:
    """For a server that takes ids from clients.

    Args:
        resources: the Composition and its Provenance.
        version: of the Composition on the server; "" where it is not there.

    Raises:
        NoteError: `malformed`, when something of a source that we carry over breaks R4.
    """
    entries = []
    for resource in resources:
        over = version if resource["resourceType"] == "Composition" else ""
        entries.append(_put(resource, resource["id"], over))
    return _bundle(entries)


def assigned_transaction_of(
    pipeline: Pipeline, resources: Sequence[JsonObject], existing: str, version: str
) -> JsonObject:
    """For a server that gives out the ids itself: the author and what it writes, linked by fullUrl.

    Args:
        pipeline: the author.
        resources: the Composition and its Provenance, the latter's target by fullUrl.
        existing: the Composition's id on the server; "" where it is not there.
        version: as in `transaction_of`.

    Raises:
        NoteError: as `transaction_of`.
    """
    authors = author(pipeline)
    urns = {f"{r['resourceType']}/{r['id']}": urn(r["id"]) for r in authors}
    entries = [_create_if_none(resource) for resource in authors]
    for resource in resources:
        if not existing:
            entries.append(_create_if_none(resource))
        elif resource["resourceType"] == "Composition":
            entries.append(_put(resource, existing, version))
        else:
            entries.append(_conditional_put(resource))
    for entry in entries:
        own = {"id": existing} if entry["request"]["url"] == f"Composition/{existing}" else {}
        linked = relinked(entry["resource"], urns)
        entry["resource"] = {**{name: value for name, value in linked.items() if name != "id"}, **own}
    return _bundle(entries)


def _bundle(entries: list[JsonObject]) -> JsonObject:
    for entry in entries:
        validate(entry["resource"])
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def _put(resource: JsonObject, ident: str, version: str) -> JsonObject:
    request = {"method": "PUT", "url": f"{resource['resourceType']}/{ident}"}
    return _entry(resource, {**request, "ifMatch": f'W/"{version}"'} if version else request)


def _conditional_put(resource: JsonObject) -> JsonObject:
    return _entry(resource, {"method": "PUT", "url": f"{resource['resourceType']}?{criteria(resource)}"})


def _create_if_none(resource: JsonObject) -> JsonObject:
    request = {"method": "POST", "url": resource["resourceType"], "ifNoneExist": criteria(resource)}
    return _entry(resource, request)


def _entry(resource: JsonObject, request: JsonObject) -> JsonObject:
    return {"fullUrl": urn(resource["id"]), "resource": resource, "request": request}
