"""What the server says it can do, read tolerantly from its CapabilityStatement."""

from dataclasses import dataclass, field

from fhir_adapter.errors import NotFhirError
from fhir_adapter.lenient import JsonObject, as_dict, as_text, dicts


@dataclass(frozen=True, slots=True)
class ResourceCapability:
    """What the server does with one resource type."""

    update_create: bool = False
    conditional_update: bool = False
    interactions: frozenset[str] = frozenset()
    search_params: frozenset[str] = frozenset()
    history: bool = False
    operations: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Capability:
    """A CapabilityStatement reduced to what this software asks of it.

    Attributes:
        fhir_version: such as `4.0.1`; "" where the server does not say.
        transaction: the server declares `transaction` at system level.
        batch: likewise `batch`.
        resources: by resource type.
        operations: names of those at system level.
    """

    fhir_version: str
    software: str
    software_version: str
    transaction: bool
    resources: dict[str, ResourceCapability] = field(default_factory=dict)
    operations: frozenset[str] = frozenset()
    batch: bool = False

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

    def exports(self, resource_type: str = "") -> bool:
        """FHIR Bulk Data's `$export` is stated, of everything or of a type (Group, Patient)."""
        if not resource_type:
            return "export" in self.operations
        of_type = self.resources.get(resource_type, _NOTHING).operations
        return bool({"export", f"{resource_type.lower()}-export"} & of_type)

    def search_params(self, resource_type: str) -> frozenset[str]:
        """Names of the search parameters, those for all types included."""
        return self.resources.get(resource_type, _NOTHING).search_params


_NOTHING = ResourceCapability()


def parse_capability(statement: JsonObject) -> Capability:
    """Reads a CapabilityStatement; odd or missing parts count as "not supported".

    Raises:
        NotFhirError: it is another resource, or states a FHIR version other than R4 or R4B.
    """
    if statement.get("resourceType") not in ("CapabilityStatement", "Conformance"):
        raise NotFhirError("the server's /metadata is not a CapabilityStatement")
    version = as_text(statement.get("fhirVersion")) or ""
    if version[:1].isdigit() and not version.startswith("4."):
        raise NotFhirError(f"the server speaks FHIR {version[:20]}; this software needs R4 (4.0.1) or R4B")
    software = as_dict(statement.get("software"))
    rests = dicts(statement.get("rest"))
    rest = next((r for r in rests if r.get("mode") == "server"), rests[0] if rests else {})
    common = _names(rest.get("searchParam"))
    resources = {
        kind: ResourceCapability(
            update_create=entry.get("updateCreate") is True,
            conditional_update=entry.get("conditionalUpdate") is True,
            interactions=_codes(entry.get("interaction")),
            search_params=_names(entry.get("searchParam")) | common,
            history="history-type" in _codes(entry.get("interaction")),
            operations=_operations(entry),
        )
        for entry in dicts(rest.get("resource"))
        if (kind := as_text(entry.get("type")))
    }
    return Capability(
        fhir_version=version,
        software=as_text(software.get("name")) or "",
        software_version=as_text(software.get("version")) or "",
        transaction="transaction" in _codes(rest.get("interaction")),
        resources=resources,
        operations=_operations(rest),
        batch="batch" in _codes(rest.get("interaction")),
    )


def _codes(interactions: object) -> frozenset[str]:
    return frozenset(code for entry in dicts(interactions) if (code := as_text(entry.get("code"))))


def _operations(entry: JsonObject) -> frozenset[str]:
    """With or without the dollar, as servers write it."""
    return frozenset(name.lstrip("$") for name in _names(entry.get("operation")))


def _names(params: object) -> frozenset[str]:
    return frozenset(name for entry in dicts(params) if (name := as_text(entry.get("name"))))
