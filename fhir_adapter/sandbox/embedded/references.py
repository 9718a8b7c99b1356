"""Rewriting what points from one resource to another, anywhere inside a resource. Works in place."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from fhir_adapter.sandbox.embedded.index import without_version
from fhir_adapter.sandbox.embedded.jsontext import Json, write_json

# Elements of type uri or url in which a Bundle's own `urn:uuid` stands for a resource of that Bundle
# (hl7.org/fhir/R4/http.html#trules), besides Reference.reference.
_URI_ELEMENTS = frozenset(("url", "uri", "valueUri", "valueUrl", "valueUuid", "valueOid"))
_NARRATIVE_LINK = re.compile(r'\b(href|src)="(urn:[^"]+)"')


def strip_versions(resource: Json) -> None:
    """Takes `/_history/n` off every Reference."""
    # Few resources have any, and writing is much faster than walking.
    if "/_history/" in write_json(resource):
        _change_strings(resource, frozenset(("reference",)), lambda _, text: without_version(text))


def rewrite(resource: Json, addresses: Mapping[str, str], resolve: Callable[[str], str]) -> None:
    """Replaces a Bundle's own addresses by those that its entries got.

    Args:
        resource: of an entry.
        addresses: fullUrl of an entry -> `Type/id` it got.
        resolve: turns a conditional reference (`Patient?identifier=...`) into `Type/id`.
    """

    def replaced(key: str, text: str) -> str:
        if key == "reference":
            plain = without_version(text)
            if plain in addresses:
                return addresses[plain]
            return resolve(text) if "?" in text and ":" not in text.partition("?")[0] else text
        if key == "div":
            return _NARRATIVE_LINK.sub(
                lambda match: f'{match[1]}="{addresses.get(match[2], match[2])}"', text
            )
        return addresses.get(text, text) if text.startswith("urn:") else text

    _change_strings(resource, _URI_ELEMENTS | {"reference", "div"}, replaced)


def _change_strings(value: Any, names: frozenset[str], change: Callable[[str, str], str]) -> None:
    """Applies `change(name, string)` to every string that is a member of one of the names."""
    if isinstance(value, dict):
        for name, item in value.items():
            if isinstance(item, str):
                if name in names:
                    value[name] = change(name, item)
            else:
                _change_strings(item, names, change)
    elif isinstance(value, list):
        for item in value:
            if not isinstance(item, str):
                _change_strings(item, names, change)
