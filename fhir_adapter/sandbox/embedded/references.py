"""Rewriting what points from one resource to another, anywhere inside a resource."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from fhir_adapter.sandbox.embedded.index import without_version

# Elements of type uri or url in which a Bundle's own `urn:uuid` stands for a resource of that Bundle
# (hl7.org/fhir/R4/http.html#trules), besides Reference.reference.
_URI_ELEMENTS = frozenset(("url", "uri", "valueUri", "valueUrl", "valueUuid", "valueOid"))
_NARRATIVE_LINK = re.compile(r'\b(href|src)="(urn:[^"]+)"')


def strip_versions(value: Any) -> Any:
    """The value with `/_history/n` taken off every Reference; shares what needs no change."""
    return map_strings(value, _strip_version)


def rewrite(value: Any, addresses: Mapping[str, str], resolve: Callable[[str], str]) -> Any:
    """The value with a Bundle's own addresses replaced.

    Args:
        value: a resource, or a part of one.
        addresses: fullUrl of an entry -> `Type/id` it got.
        resolve: turns a conditional reference (`Patient?identifier=...`) into `Type/id`.
    """

    def replaced(key: str, text: str) -> str:
        if key == "reference":
            plain = without_version(text)
            if plain in addresses:
                return addresses[plain]
            return resolve(text) if "?" in text and ":" not in text.partition("?")[0] else text
        if key in _URI_ELEMENTS:
            return addresses.get(text, text) if text.startswith("urn:") else text
        if key == "div" and "urn:" in text:
            return _NARRATIVE_LINK.sub(
                lambda match: f'{match[1]}="{addresses.get(match[2], match[2])}"', text
            )
        return text

    return map_strings(value, replaced)


def map_strings(value: Any, change: Callable[[str, str], str], key: str = "") -> Any:
    """A copy of JSON with `change(key, string)` applied to every string that is a member of an object.

    What does not change is shared with the original.
    """
    if isinstance(value, str):
        return change(key, value)
    if isinstance(value, dict):
        changed = {name: map_strings(item, change, name) for name, item in value.items()}
        return changed if any(changed[name] is not value[name] for name in value) else value
    if isinstance(value, list):
        items = [map_strings(item, change, key) for item in value]
        return items if any(a is not b for a, b in zip(items, value, strict=True)) else value
    return value


def _strip_version(key: str, text: str) -> str:
    return without_version(text) if key == "reference" and "/_history/" in text else text
