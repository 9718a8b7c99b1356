"""The resources of one summary as a transaction Bundle, validated against R4B before it leaves.

R4, section 3.1.0.11. Repeating a transaction whose answer was lost is harmless: an entry is a PUT to a
client-assigned id or, where the server gives out the ids, a conditional one.
"""

from typing import Any

from fhir.resources.R4B.composition import Composition
from fhir.resources.R4B.device import Device
from fhir.resources.R4B.documentreference import DocumentReference
from fhir.resources.R4B.provenance import Provenance
from pydantic import BaseModel, ValidationError

from fhir_adapter import canonical
from fhir_adapter.composition import Written, composition, extracted_text, provenance, urn
from fhir_adapter.errors import NoteError
from fhir_adapter.pipeline import Pipeline, device, model_card, model_card_markdown
from fhir_adapter.reasons import Reason

JsonObject = dict[str, Any]

_MODELS: dict[str, type[BaseModel]] = {
    "Composition": Composition,
    "Device": Device,
    "DocumentReference": DocumentReference,
    "Provenance": Provenance,
}


def author(pipeline: Pipeline) -> list[JsonObject]:
    """The model card and the Device that refers to it."""
    return [model_card(pipeline, model_card_markdown(pipeline)), device(pipeline)]


def registration(pipeline: Pipeline) -> JsonObject:
    """Writes the author once before the first summary, to a server that takes ids from clients.

    The first of many parallel writers of an absent Device would send the others into conflicts.
    """
    return _bundle([_put(resource) for resource in author(pipeline)])


def transaction(written: Written) -> JsonObject:
    """Composition, Device and Provenance of one summary, with the extracted text where there is one.

    Raises:
        NoteError: `malformed`, when something of the source that we carry over breaks R4.
    """
    return _bundle([_put(resource) for resource in [device(written.pipeline), *_resources(written)]])


def conditional_transaction(written: Written, *, exists: bool) -> JsonObject:
    """The same for a server that gives out the ids itself (no `updateCreate`).

    Args:
        written: the summary.
        exists: whether the Composition is on the server. A new one is a POST with `ifNoneExist`, since
            two conditional PUTs of a new resource at once were seen to leave two on HAPI 8.8.

    Raises:
        NoteError: as `transaction`.
    """
    authors, summary = author(written.pipeline), _resources(written)
    urns = {f"{r['resourceType']}/{r['id']}": urn(r["id"]) for r in [*authors, *summary]}
    conditional = _conditional_put if exists else _create_if_none
    entries = [_create_if_none(resource) for resource in authors]
    entries += [conditional(resource) for resource in summary]
    for entry in entries:
        resource = _relinked(entry["resource"], urns)
        entry["resource"] = {name: value for name, value in resource.items() if name != "id"}
    return _bundle(entries)


def validate(resource: JsonObject) -> None:
    """Checks one of our resources against its R4B model.

    Raises:
        NoteError: `malformed`, naming the elements at fault and never their values.
    """
    try:
        _MODELS[resource["resourceType"]].model_validate(resource)
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False, include_context=False)
        places = sorted({".".join(map(str, problem["loc"])) for problem in problems})
        raise NoteError(Reason.MALFORMED, f"{resource['resourceType']}: {', '.join(places)}") from None


def _resources(written: Written) -> list[JsonObject]:
    texts = [] if written.reading.text.verbatim else [extracted_text(written)]
    return [*texts, composition(written), provenance(written)]


def _bundle(entries: list[JsonObject]) -> JsonObject:
    for entry in entries:
        validate(entry["resource"])
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def _put(resource: JsonObject) -> JsonObject:
    url = f"{resource['resourceType']}/{resource['id']}"
    return _entry(resource, {"method": "PUT", "url": url})


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


def _relinked(node: Any, urns: dict[str, str]) -> Any:
    """References between entries of this transaction by fullUrl: their ids are not known yet."""
    if isinstance(node, dict):
        linked = {name: _relinked(value, urns) for name, value in node.items()}
        if isinstance(linked.get("reference"), str):
            linked["reference"] = urns.get(linked["reference"], linked["reference"])
        return linked
    return [_relinked(item, urns) for item in node] if isinstance(node, list) else node
