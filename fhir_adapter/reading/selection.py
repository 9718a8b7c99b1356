"""Which notes of a server the settings ask for: by type, category, author and date.

They are asked of the server where it says that it has the parameter, and every match is held against them,
since servers ignore a parameter that they do not know and answer with everything (R4, section 3.1.1.3).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from fhir_adapter.lenient import JsonObject, as_dict, as_list, dicts, relative
from fhir_adapter.stamps import last_moment, nanoseconds

# Of each type: the search parameter, and the elements that it looks at (R4, search parameter registry).
_TYPES = {"DocumentReference": ("type", ("type",)), "DiagnosticReport": ("code", ("code",))}
_AUTHORS = {
    "DocumentReference": ("author", ("author",)),
    "DiagnosticReport": ("performer", ("performer",)),
}
_DATES = {
    "DocumentReference": ("date", "indexed", "created"),
    "DiagnosticReport": ("effectiveDateTime", "effectiveInstant", "effectivePeriod"),
}
_DAY = 86_400_000_000_000


@dataclass(frozen=True, slots=True)
class Selection:
    """What is asked for; nothing asked leaves all in.

    Attributes:
        types: of DocumentReference.type and DiagnosticReport.code, each `system|code` or a code alone.
        categories: of `category`, written likewise.
        authors: of DocumentReference.author and DiagnosticReport.performer, each `Type/id`.
        since, until: of the document's own date, a FHIR date or instant; `until` counts whole.
    """

    types: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    since: str = ""
    until: str = ""
    _lower: int | None = field(init=False, default=None)
    _upper: int | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_lower", nanoseconds(self.since) if self.since else None)
        object.__setattr__(self, "_upper", last_moment(self.until) if self.until else None)

    def __bool__(self) -> bool:
        return bool(self.types or self.categories or self.authors or self.since or self.until)

    def params(self, resource_type: str, known: frozenset[str]) -> tuple[tuple[str, str], ...]:
        """Search parameters that ask for it.

        Args:
            resource_type: what is searched for.
            known: parameters that the server states; where it states none, all are sent.
        """
        wanted = [
            (_TYPES[resource_type][0], ",".join(self.types)),
            ("category", ",".join(self.categories)),
            (_AUTHORS[resource_type][0], ",".join(self.authors)),
            ("date", f"ge{self.since}" if self.since else ""),
            ("date", f"le{self.until}" if self.until else ""),
        ]
        return tuple((name, value) for name, value in wanted if value and (name in known or not known))

    def holds(self, resource: JsonObject, base_url: str) -> bool:
        """Whether a match is what was asked for."""
        kind = str(resource.get("resourceType"))
        if kind not in _TYPES:
            return True  # another fault, with a reason of its own
        return (
            _coded(resource, _TYPES[kind][1], self.types)
            and _coded(resource, ("category",), self.categories)
            and _named(resource, _AUTHORS[kind][1], self.authors, base_url)
            and self._dated(resource, kind)
        )

    def _dated(self, resource: JsonObject, kind: str) -> bool:
        """Some part of its time lies within, to the day: servers differ in the zone of a day."""
        if self._lower is None and self._upper is None:
            return True
        for begin, end in _times(resource, _DATES[kind]):
            after = self._lower is None or end is None or end >= self._lower - _DAY
            before = self._upper is None or begin is None or begin <= self._upper + _DAY
            if after and before:
                return True
        return False


def _coded(resource: JsonObject, elements: Sequence[str], wanted: Sequence[str]) -> bool:
    if not wanted:
        return True
    found: set[str] = set()
    for element in elements:
        for concept in dicts(as_list(resource.get(element))):
            for coding in dicts(as_list(concept.get("coding"))):
                system, code = str(coding.get("system", "")), str(coding.get("code", ""))
                found |= {code, f"{system}|{code}", f"{system}|"}
    return any(one in found for one in wanted)


def _named(resource: JsonObject, elements: Sequence[str], wanted: Sequence[str], base_url: str) -> bool:
    if not wanted:
        return True
    targets = {
        relative(reference.get("reference"), base_url)
        for element in elements
        for reference in dicts(as_list(resource.get(element)))
    }
    return any(relative(one, base_url) in targets for one in wanted)


def _times(resource: JsonObject, elements: Sequence[str]) -> list[tuple[int | None, int | None]]:
    found: list[tuple[int | None, int | None]] = []
    for element in elements:
        value = resource.get(element)
        if isinstance(value, dict):
            found.append((nanoseconds(as_dict(value).get("start")), last_moment(value.get("end"))))
        elif (begin := nanoseconds(value)) is not None:
            found.append((begin, last_moment(value)))
    return found
