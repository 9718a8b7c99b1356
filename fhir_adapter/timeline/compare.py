"""Where a timeline on a server differs from the one that its sources give, element by element."""

from itertools import zip_longest

from fhir_adapter.audit.shape import OTHERS_ELEMENTS, plain
from fhir_adapter.canonical import SOURCE_TEXT
from fhir_adapter.lenient import JsonObject, as_dict, dicts
from fhir_adapter.narrative import same_narrative

# Compared by other means, or not at all: what others may put beside what we wrote.
_APART = OTHERS_ELEMENTS - {"author", "confidentiality"} | {"status", "section"}


def differences(resource: JsonObject, wanted: JsonObject, base_url: str) -> list[str]:
    """Names of the elements that differ, such as `date` or `section[2].title`; narratives as XML.

    Args:
        resource: as the server has it.
        wanted: as we would write it.
        base_url: absolute references under it count as relative.
    """
    found = [name for name in _names(resource, wanted) if _differs(name, resource, wanted, base_url)]
    if plain(_texts(resource), base_url) != plain(_texts(wanted), base_url):
        found.append("source-text")
    sections = zip_longest(dicts(resource.get("section")), dicts(wanted.get("section")))
    for index, (one, other) in enumerate(sections):
        if one is None or other is None:
            found.append(f"section[{index}]")
            continue
        found += [
            f"section[{index}].{name}"
            for name in sorted({*one, *other} - {"id"})
            if _differs(name, one, other, base_url)
        ]
    return found


def _texts(resource: JsonObject) -> list[JsonObject]:
    return [e for e in dicts(resource.get("extension")) if e.get("url") == SOURCE_TEXT]


def _names(resource: JsonObject, wanted: JsonObject) -> list[str]:
    return sorted({*resource, *wanted} - _APART - {"resourceType"})


def _differs(name: str, one: JsonObject, other: JsonObject, base_url: str) -> bool:
    if name == "text":
        divs = (str(as_dict(side.get("text")).get("div", "")) for side in (one, other))
        return not same_narrative(*divs) and (name in one or name in other)
    return bool(plain(one.get(name), base_url) != plain(other.get(name), base_url))
