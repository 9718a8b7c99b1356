"""What the server says it can do, read tolerantly from its CapabilityStatement."""

from dataclasses import dataclass, field
from typing import Any

from fhir_adapter.errors import NotFhirError


@dataclass(frozen=True, slots=True)
class ResourceCapability:
    """What the server does with one resource type."""

    update_create: bool = False
    conditional_update: bool = False
    interactions: frozenset[str] = frozenset()
    search_params: frozenset[str] = frozenset()
    history: bool = False


@dataclass(frozen=True, slots=True)
class Capability:
    """A CapabilityStatement reduced to what this software asks of it.

    Attributes:
        fhir_version: such as `4.0.1`; "" where the server does not say.
        transaction: the server declares `transaction` at system level.
        resources: by resource type.
    """

    fhir_version: str
    software: str
    software_version: str
    transaction: bool
    resources: dict[str, ResourceCapability] = field(default_factory=dict)

    def supports(self, resource_type: str) -> bool:
        """The statement lists the type at all."""
        return resource_type in self.resources

    def update_create(self, resource_type: str) -> bool:
        """A PUT to an id that does not exist creates the resource."""
        return self.resources.get(resource_type, _NOTHING).update_create

    def conditional_update(self, resource_type: str) -> bool:
        """A PUT with search criteria instead of an id is understood."""
        return self.resources.get(resource_type, _NOTHING).conditional_update

    def interacts(self, resource_type: str, *codes: str) -> bool:
        """All these interactions (`create`, `delete`) are stated for the type."""
        return self.resources.get(resource_type, _NOTHING).interactions >= set(codes)

    def history(self, resource_type: str) -> bool:
        """`[type]/_history` is there, which names what was deleted."""
        return self.resources.get(resource_type, _NOTHING).history

    def search_params(self, resource_type: str) -> frozenset[str]:
        """Names of the search parameters, those for all types included."""
        return self.resources.get(resource_type, _NOTHING).search_params


_NOTHING = ResourceCapability()


def parse_capability(statement: dict[str, Any]) -> Capability:
    """Reads a CapabilityStatement; odd or missing parts count as "not supported".

    Raises:
        NotFhirError: it is another resource, or states a FHIR version other than R4 or R4B.
    """
    if statement.get("resourceType") not in ("CapabilityStatement", "Conformance"):
        raise NotFhirError("the server's /metadata is not a CapabilityStatement")
    version = _text(statement.get("fhirVersion"))
    if version[:1].isdigit() and not version.startswith("4."):
        raise NotFhirError(f"the server speaks FHIR {version[:20]}; this software needs R4 (4.0.1) or R4B")
    software = _dict(statement.get("software"))
    rests = [_dict(rest) for rest in _list(statement.get("rest"))]
    rest = next((r for r in rests if r.get("mode") == "server"), rests[0] if rests else {})
    common = _names(rest.get("searchParam"))
    resources = {
        kind: ResourceCapability(
            update_create=entry.get("updateCreate") is True,
            conditional_update=entry.get("conditionalUpdate") is True,
            interactions=_codes(entry.get("interaction")),
            search_params=_names(entry.get("searchParam")) | common,
            history="history-type" in _codes(entry.get("interaction")),
        )
        for entry in map(_dict, _list(rest.get("resource")))
        if (kind := _text(entry.get("type")))
    }
    return Capability(
        fhir_version=version,
        software=_text(software.get("name")),
        software_version=_text(software.get("version")),
        transaction="transaction" in _codes(rest.get("interaction")),
        resources=resources,
    )


def _codes(interactions: object) -> frozenset[str]:
    return frozenset(_text(_dict(entry).get("code")) for entry in _list(interactions))


def _names(params: object) -> frozenset[str]:
    return frozenset(name for entry in map(_dict, _list(params)) if (name := _text(entry.get("name"))))


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
