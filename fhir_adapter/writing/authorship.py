"""How what is written names its author: by a Device on the server, or by one contained in each resource.

A server that keeps a partition for each patient takes no Device, since that names no patient, and no
Provenance that names none. There each Composition and Provenance holds the Device that made it. What all of
them share, the model card and a recall, stands in a DeviceDefinition, which is no patient's (R4, Patient
compartment). The contained Device is of that definition, has its identifier as its id, and says all that a
Device on the server would say. A search finds no contained resource, so a tag names it.

This is the one place that knows both forms: what is registered, how it is named, and how it is read.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from fhir_adapter import canonical
from fhir_adapter.lenient import JsonObject, as_dict, as_text, dicts, reference_of, relative
from fhir_adapter.narrative import paragraph
from fhir_adapter.writing.pipeline import Pipeline, device, model_card, model_card_markdown
from fhir_adapter.writing.relinked import relinked

AuthorForm = Literal["auto", "device", "contained"]
"""As the setting has it; `auto` is `device`, and `contained` where a server has partitions for patients."""

NAMES_DEVICE = ("Device/", "#")
"""How a reference to an author begins: to a Device on the server, or to a contained one."""

_AI: JsonObject = {"coding": [{"system": canonical.AI_DEVICE_TYPE, "code": "Artificial-Intelligence"}]}


def author(pipeline: Pipeline, *, contained: bool = False) -> list[JsonObject]:
    """What is registered before the first summary: model card and Device, or the DeviceDefinition alone."""
    if contained:
        return [definition(pipeline)]
    return [model_card(pipeline, model_card_markdown(pipeline)), device(pipeline)]


def definition(pipeline: Pipeline) -> JsonObject:
    """What contained Devices of a pipeline share, with the model card as its note."""
    made = device(pipeline)
    return {
        "resourceType": "DeviceDefinition",
        "id": pipeline.device_id,
        "meta": {"profile": [canonical.DEFINITION_PROFILE]},
        "language": "en",
        "text": paragraph(f"{pipeline.words}, an extractive summarizer of clinical notes."),
        "identifier": made["identifier"],
        "manufacturerString": made["manufacturer"],
        "deviceName": made["deviceName"],
        "type": made["type"],
        # R4 gives a version of a definition no type, so its kind goes before it.
        "version": [f"{one['type']['text']} {one['value']}" for one in made["version"]],
        "note": [{"text": model_card_markdown(pipeline)}],
    }


def contained_device(shared: JsonObject) -> JsonObject:
    """The Device of a DeviceDefinition, as a resource that names it holds it."""
    return {
        "resourceType": "Device",
        "id": name_of(shared),
        "identifier": dicts(shared.get("identifier")),
        "definition": {"reference": reference_of(shared)},
        "status": "active",
        "manufacturer": shared.get("manufacturerString"),
        "deviceName": dicts(shared.get("deviceName")),
        "type": as_dict(shared.get("type")),
        "version": [
            {"type": {"text": kind}, "value": value} for kind, value in versions_of(shared) if kind and value
        ],
    }


def versions_of(resource: JsonObject) -> list[tuple[str, str]]:
    """Kinds and values of the versions that a Device or a DeviceDefinition states, read leniently."""
    stated = resource.get("version")
    found = []
    for one in stated if isinstance(stated, list) else []:
        if isinstance(one, str):
            kind, _, value = one.partition(" ")
            found.append((kind, value))
        elif isinstance(one, dict):
            found.append((str(as_dict(one.get("type")).get("text")), str(one.get("value", ""))))
    return found


def name_of(resource: JsonObject) -> str:
    """The identifier of a Device or a DeviceDefinition of ours, the same on every server; "" of others'."""
    stated = dicts(resource.get("identifier"))
    return next((str(i.get("value", "")) for i in stated if i.get("system") == canonical.DEVICES), "")


def contained_in(resource: JsonObject) -> dict[str, JsonObject]:
    """What a resource contains, by the reference that names it there: `#id`."""
    return {f"#{str(one.get('id', '')).removeprefix('#')}": one for one in dicts(resource.get("contained"))}


def is_of(contained: JsonObject, shared: JsonObject) -> bool:
    """Whether a contained Device says what its DeviceDefinition says."""
    wanted = contained_device(shared)
    told = ("identifier", "type", "manufacturer", "deviceName", "version")
    return contained.get("resourceType") == "Device" and all(
        contained.get(name) == wanted[name] for name in told
    )


def definition_of(contained: JsonObject, base_url: str) -> str:
    """`DeviceDefinition/id` that a contained Device names, or ""."""
    named = relative(as_dict(contained.get("definition")).get("reference"), base_url)
    return named if named.startswith("DeviceDefinition/") else ""


def named_outside(composition: JsonObject) -> list[JsonObject]:
    """The authors of a Composition as another resource can name them: a contained one by its identifier."""
    contained = contained_in(composition)
    found = []
    for one in dicts(composition.get("author")):
        inner = contained.get(as_text(one.get("reference")) or "")
        if inner is None:
            found.append(one)
        elif name := name_of(inner):
            identifier = {"system": canonical.DEVICES, "value": name}
            found.append({"type": "Device", "identifier": identifier})
    return found


def holding_authors(
    resources: Iterable[JsonObject], shared: Mapping[str, JsonObject], patient: object
) -> list[JsonObject]:
    """Resources that name Devices of ours, each with these Devices contained, and of the patient.

    Args:
        resources: Compositions and Provenances; others stay as they are.
        shared: DeviceDefinitions by `name_of`.
        patient: a Reference to whom they are about, which a Provenance has to name among its targets.

    Returns:
        The same, with `contained`, and a tag for each of the Devices.
    """
    names = {f"Device/{name}": f"#{name}" for name in shared}
    return [
        _holding(relinked(one, names), shared, patient)
        if one.get("resourceType") in ("Composition", "Provenance")
        else one
        for one in resources
    ]


def _holding(resource: JsonObject, shared: Mapping[str, JsonObject], patient: object) -> JsonObject:
    named = [r.removeprefix("#") for r in _authors(resource) if r.startswith("#")]
    devices = [_contained(name, shared.get(name)) for name in dict.fromkeys(named)]
    found: JsonObject = {}
    for element, value in resource.items():
        if element not in ("id", "meta", "language", "text", "resourceType", "implicitRules"):
            found.setdefault("contained", devices)  # where R4 has it, before the elements of its own
        found[element] = value
    meta = as_dict(resource.get("meta"))
    tags = [{"system": canonical.MADE_BY, "code": one["id"]} for one in devices]
    found["meta"] = {**meta, "tag": [*dicts(meta.get("tag")), *tags]}
    if resource.get("resourceType") == "Provenance" and isinstance(patient, dict):
        found["target"] = [*dicts(resource.get("target")), patient]
    return found


def _contained(name: str, shared: JsonObject | None) -> JsonObject:
    """The Device of that name; where its definition is gone only what it is called, for the audit to say."""
    if shared is not None:
        return contained_device(shared)
    identifier = [{"system": canonical.DEVICES, "value": name}]
    return {"resourceType": "Device", "id": name, "identifier": identifier, "type": _AI}


def _authors(resource: JsonObject) -> list[str]:
    """What a Composition, its sections or a Provenance name as their makers, as stated."""
    named: Sequence[object] = [
        *dicts(resource.get("author")),
        *(one for section in dicts(resource.get("section")) for one in dicts(section.get("author"))),
        *(agent.get("who") for agent in dicts(resource.get("agent"))),
    ]
    return [as_text(as_dict(one).get("reference")) or "" for one in named]
