"""The resources of one summary as a transaction Bundle, validated against R4B before it leaves.

R4, section 3.1.0.11. Repeating a transaction whose answer was lost is harmless: an entry is a PUT to a
client-assigned id or, where the server gives out the ids, a conditional one.
"""

from collections.abc import Sequence
from typing import Any

from fhir_adapter import canonical
from fhir_adapter.lenient import JsonObject, as_dict, dicts
from fhir_adapter.writing.authorship import author
from fhir_adapter.writing.lifecycle import Existing, sealed
from fhir_adapter.writing.pipeline import Pipeline
from fhir_adapter.writing.provenance import provenance
from fhir_adapter.writing.relinked import relinked
from fhir_adapter.writing.summary import SummaryDraft, composition, extracted_text, urn
from fhir_adapter.writing.validity import validate


def registration(pipeline: Pipeline, known: str = "", *, contained: bool = False) -> JsonObject:
    """Writes the author once before the first summary, to a server that takes ids from clients.

    The first of many parallel writers of an absent Device would send the others into conflicts.

    Args:
        pipeline: the author of what is written.
        known: the version of the Device, or DeviceDefinition, that was found, or "" where there is none. A
            recall that comes in between is not undone.
        contained: as of `authorship.author`.
    """
    *card, named = author(pipeline, contained=contained)
    return _bundle([*map(_put, card), _put(named, known)])


def creation(pipeline: Pipeline, *, contained: bool = False) -> JsonObject:
    """Writes the author once before the first summary, to a server that gives out the ids itself."""
    authors = author(pipeline, contained=contained)
    urns = {f"{r['resourceType']}/{r['id']}": urn(r["id"]) for r in authors}
    entries = [_create_if_none(resource) for resource in authors]
    for entry in entries:
        resource = relinked(entry["resource"], urns)
        entry["resource"] = {name: value for name, value in resource.items() if name != "id"}
    return _bundle(entries)


def transaction(resources: Sequence[JsonObject], existing: Existing | None = None) -> JsonObject:
    """A Composition and what belongs to it, for a server that takes ids from clients.

    The Device is not part of it: what is written never brings a recalled one back.

    Args:
        resources: from `summary_resources`, or those of a timeline.
        existing: the Composition that they take the place of; only over just that version.

    Raises:
        NoteError: `malformed`, when something of a source that we carry over breaks R4.
    """
    version = existing.version if existing else ""
    return _bundle([_put(r, version if r["resourceType"] == "Composition" else "") for r in resources])


def conditional_transaction(
    pipeline: Pipeline,
    resources: Sequence[JsonObject],
    existing: Existing | None = None,
    *,
    again: bool = False,
    contained: bool = False,
) -> JsonObject:
    """The same with its author, for a server that gives out the ids itself (no `updateCreate`).

    A new Composition is a POST with `ifNoneExist`, since two conditional PUTs of a new resource at once were
    seen to leave two on HAPI 8.8; one that is there is a PUT to its id, since HAPI ignores `ifMatch` on a
    conditional PUT.

    Args:
        pipeline: the author of what is written.
        resources: as of `transaction`.
        existing: as of `transaction`.
        again: the Composition was there once and is gone; what belonged to it may still point at that one.
        contained: as of `authorship.author`.

    Raises:
        NoteError: as `transaction`.
    """
    authors = author(pipeline, contained=contained)
    urns = {f"{r['resourceType']}/{r['id']}": urn(r["id"]) for r in [*authors, *resources]}
    entries = [_create_if_none(resource) for resource in authors]
    for resource in resources:
        over = existing or (again and resource["resourceType"] != "Composition")
        entries.append(_conditional_put(resource) if over else _create_if_none(resource))
    for entry in entries:
        resource = relinked(entry["resource"], urns)
        entry["resource"] = {name: value for name, value in resource.items() if name != "id"}
        if existing and resource["resourceType"] == "Composition":
            entry["resource"]["id"] = existing.id
            entry["request"] = _put(entry["resource"], existing.version)["request"]
    return _bundle(entries)


def replacement(resources: list[JsonObject]) -> JsonObject:
    """Resources as they were read and then changed, each only over the version that was read."""
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [_put(resource, str(resource["meta"].get("versionId", ""))) for resource in resources],
    }


def summary_resources(written: SummaryDraft, existing: Existing | None = None) -> list[JsonObject]:
    """Composition and Provenance of one summary, with the extracted text where there is one.

    Args:
        written: the summary.
        existing: the Composition that it takes the place of; the labels of others on it are kept.
    """
    texts = [] if written.reading.text.verbatim else [extracted_text(written)]
    summary = sealed(composition(written))
    system, code = canonical.REVIEW_TAG
    if written.ordinal > 1:
        tags = _united(summary["meta"]["tag"], [{"system": system, "code": code}])
        summary["meta"] = {**summary["meta"], "tag": tags}
    return [*texts, with_labels_of(existing.resource if existing else {}, summary), provenance(written)]


def with_labels_of(existing: JsonObject, resource: JsonObject) -> JsonObject:
    """The resource with the tags and security labels that others put on what it takes the place of."""
    before, own = as_dict(existing.get("meta")), as_dict(resource.get("meta"))
    both = {name: _united(dicts(own.get(name)), dicts(before.get(name))) for name in ("tag", "security")}
    own_tags = dicts(own.get("tag"))  # which text it is of, and what made it, is ours to say
    ours = (canonical.TEXTS, canonical.MADE_BY)
    both["tag"] = [t for t in both["tag"] if t.get("system") not in ours or t in own_tags]
    return {**resource, "meta": {**own, **{name: labels for name, labels in both.items() if labels}}}


def _united(*labels: list[JsonObject]) -> list[JsonObject]:
    """All labels, each once. HAPI adds them up by itself; elsewhere too nothing of others may be lost."""
    both: dict[tuple[Any, Any, Any], JsonObject] = {}
    for label in (label for some in labels for label in some):
        code = label.get("code")
        both.setdefault((label.get("system"), code, None if code else label.get("display")), label)
    return list(both.values())


def _bundle(entries: list[JsonObject]) -> JsonObject:
    for entry in entries:
        validate(entry["resource"])
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def _put(resource: JsonObject, version: str = "") -> JsonObject:
    """A PUT to the resource's id; over that version alone where one is named."""
    request = {"method": "PUT", "url": f"{resource['resourceType']}/{resource['id']}"}
    return _entry(resource, {**request, "ifMatch": f'W/"{version}"'} if version else request)


def _conditional_put(resource: JsonObject) -> JsonObject:
    url = f"{resource['resourceType']}?{criteria(resource)}"
    return _entry(resource, {"method": "PUT", "url": url})


def _create_if_none(resource: JsonObject) -> JsonObject:
    request = {"method": "POST", "url": resource["resourceType"], "ifNoneExist": criteria(resource)}
    return _entry(resource, request)


def _entry(resource: JsonObject, request: JsonObject) -> JsonObject:
    return {"fullUrl": urn(resource["id"]), "resource": resource, "request": request}


def criteria(resource: JsonObject) -> str:
    """The search that finds one of our resources: by identifier, or by tag for a Provenance."""
    if resource["resourceType"] == "Provenance":
        tags = resource["meta"]["tag"]
        tag = next(t for t in tags if t["system"] == canonical.PROVENANCE_KEY)
        return f"_tag={tag['system']}|{tag['code']}"
    found = resource["identifier"]
    identifier = found[0] if isinstance(found, list) else found
    return f"identifier={identifier['system']}|{identifier['value']}"
